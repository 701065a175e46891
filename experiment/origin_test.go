package experiment

import (
	"math"
	"strings"
	"testing"

	"espalier/train"
)

// found trains, on 64 images, what a search on 96 finds.
func found(t *testing.T, set ...string) Config {
	t.Helper()
	c, err := Load("", append(strings.Fields(`
		data.name=synthetic data.train=64 model.name=derived model.from=search model.channels=4 model.cells=1
		train.epochs=1 train.warmup=0 train.batch=16 search.method=darts search.images=96 search.space=nas-bench-201
		search.channels=4 search.cells=1 search.epochs=1 search.batch=16`), set...))
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTrainFound: what a search finds is trained on the images of the training, and the search is made once.
func TestTrainFound(t *testing.T) {
	steps := map[string]int{}
	lab := &Lab{Runs: t.TempDir(), Watch: func(task string) train.Observer {
		return watch(func(e train.Event) {
			if _, ok := e.(train.Stepped); ok {
				steps[task]++
			}
		})
	}}
	c := found(t)
	if s := c.SearchAlone(); s.Data.Train != 96 || !s.Searches() || c.Searches() || c.Epochs() != 1 {
		t.Errorf("the search alone has %d images", s.Data.Train)
	}
	if plain := found(t, "model.from=genotype", "model.genotype=DARTS_V2"); plain.Hash() == c.Hash() {
		t.Error("model.from is not part of the identity")
	}
	needs := c.Needs()
	if len(needs) != 1 || needs[0].Hash() != c.SearchAlone().Hash() {
		t.Fatalf("needs %v", needs)
	}
	r, err := lab.Make(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if steps["training"] != 4 || steps["search by darts"] != 3 {
		t.Errorf("steps %v, want 4 of the training on 64 images and 3 of the search on 96", steps)
	}
	search, err := Open(needs[0].Dir(lab.Runs))
	if err != nil || !search.Finished() {
		t.Fatalf("the search is not in its directory: %v", err)
	}
	if r.Config.Model.Genotype != search.Genotype.String() || !r.Finished() || !r.Dense() || r.Outcome.Params == 0 || r.Outcome.MACs == 0 {
		t.Errorf("trained %+v of %v", r.Outcome, search.Genotype)
	}
	if _, err := lab.Make(t.Context(), c); err != nil || steps["training"] != 4 || steps["search by darts"] != 3 {
		t.Errorf("made again: steps %v, %v", steps, err)
	}
	// Another training of the same cell has the same search.
	if _, err := lab.Make(t.Context(), found(t, "train.lr=0.01")); err != nil || steps["training"] != 8 || steps["search by darts"] != 3 {
		t.Errorf("another training: steps %v, %v", steps, err)
	}
}

// TestRandomCells: draws differ, come again, and have the parameters.
func TestRandomCells(t *testing.T) {
	lab := &Lab{Runs: t.TempDir()}
	seen := map[string]bool{}
	for _, draw := range []string{"1", "2", "3", "3"} {
		c := found(t, "model.from=random", "search.method=none", "search.space=darts", "model.cells=3", "model.params=16000", "model.draw="+draw)
		s, err := lab.Settled(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if s.Made() || s.Validate() != nil || s.Search != Default().Search {
			t.Fatalf("settled as %s", s.YAML())
		}
		seen[s.Model.Genotype] = true
		j, err := lab.job(s)
		if err != nil {
			t.Fatal(err)
		}
		if n := j.net.Cost().Params; math.Abs(float64(n)-16000) > 1600 {
			t.Errorf("draw %s has %d parameters", draw, n)
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d cells in three draws", len(seen))
	}
	c := found(t, "model.from=random", "search.method=none", "search.space=darts", "model.cells=3", "model.params=100", "model.draw=1")
	if _, err := lab.Settled(t.Context(), c); err == nil || !strings.Contains(err.Error(), "fewer than model.draw") {
		t.Errorf("100 parameters: %v", err)
	}
}

func TestOriginRefused(t *testing.T) {
	for _, set := range []string{"search.method=none", "model.name=resnet8", "model.from=random", "prune.method=magnitude", "search.images=-1"} {
		c := found(t)
		if err := c.Set(set); err == nil && c.Validate() == nil {
			t.Errorf("%s was not refused", set)
		}
	}
}
