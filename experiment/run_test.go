package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"espalier/train"
)

// TestStatus follows a pruning run from its first step to its end, and looks at it as another process would.
func TestStatus(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	c := small(t, "data.validation=0")
	lab := &Lab{Runs: t.TempDir()}
	look := func(what string, status train.Status, done, total int) {
		t.Helper()
		r, err := Open(c.Dir(lab.Runs))
		if err != nil {
			t.Fatal(err)
		}
		if d, n := r.Epochs(); r.Status != status || d != done || n != total {
			t.Errorf("%s: %s, %d of %d epochs, want %s, %d of %d", what, r.Status, d, n, status, done, total)
		}
		b, err := json.Marshal(r)
		var back struct {
			Status train.Status
			Config struct{ Train map[string]any }
			Pruned []map[string]any
		}
		if err == nil {
			err = json.Unmarshal(b, &back)
		}
		if err != nil || back.Status != status || back.Config.Train["batch"] != 32. || len(back.Pruned) != len(r.Pruned) {
			t.Errorf("%s: %s, %v", what, b, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	steps := 0
	lab.Watch = func(title string) train.Observer {
		return watch(func(e train.Event) {
			if _, ok := e.(train.Stepped); !ok || !strings.Contains(title, "removed") {
				return
			}
			switch steps++; steps {
			case 1:
				look("at the first step", train.Running, 0, 2)
			case 4:
				look("in the second network", train.Running, 1, 2)
				cancel()
			}
		})
	}
	if _, err := lab.Prune(ctx, c); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	look("after an interruption", train.Interrupted, 1, 2)

	account := filepath.Join(c.Dir(lab.Runs), StageName(0.9), train.StatusFile)
	b, err := os.ReadFile(account)
	if err != nil {
		t.Fatal(err)
	}
	write(t, account, strings.Replace(string(b), `"interrupted"`, `"failed", "error": "no more"`, 1))
	look("after a failure", train.Failed, 1, 2)
	if r, _ := Open(c.Dir(lab.Runs)); r.Error != "no more" {
		t.Errorf("it failed because %q", r.Error)
	}

	if _, err := lab.Prune(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	look("at the end", train.Finished, 2, 2)
}

// TestWithoutTest tunes without the test images, and then asks for them: nothing is trained again.
func TestWithoutTest(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	evaluated, steps := 0, 0
	lab := &Lab{
		Runs: t.TempDir(),
		Report: func(task string, done, total int) {
			if task == "test" && done == total {
				evaluated++
			}
		},
		Watch: func(string) train.Observer {
			return watch(func(e train.Event) {
				if _, ok := e.(train.Stepped); ok {
					steps++
				}
			})
		},
	}
	c := small(t, "data.test=false", "prune.sparsity=0.5,0.9")
	for _, test := range []bool{false, true, true, false} {
		c.Data.Test = test
		r, err := lab.Prune(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Finished() || len(r.Pruned) != 2 || test && !r.Pruned[0].TestAcc.Measured() || !r.Pruned[1].ValAcc.Measured() {
			t.Errorf("with test %v: %+v", test, r.Pruned)
		}
	}
	if want := 2*3 + 2*3; evaluated != 3 || steps != want {
		t.Errorf("%d evaluations on test images and %d steps, want 3 and %d", evaluated, steps, want)
	}
}

// TestFind has a damaged run beside a sound one.
func TestFind(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"a": "seed: 1\n", "b": "sede: 1\n", "c": "prune: {method: random}\n"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(root, name, ConfigFile), text)
	}
	runs, err := Find(root)
	if err == nil || !strings.Contains(err.Error(), filepath.Join(root, "b")) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want a line about b", err)
	}
	if len(runs) != 2 || runs[0].Status != train.Interrupted || !runs[0].Dense() || runs[1].Dense() {
		t.Errorf("%+v", runs)
	}
	if runs, err := Find(filepath.Join(root, "nowhere")); len(runs) != 0 || err != nil {
		t.Errorf("nowhere: %v, %v", runs, err)
	}
	if _, err := Open(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
}
