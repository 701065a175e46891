package experiment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"espalier/prune"
	"espalier/train"
)

// methodRun is a run of a few steps by a method.
func methodRun(t *testing.T, name string, assignments ...string) Config {
	return small(t, append([]string{
		"prune.method=" + name, "prune.sparsity=0.36", "prune.masking=2", "prune.upper=0.34", "train.epochs=3", "omp.epoch=1", "imp.epoch=1",
		"gmp.every=1", "synflow.rounds=5",
	}, assignments...)...)
}

// TestMethods runs every method of the table, and asks of each the number of weights, a mask and a model that agree, and that
// an interruption in the middle changes no bit.
func TestMethods(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	for _, e := range prune.Methods() {
		t.Run(e.Name, func(t *testing.T) {
			c := methodRun(t, e.Name)
			lab := &Lab{Runs: t.TempDir()}
			whole, err := lab.Make(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			p := whole.Pruned[0]
			if p.Kept != int(float64(p.Total)*.64+.5) || p.Passes == 0 || !p.TestAcc.Measured() || !whole.Finished() {
				t.Errorf("%+v", p)
			}
			if done, total := whole.Epochs(); done != total {
				t.Errorf("%d of %d epochs", done, total)
			}
			steps := 0
			other := &Lab{Runs: t.TempDir()}
			for {
				ctx, cancel := context.WithCancel(t.Context())
				other.Watch = func(string) train.Observer {
					return watch(func(e train.Event) {
						if _, ok := e.(train.Stepped); ok {
							if steps++; steps%4 == 0 {
								cancel()
							}
						}
					})
				}
				_, err := other.Make(ctx, c)
				cancel()
				if interrupted := (*Interrupted)(nil); !errors.As(err, &interrupted) {
					if err != nil {
						t.Fatal(err)
					}
					break
				}
			}
			if steps < 8 {
				t.Fatalf("%d steps: nothing was interrupted", steps)
			}
			for _, file := range []string{MaskFile, ModelFile} {
				name := filepath.Join(StageName(.36), file)
				if !slices.Equal(bytesOf(t, filepath.Join(c.Dir(lab.Runs), name)), bytesOf(t, filepath.Join(c.Dir(other.Runs), name))) {
					t.Errorf("%s differs after interruptions", name)
				}
			}
			if !slices.Equal(bytesOf(t, filepath.Join(c.Dir(lab.Runs), PrunedFile)), bytesOf(t, filepath.Join(c.Dir(other.Runs), PrunedFile))) {
				t.Errorf("the table differs after interruptions")
			}
		})
	}
}

func bytesOf(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLevels: the two levels of BiP share the training images 80 to 20, or have all with prune.upper 0; every other method
// sees all of them, and so does fine-tuning.
func TestLevels(t *testing.T) {
	j, err := new(Lab).job(methodRun(t, "bip"))
	if err != nil {
		t.Fatal(err)
	}
	all := j.split.Indices(trainShare)
	for _, e := range prune.Methods() {
		m, err := methodRun(t, e.Name).method()
		if err != nil {
			t.Fatal(err)
		}
		for _, j.Prune.Upper = range []float64{0, 0.2} {
			lower, masks := j.levels(m)
			both := slices.Sorted(slices.Values(slices.Concat(lower, masks)))
			if e.Name == "bip" && j.Prune.Upper > 0 {
				if len(masks) != (len(all)+2)/5 || !slices.Equal(both, slices.Sorted(slices.Values(all))) {
					t.Errorf("%s, upper %v: %d images for weights and %d for masks of %d", e.Name, j.Prune.Upper, len(lower), len(masks), len(all))
				}
			} else if !slices.Equal(lower, all) || !slices.Equal(masks, all) {
				t.Errorf("%s, upper %v: %d images for weights and %d for masks, want all %d", e.Name, j.Prune.Upper, len(lower), len(masks), len(all))
			}
		}
	}
}

// TestMaskTraining: the training of a mask leaves its record, and the cost counts it.
func TestMaskTraining(t *testing.T) {
	c := methodRun(t, "bip", "prune.epochs=0")
	lab := &Lab{Runs: t.TempDir()}
	r, err := lab.Make(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	// 63 images for weights make one batch of 32; three moves of the weights and one of the scores are four passes.
	if len(r.Maskings) != 1 || r.Pruned[0].Passes != 2*4 {
		t.Fatalf("%d trainings of masks, %d passes", len(r.Maskings), r.Pruned[0].Passes)
	}
	if n := len(r.Maskings[0].Records.Column("mask_changed")); n != 2 {
		t.Errorf("%d epochs of changes", n)
	}
	if r.Pruned[0].OneShot != r.Pruned[0].ValAcc {
		t.Errorf("%+v without fine-tuning", r.Pruned[0])
	}
}

// TestNeeds: what runs start from, by their hashes; a ladder of rounds is a chain.
func TestNeeds(t *testing.T) {
	for name, want := range map[string]int{"omp": 1, "bip": 1, "hydra": 1, "gmp": 1, "snip": 0, "grasp": 0, "synflow": 0, "random": 1, "imp": 2} {
		if got := len(methodRun(t, name).Needs()); got != want {
			t.Errorf("%s needs %d runs, want %d", name, got, want)
		}
	}
	c := methodRun(t, "imp", "prune.sparsity=0.36")
	before := c.Needs()[0]
	if before.Prune.Sparsity[0] != .2 || before.Needs()[0].Hash() != c.Dense().Hash() {
		t.Errorf("before the second round stands %v", before.Prune.Sparsity)
	}
	if early := c.Needs()[1]; early.Train.Stop != 1 || early.Hash() == c.Dense().Hash() || early.Epochs() != 1 {
		t.Errorf("early is %+v", early.Train)
	}
	if n := len(methodRun(t, "omp", "omp.rewind=step").Needs()); n != 2 {
		t.Errorf("omp with rewinding needs %d runs", n)
	}
}

// TestEarly: the weights of a training that stops early are those of the whole training at that time.
func TestEarly(t *testing.T) {
	c := small(t).Dense()
	whole, stopped := &Lab{Runs: t.TempDir()}, &Lab{Runs: t.TempDir()}
	if _, err := stopped.Make(t.Context(), c.Early(1)); err != nil {
		t.Fatal(err)
	}
	r, err := whole.Make(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	early, err := stopped.find(c.Early(1))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := early.Trainings[0].Records.Column("train_loss"), r.Trainings[0].Records.Column("train_loss")[:1]; !slices.Equal(got, want) {
		t.Errorf("losses %v, want %v", got, want)
	}
	if early.Outcome.TestAcc.Measured() {
		t.Error("an early network was tested")
	}
}

// TestRewinds: under OMP's mask, training begins with the trained weights for the epochs of fine-tuning, or with those of the
// seed or of early in the dense training, for the epochs that were left to the dense network from there.
func TestRewinds(t *testing.T) {
	lab := &Lab{Runs: t.TempDir()}
	for _, c := range []struct {
		rewind string
		epochs int
	}{{prune.RewindRate, 1}, {prune.RewindInitial, 3}, {prune.RewindStep, 2}} {
		config := methodRun(t, "omp", "omp.rewind="+c.rewind, "prune.epochs=1")
		m, err := config.method()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range config.Needs() {
			if _, err := lab.Make(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		j, err := lab.job(config)
		if err != nil {
			t.Fatal(err)
		}
		mask, _, err := lab.mask(t.Context(), nil, j, m, .36)
		if err != nil {
			t.Fatal(err)
		}
		want := j.net.Params.Clone()
		switch c.rewind {
		case prune.RewindRate:
			err = lab.read(config.Dense(), want)
		case prune.RewindInitial:
			want.Init(config.Seed)
		case prune.RewindStep:
			err = lab.read(config.Early(1), want)
		}
		if err != nil {
			t.Fatal(err)
		}
		mask.Apply(want.Values)
		if !slices.Equal(j.net.Params.Values, want.Values) || mask.Kept() == len(want.Values) {
			t.Errorf("%s: training under the mask begins with other weights", c.rewind)
		}
		if got := config.tuning(m).epochs; got != c.epochs {
			t.Errorf("%s: %d epochs under the mask, want %d", c.rewind, got, c.epochs)
		}
	}
}

// TestOptions: settings of methods are settings like others, but count for the identity of runs of that method alone.
func TestOptions(t *testing.T) {
	bip := small(t, "prune.method=bip")
	tuned := small(t, "prune.method=bip", "bip.gamma=1e4", "bip.ridge=1e-4")
	if bip.Hash() == tuned.Hash() || small(t, "bip.gamma=1e4").Hash() != small(t).Hash() {
		t.Error("a method's setting does not count where it should, or does where it should not")
	}
	if small(t, "prune.method=bip", "bip.gamma=10000").Hash() != small(t, "prune.method=bip", "bip.gamma=1e4").Hash() {
		t.Error("10000 and 1e4 differ")
	}
	if small(t, "prune.method=bip", "bip.mask_lr=0.1").Hash() != bip.Hash() {
		t.Error("a setting at its default changes the hash")
	}
	var again Config = Default()
	if err := again.Read(strings.NewReader(string(tuned.YAML())), "x"); err != nil || again.Hash() != tuned.Hash() {
		t.Errorf("%s reads as another run: %v", tuned.YAML(), err)
	}
	c := Default()
	for assignment, want := range map[string]string{
		"bip.gama=1":    `the nearest is "bip.gamma"`,
		"bip.gamma=x":   `"x" is not a number`,
		"bip.gamma=-1":  "above 0",
		"imp.rewind=no": "step, initial or rate",
	} {
		if err := c.Set(assignment); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", assignment, err)
		}
	}
}

func TestMethodRefused(t *testing.T) {
	for want, set := range map[string]string{
		"which no number of rounds of imp reaches; the nearest is 0.488": "prune.method=imp prune.sparsity=0.5 imp.rewind=initial",
		"imp.epoch is 3":                       "prune.method=imp imp.epoch=3",
		"prune.weights is":                     "prune.method=bip prune.weights=initial",
		"prune.upper is 1":                     "prune.upper=1",
		"train.stop is 9":                      "train.stop=9",
		"empties 8 layers, conv1.weight first": "prune.method=random prune.sparsity=0.999",
	} {
		c, err := Load("", append(strings.Fields(`name=small model.name=resnet8 model.width=0.25 data.name=synthetic data.train=96
			train.epochs=1 train.batch=32 prune.method=magnitude prune.sparsity=0.36 train.warmup=0 omp.epoch=1`), strings.Fields(set)...))
		if err == nil {
			err = c.Validate()
		}
		if err == nil {
			_, err = (&Lab{Runs: t.TempDir()}).Make(t.Context(), c)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", set, err, want)
		}
	}
}
