//go:build unix

package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"espalier/nn"
)

// TestKilledSearch kills a search by two sets of weights with a signal that no process can handle, at random moments, and
// starts it again, until it ends: α, all weights, optimizers, running statistics and files are those of a search that was
// left alone, bit for bit.
//
//	go test ./cmd/espalier -run TestKilledSearch -kills 200 -kill-seed 7
func TestKilledSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("searches")
	}
	const exact = 1<<24 + 1
	if nn.Float(exact) != 1<<24 {
		t.Skip("files hold single precision: in double, a resumed run has other bits")
	}
	args := func(root string) []string {
		return []string{
			"search", "--quiet", "--runs", root, "--method", "rarts", "--space", "nas-bench-201", "--epochs", "8",
			"--set", "data.name=synthetic", "--set", "data.train=96", "--set", "search.channels=4", "--set", "search.cells=1",
			"--set", "search.batch=16",
		}
	}
	alone := t.TempDir()
	began := time.Now()
	if _, stderr, code := espalier(t, args(alone)...); code != exitOK {
		t.Fatalf("code %d: %s", code, stderr)
	}
	whole := time.Since(began)
	want := tree(t, alone)
	number := *kills
	if testing.Short() {
		number = min(number, 4)
	}
	random := rand.New(rand.NewPCG(*killSeed, 1))
	for killed := 0; killed < number; {
		root := filepath.Join(t.TempDir(), "runs")
		for tries := 0; ; tries++ {
			victim := exec.Command(os.Args[0], args(root)...)
			victim.Env = append(os.Environ(), asProgram+"=1")
			if err := victim.Start(); err != nil {
				t.Skipf("a test cannot start processes here: %v", err)
			}
			if tries < 5 { // then it may end
				time.Sleep(time.Duration(random.Int64N(int64(whole))))
				if err := victim.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
			}
			if err := victim.Wait(); err == nil {
				break
			} else if victim.ProcessState.Exited() {
				t.Fatalf("seed %d: after %d kills: %v", *killSeed, killed, err)
			}
			killed++
		}
		if sameTree(t, tree(t, root), want); t.Failed() {
			t.Fatalf("seed %d, within %d kills", *killSeed, killed)
		}
	}
}
