//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"espalier/internal/atomicfile"
)

// TestEveryRename lets the first rename of each file of a study fail, and some later ones: it stops with one line, no cell
// counts as failed, and the same command ends at last in the bits of a study that was left alone.
func TestEveryRename(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	file := studyFile(t, strings.Replace(killStudy, "train: 512", "train: 192", 1))
	want := leftAlone(t, file)
	const seed = 1
	random := rand.New(rand.NewPCG(seed, 0))
	root, renamed := t.TempDir(), make(map[string]bool)
	var failed string // in the running process
	defer atomicfile.Disturb(func(s atomicfile.Step, path string) error {
		if s != atomicfile.Rename || filepath.Ext(path) == ".svg" { // of drawings, which take long, half are enough
			return nil
		}
		if renamed[path] && random.IntN(40) > 0 {
			return nil
		}
		renamed[path], failed = true, path
		return &os.LinkError{Op: "rename", Old: path, New: path, Err: syscall.ENOSPC}
	})()
	stopped := 0
	for ; ; stopped++ {
		failed = ""
		stdout, stderr, code := espalier(t, studyArgs(file, root)...)
		if code == exitOK && failed == "" {
			break
		}
		if code != exitBlocked || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "no space left") || stdout != "" {
			t.Fatalf("seed %d, stop %d, at %s: code %d, %q%s", seed, stopped, failed, code, stderr, stdout)
		}
	}
	if stopped < len(renamed) || len(renamed) < 30 {
		t.Errorf("stopped %d times at %d files", stopped, len(renamed))
	}
	t.Logf("stopped %d times, at %d files", stopped, len(renamed))
	sameTree(t, tree(t, root), want)
}
