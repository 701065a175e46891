package experiment

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"espalier/prune"
	"espalier/results"
	"espalier/train"
)

// small is a run of a few steps on the synthetic set.
func small(t *testing.T, assignments ...string) Config {
	t.Helper()
	c, err := Load("", append(strings.Fields(`
		name=small model.name=resnet8 model.width=0.25 data.name=synthetic data.train=96 data.validation=64
		train.epochs=2 train.batch=32 train.lr=0.05 prune.method=magnitude prune.sparsity=0.5,0.9 prune.epochs=1`),
		assignments...))
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// watch calls f for every event.
type watch func(train.Event)

func (w watch) Observe(e train.Event) { w(e) }

// TestStages trains and prunes, and asks that the files tell one story: counts, zeros where the mask has them, the same
// accuracy when the saved model is read back, and nothing done twice.
func TestStages(t *testing.T) {
	steps := 0
	lab := &Lab{Runs: t.TempDir(), Watch: func(string) train.Observer {
		return watch(func(e train.Event) {
			if _, ok := e.(train.Stepped); ok {
				steps++
			}
		})
	}}
	c := small(t)
	run, err := lab.Prune(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2*3 + 2*1*3; steps != want {
		t.Errorf("%d steps, want %d", steps, want)
	}
	dense, err := lab.Train(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := lab.Prune(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if steps != 12 || !reflect.DeepEqual(again, run) {
		t.Errorf("complete stages were repeated: %d steps", steps)
	}
	e, err := lab.Evaluate(t.Context(), dense.Path, c)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(float64(e.Accuracy-dense.Outcome.TestAcc)) > 1e-6 || e.Loss != dense.Outcome.TestLoss || e.Images != 1000 || e.Params != dense.Outcome.Params {
		t.Errorf("the saved model gives %+v, training gave %+v", e, dense.Outcome)
	}
	if !dense.Outcome.ValAcc.Measured() || dense.Outcome.BestEpoch < 1 {
		t.Errorf("no best epoch in %+v", dense.Outcome)
	}
	if len(run.Pruned) != 2 || !run.Finished() || run.Status != train.Finished {
		t.Fatalf("pruned networks: %+v", run.Pruned)
	}
	for i, sparsity := range c.Prune.Sparsity {
		r := run.Pruned[i]
		dir := filepath.Join(run.Path, StageName(sparsity))
		net, _, err := train.ReadModel(filepath.Join(dir, ModelFile))
		if err != nil {
			t.Fatal(err)
		}
		mask, err := prune.Load(filepath.Join(dir, MaskFile), net.Params.Layout)
		if err != nil {
			t.Fatal(err)
		}
		if err := mask.CheckDensity(sparsity); err != nil {
			t.Error(err)
		}
		for k, keep := range mask.Values() {
			if w := net.Params.Values[k]; keep == 0 && (w != 0 || math.Signbit(float64(w))) {
				t.Fatalf("sparsity %v: removed weight %d is %v after fine-tuning", sparsity, k, w)
			}
		}
		e, err := lab.Evaluate(t.Context(), dir, c)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(float64(e.Accuracy-r.TestAcc)) > 0.005 || r.Kept != mask.Kept() || e.Weights != r.Total || e.Zeros < r.Total-r.Kept {
			t.Errorf("sparsity %v: table %+v, model %+v", sparsity, r, e)
		}
	}
	found, err := Find(lab.Runs)
	if err != nil || len(found) != 2 {
		t.Errorf("found %d runs, %v", len(found), err)
	}
}

// TestInterrupted stops in the middle of the training, and again in the middle of the second fine-tuning, and asks for the
// bytes of a run that was left alone.
func TestInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("trains four times")
	}
	c := small(t)
	whole, broken := &Lab{Runs: t.TempDir()}, &Lab{Runs: t.TempDir()}
	if _, err := whole.Prune(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{4, 4 + 6} { // steps done by this process: the rest of training is 2, of the first network 3
		ctx, cancel := context.WithCancel(t.Context())
		steps := 0
		broken.Watch = func(string) train.Observer {
			return watch(func(e train.Event) {
				if _, ok := e.(train.Stepped); ok {
					if steps++; steps == at {
						cancel()
					}
				}
			})
		}
		_, err := broken.Prune(ctx, c)
		if stopped := (*Interrupted)(nil); !errors.As(err, &stopped) && at == 4 {
			t.Fatalf("after step %d: %v, want *Interrupted", at, err)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
	broken.Watch = nil
	if _, err := broken.Prune(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{
		filepath.Join(c.Dense().Dir(""), ModelFile),
		filepath.Join(c.Dense().Dir(""), train.MetricsFile),
		filepath.Join(c.Dir(""), StageName(0.5), ModelFile),
		filepath.Join(c.Dir(""), StageName(0.9), ModelFile),
		filepath.Join(c.Dir(""), PrunedFile),
	} {
		a, err := os.ReadFile(filepath.Join(whole.Runs, file))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(broken.Runs, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs after two interruptions", file)
		}
	}
}

func TestStageErrors(t *testing.T) {
	lab := &Lab{Runs: t.TempDir()}
	for want, c := range map[string]Config{
		"method is none": small(t, "prune.method=none"),
		"is not there":   small(t, "data.name=folder", "data.dir=/nowhere/at/all"),
	} {
		if _, err := lab.Prune(t.Context(), c); err == nil {
			t.Errorf("want an error about %q", want)
		} else if want == "method is none" && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := lab.Evaluate(t.Context(), t.TempDir(), small(t)); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("an empty directory: %v", err)
	}
}

// TestQuickstart: both presets are valid, share their dense network, and give every method the same number of epochs.
func TestQuickstart(t *testing.T) {
	for _, data := range []string{"synthetic", "cifar10"} {
		for _, slow := range []bool{false, true} {
			m := Quickstart(data, "magnitude", slow)
			if len(m.Prune.Sparsity) != 5 {
				t.Errorf("%d sparsities, want 5", len(m.Prune.Sparsity))
			}
			for _, o := range []Config{m, Quickstart(data, "bip", slow), Quickstart(data, "random", slow)} {
				if err := o.Validate(); err != nil {
					t.Error(err)
				}
				if o.Prune.Method != "magnitude" && o.Hash() == m.Hash() || m.Dense().Hash() != o.Dense().Hash() {
					t.Error("the methods do not share one dense network")
				}
				if o.Epochs() != m.Epochs() {
					t.Errorf("%s trains for %d epochs, magnitude for %d", o.Prune.Method, o.Epochs(), m.Epochs())
				}
			}
		}
	}
}

func TestPrunedTable(t *testing.T) {
	rows := []Pruned{{0.5, 10, 20, 300, results.NotMeasured(), 45.25, 50}, {0.9, 2, 20, 0, 1, 2, 3}}
	file := filepath.Join(t.TempDir(), PrunedFile)
	var b strings.Builder
	if err := writePruned(&b, rows); err != nil {
		t.Fatal(err)
	}
	write(t, file, b.String())
	back, err := readPruned(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(back) != 2 || back[0].OneShot.Measured() || back[0].ValAcc != 45.25 || back[1] != rows[1] {
		t.Errorf("got %+v", back)
	}
	for _, bad := range []string{"", "a,b\n", "sparsity,kept,total,one_shot_val_acc,val_acc,test_acc\n0.5,30,20,,,\n",
		"sparsity,kept,total,one_shot_val_acc,val_acc,test_acc\n0.5,x,20,,,\n"} {
		write(t, file, bad)
		if _, err := readPruned(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
