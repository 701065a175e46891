//go:build unix

package main

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"espalier/experiment"
	"espalier/nn"
	"espalier/train"
)

// searchOf are the arguments of a small search.
func searchOf(method, root string, more ...string) []string {
	return append([]string{
		"search", "--quiet", "--runs", root, "--method", method, "--space", "nas-bench-201", "--epochs", "8",
		"--set", "data.name=synthetic", "--set", "data.train=96", "--set", "search.channels=4", "--set", "search.cells=1",
		"--set", "search.batch=16",
	}, more...)
}

// searchAlone is what a search leaves if nothing happens to it, and how long it takes.
func searchAlone(t *testing.T, method string) (all map[string]string, took time.Duration) {
	t.Helper()
	if unsafe.Sizeof(nn.Float(0)) == 8 {
		t.Skip("files hold single precision: in double, a resumed run has other bits")
	}
	root, began := t.TempDir(), time.Now()
	if _, stderr, code := espalier(t, searchOf(method, root)...); code != exitOK {
		t.Fatalf("%s: code %d: %s", method, code, stderr)
	}
	return tree(t, root), time.Since(began)
}

// TestKilledSearch kills searches with a signal that no process can handle, at random moments, and starts them again, until
// they end: α, all weights, optimizers, streams, running statistics and files are those of a search that was left alone, bit
// for bit. That by two sets of weights is killed most.
//
//	go test ./cmd/espalier -run TestKilledSearch -kills 200 -kill-seed 7
func TestKilledSearch(t *testing.T) {
	number := *kills
	if testing.Short() {
		number = min(number, 4)
	}
	for method, number := range map[string]int{"rarts": number, "gdas": max(1, number/5), "random-ws": max(1, number/5)} {
		t.Run(method, func(t *testing.T) { killSearches(t, method, number) })
	}
}

func killSearches(t *testing.T, method string, number int) {
	want, whole := searchAlone(t, method)
	random := rand.New(rand.NewPCG(*killSeed, 1))
	for killed := 0; killed < number; {
		root := filepath.Join(t.TempDir(), "runs")
		for tries := 0; ; tries++ {
			victim := exec.Command(os.Args[0], searchOf(method, root)...)
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

// TestMinutes cuts a search by its time again and again: each time it stores the step that it is at, and ends at last in the
// bits of one that had the time.
func TestMinutes(t *testing.T) {
	want, _ := searchAlone(t, "rarts")
	root := t.TempDir()
	last := 0
	for cuts := 0; ; cuts++ {
		_, stderr, code := espalier(t, searchOf("rarts", root, "--minutes", fmt.Sprint(1e-3*float64(1+cuts)))...)
		if code != exitOK {
			t.Fatalf("code %d: %s", code, stderr)
		}
		a, err := train.ReadAccount(runDir(t, root, train.StatusFile))
		if err != nil {
			t.Fatal(err)
		}
		if a.Status == train.Finished {
			if last == 0 {
				t.Error("the time was never up within the search")
			}
			break
		}
		const steps = 3 // of an epoch
		step := a.Position.Epoch*steps + a.Position.Step
		if a.Status != train.Interrupted || step < last {
			t.Fatalf("cut %d: %v at step %d, before at %d", cuts, a.Status, step, last)
		}
		last = step
	}
	// A cut in the last epoch leaves its checkpoint as the one before the last, where an epoch's end stands otherwise.
	earlier := func(path string, _ string) bool {
		return strings.Contains(path, "checkpoints/") && !strings.Contains(path, "epoch-0008-step-000000")
	}
	got := tree(t, root)
	maps.DeleteFunc(got, earlier)
	maps.DeleteFunc(want, earlier)
	if !slices.ContainsFunc(slices.Collect(maps.Keys(want)), func(path string) bool { return strings.Contains(path, "checkpoints/") }) {
		t.Error("no last checkpoint is compared")
	}
	sameTree(t, got, want)
}

// TestDivergedSearch: an α that is not finite ends the search with a line that says where, and no genotype is written.
func TestDivergedSearch(t *testing.T) {
	if unsafe.Sizeof(nn.Float(0)) == 8 {
		t.Skip("what is too large for single precision is not for double")
	}
	root := t.TempDir()
	refused(t, exitFailed, "alpha", searchOf("rarts", root, "--set", "search.alpha_lr=1e39"))
	dir := runDir(t, root, train.StatusFile)
	if a, err := train.ReadAccount(dir); err != nil || a.Status != train.Failed || !strings.Contains(a.Error, "alpha") {
		t.Errorf("the search is %+v, %v", a, err)
	}
	if exists(filepath.Join(dir, experiment.GenotypeFile)) {
		t.Error("a genotype was written")
	}
	if out, _, _ := espalier(t, "ls", root); !strings.Contains(out, "failed") {
		t.Errorf("ls does not say so:\n%s", out)
	}
}
