package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk runs a study on a small disk that is full at some moment, with the records there too or elsewhere: it stops with
// one line, no cell counts as failed, and once there is room the same command ends in the bits of a study that had it.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("SKIPPED, NOT TESTED HERE: a small disk needs the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	file := studyFile(t, killStudy)
	want := leftAlone(t, file)
	const seed, tries = 1, 4
	random := rand.New(rand.NewPCG(seed, 0))
	used := 0
	for _, content := range want {
		used += len(content)/4096*4096 + 4096
	}
	ballast := filepath.Join(disk, "ballast")
	for try := range tries {
		root := filepath.Join(disk, "root")
		args := studyArgs(file, root)
		if try%2 == 1 {
			args[len(args)-1] = filepath.Join(t.TempDir(), "out")
		}
		stopped := 0
		for room := random.IntN(used / 2); ; room += 4096 + random.IntN(used/2) {
			fill(t, disk, ballast, room)
			stdout, stderr, code := espalier(t, args...)
			if code == exitOK {
				break
			}
			stopped++
			if code != exitBlocked || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "no space left") || stdout != "" {
				t.Fatalf("seed %d, try %d, %d bytes free: code %d, %q%s", seed, try, room, code, stderr, stdout)
			}
		}
		if stopped == 0 {
			t.Errorf("try %d: the disk was never full", try)
		}
		t.Logf("try %d: stopped %d times", try, stopped)
		if err := os.RemoveAll(ballast); err != nil {
			t.Fatal(err)
		}
		if out := args[len(args)-1]; try%2 == 1 {
			if err := os.CopyFS(filepath.Join(root, "out"), os.DirFS(out)); err != nil {
				t.Fatal(err)
			}
		}
		sameTree(t, tree(t, root), want)
		if t.Failed() {
			t.Fatalf("seed %d, try %d", seed, try)
		}
		if err := os.RemoveAll(root); err != nil {
			t.Fatal(err)
		}
	}
}

// fill leaves so many bytes free on a disk, or as many as there are.
func fill(t *testing.T, disk, ballast string, room int) {
	t.Helper()
	if err := os.RemoveAll(ballast); err != nil {
		t.Fatal(err)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(disk, &s); err != nil {
		t.Fatal(err)
	}
	if n := int(s.Bavail)*int(s.Bsize) - room; n > 0 {
		if err := os.WriteFile(ballast, make([]byte, n), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
