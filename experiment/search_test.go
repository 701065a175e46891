package experiment

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"espalier/nn"
	"espalier/search"
	"espalier/train"
)

// smallSearch searches NAS-Bench-201's space on few drawn images.
func smallSearch(t testing.TB, set ...string) Config {
	t.Helper()
	c, err := Load("", append([]string{
		"data.name=synthetic", "data.train=96", "search.space=nas-bench-201", "search.channels=4", "search.cells=1",
		"search.epochs=2", "search.batch=16", "search.method=darts",
	}, set...))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

// interrupting ends a context after so many steps.
type interrupting struct {
	steps  int
	cancel func()
}

func (o *interrupting) Observe(e train.Event) {
	if _, ok := e.(train.Stepped); ok {
		if o.steps--; o.steps == 0 {
			o.cancel()
		}
	}
}

// TestSearch: a search leaves α of all epochs and its architecture, which follow from one another, and an interrupted one the
// same files.
func TestSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("searches")
	}
	for _, method := range []string{"darts", "rarts", "pc-darts", "random-ws"} {
		c := smallSearch(t, "search.method="+method, "darts.order=1", "pc-darts.k=2", "random-ws.candidates=5")
		if method == "pc-darts" {
			c.Search.Auxiliary = "linear"
		}
		lab := &Lab{Runs: t.TempDir()}
		r, err := lab.Search(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Finished() || r.Genotype == nil || r.Status != train.Finished {
			t.Fatalf("%s: %+v", method, r)
		}
		epochs, err := search.LoadAlphas(filepath.Join(r.Path, search.AlphasFile), search.NASBench201())
		if err != nil || len(epochs) != 3 {
			t.Fatalf("%s: α of %d epochs, %v", method, len(epochs), err)
		}
		g, err := search.Derive(search.NASBench201(), search.Registry{}, epochs[2].Scores())
		if err != nil || method != "random-ws" && !g.Equal(*r.Genotype) {
			t.Errorf("%s: α stands for %v, the search found %v, %v", method, g, r.Genotype, err)
		}
		if betas := epochs[2].Beta != nil; betas != (method == "pc-darts") {
			t.Errorf("%s: has β: %v", method, betas)
		}
		if again, err := lab.Search(t.Context(), c); err != nil || !again.Finished() {
			t.Errorf("%s: a second time: %v", method, err)
		}
		if unsafe.Sizeof(nn.Float(0)) == 8 {
			continue // checkpoints hold weights in single precision
		}
		other := &Lab{Runs: t.TempDir()}
		for tries := 0; ; tries++ {
			ctx, cancel := context.WithCancel(t.Context())
			other.Watch = func(string) train.Observer { return &interrupting{2, cancel} }
			_, err := other.Search(ctx, c)
			cancel()
			if err == nil {
				break
			}
			if stopped := (*Interrupted)(nil); !errors.As(err, &stopped) || tries > 10 {
				t.Fatalf("%s: %v", method, err)
			}
		}
		kept := []string{search.AlphasFile, GenotypeFile, train.MetricsFile, ConfigFile}
		if method == "pc-darts" {
			kept = append(kept, search.BetasFile)
		}
		for _, name := range kept {
			one, err := os.ReadFile(filepath.Join(r.Path, name))
			if err != nil {
				t.Fatal(err)
			}
			two, err := os.ReadFile(filepath.Join(c.SearchAlone().Dir(other.Runs), name))
			if err != nil || !bytes.Equal(one, two) {
				t.Errorf("%s: %s differs after interruptions: %v", method, name, err)
			}
		}
	}
}

// TestSearchSettings: settings of other methods and of networks do not name a search, its own do.
func TestSearchSettings(t *testing.T) {
	hash := func(set ...string) string { return smallSearch(t, set...).SearchAlone().Hash() }
	base := hash()
	for _, same := range []string{"rarts.lambda=3", "bip.gamma=7", "train.lr=0.7", "search.memory=recompute", "darts.order=2"} {
		if hash(same) != base {
			t.Errorf("%s gives the search another name", same)
		}
	}
	for _, other := range []string{"darts.xi=0.1", "search.lr=0.1", "search.method=rarts", "data.flip=false", "search.auxiliary=cosine"} {
		if hash(other) == base {
			t.Errorf("%s does not give the search another name", other)
		}
	}
	for want, set := range map[string]string{
		"search.val": "search.val=1", "search.auxiliary": "search.auxiliary_weight=-1", "search.warmup": "search.warmup=2", "rates": "search.final_lr=1", "prune.method": "prune.method=random",
	} {
		c := smallSearch(t)
		if err := c.Set(set); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", set, err)
		}
	}
	c := smallSearch(t)
	c.Search.Batch = 64
	if _, err := (&Lab{Runs: t.TempDir()}).Search(t.Context(), c); err == nil || !strings.Contains(err.Error(), "search.batch is 64") {
		t.Errorf("got %v", err)
	}
}
