package baseline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"espalier/internal/rng"
	"espalier/search"
	"espalier/search/nb201"
)

func open(t *testing.T, path string) *nb201.Table {
	t.Helper()
	table, err := nb201.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// oracle judges by validation accuracy after 12 epochs.
func oracle(v *nb201.Validation) Oracle {
	return func(_ context.Context, g search.Genotype) (float64, error) {
		c, err := search.NB201From(g)
		if err != nil {
			return 0, err
		}
		accuracy, ok := v.Accuracy(c, nb201.CIFAR10)
		if !ok {
			return 0, fmt.Errorf("%v is not in the table", c)
		}
		return accuracy, nil
	}
}

// some are the twenty cells of twenty.
const some = "testdata/nasbench201-20.csv"

// twenty is a part of NAS-Bench-201 with 20 cells: the edges 0→2 and 1→3 are open, the latter without none.
func twenty() *search.Space {
	s := search.NASBench201()
	s.Name = "twenty"
	e := s.Cells[0].Edges
	for i, op := range []string{"nor_conv_3x3", "", "nor_conv_3x3", "skip_connect", "", "nor_conv_3x3"} {
		if op != "" {
			e[i].Primitives = []string{op}
		}
	}
	e[4].Primitives = e[4].Primitives[1:]
	return s
}

func methods(s *search.Space, seed uint64) map[string]Method {
	return map[string]Method{
		"random":    Random{Space: s, Stream: rng.New(seed, "random")},
		"evolution": Evolution{Space: s, Stream: rng.New(seed, "evolution")},
	}
}

// TestTwenty: in a space of 20 cells, whose figures are those of the real table, a hundred evaluations find the best.
func TestTwenty(t *testing.T) {
	b := open(t, some)
	top := b.Best(nb201.C10Val12)[0]
	best := top.Value(nb201.C10Val12)
	for name, m := range methods(twenty(), 1) {
		all, err := Run(t.Context(), m, 200, oracle(b.Validation()), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, e := range all {
			seen[e.Genotype.String()] = true
		}
		if got := Best(all).Score; got != best || len(all) != 200 {
			t.Errorf("%s: best of %d is %v, want %v", name, len(all), got, best)
		}
		if len(seen) != 20 && name == "random" {
			t.Errorf("%s saw %d of 20 cells", name, len(seen))
		}
	}
}

// TestResume: a search that goes on from a part of its evaluations makes those of a search in one go.
func TestResume(t *testing.T) {
	judge := oracle(open(t, some).Validation())
	for name, m := range methods(twenty(), 3) {
		whole, err := Run(t.Context(), m, 50, judge, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		stop := errors.New("stop")
		var saved []Evaluation
		part, err := Run(t.Context(), m, 50, judge, nil, func(e Evaluation) error {
			if saved = append(saved, e); len(saved) == 23 {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) || !reflect.DeepEqual(part, saved) {
			t.Fatalf("%s: %v after %d evaluations, %d saved", name, err, len(part), len(saved))
		}
		rest, err := Run(t.Context(), methods(twenty(), 3)[name], 50, judge, saved, nil)
		if err != nil || !reflect.DeepEqual(rest, whole) {
			t.Errorf("%s: an interruption changed the search: %v", name, err)
		}
	}
}

// TestEvolution: once the population is there, an architecture differs in one edge from one of the newest, and those that
// aged out have no children.
func TestEvolution(t *testing.T) {
	s := search.NASBench201()
	e := Evolution{Space: s, Stream: rng.New(1, "evolution"), Population: 5, Tournament: 5}
	score := func(_ context.Context, g search.Genotype) (float64, error) {
		return float64(g.Normal.Count("nor_conv_3x3")), nil
	}
	all, err := Run(t.Context(), e, 200, score, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 5; i < len(all); i++ {
		if !slices.ContainsFunc(all[i-5:i], func(p Evaluation) bool { return distance(p.Genotype, all[i].Genotype) == 1 }) {
			t.Fatalf("evaluation %d has no parent among the five before it", i)
		}
	}
	if best := Best(all).Score; best != 6 {
		t.Errorf("the best cell has %v 3×3 convolutions, want 6", best)
	}
}

// distance is the number of edges in which cells differ.
func distance(a, b search.Genotype) (n int) {
	for i := range a.Normal.Edges {
		if a.Normal.Edges[i] != b.Normal.Edges[i] {
			n++
		}
	}
	return n
}

// TestShared: candidates are different, the best of the quick look are looked at again, and the second look decides.
func TestShared(t *testing.T) {
	judge := oracle(open(t, some).Validation())
	quick, whole := map[string]int{}, map[string]int{}
	count := func(to map[string]int, sign float64) Oracle {
		return func(ctx context.Context, g search.Genotype) (float64, error) {
			to[g.String()]++
			v, err := judge(ctx, g)
			return sign * v, err
		}
	}
	s := Shared{Space: twenty(), Stream: rng.New(1, "candidates"), Candidates: 15, Finalists: 4}
	got, err := s.Choose(t.Context(), count(quick, 1), count(whole, -1))
	if err != nil || len(got) != 4 || len(quick) != 15 || len(whole) != 4 {
		t.Fatalf("%d candidates, %d finalists, %d returned, %v", len(quick), len(whole), len(got), err)
	}
	score := func(text string) float64 {
		g, err := search.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		v, err := judge(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	least := math.Inf(1)
	for text := range whole {
		least = min(least, score(text))
	}
	if Best(got).Score != got[0].Score || got[0].Score != -least {
		t.Errorf("the first is %v, want the one of score %v", got[0], -least)
	}
	for text, n := range quick {
		if n != 1 {
			t.Errorf("%s was judged %d times", text, n)
		}
		if whole[text] == 0 && score(text) > least {
			t.Errorf("%s is better than a finalist and none", text)
		}
	}
	s.Candidates = 50
	if n := len(s.candidates()); n != 20 {
		t.Errorf("%d candidates of a space of 20", n)
	}
	if n := len((Shared{Space: search.DARTS(), Stream: rng.New(1)}).candidates()); n != 1000 {
		t.Errorf("%d candidates of the DARTS space", n)
	}
}

// TestUniform: over many steps, each operation of each edge is drawn equally often.
func TestUniform(t *testing.T) {
	const steps = 10000
	r := Random{Space: search.NASBench201(), Stream: rng.New(1, "steps")}
	seen := map[search.Choice]int{}
	for step := range steps {
		for _, e := range r.At(step).Normal.Edges {
			seen[e]++
		}
	}
	if len(seen) != 30 {
		t.Errorf("%d of 30 choices were drawn", len(seen))
	}
	for e, n := range seen {
		if sigma := math.Sqrt(steps * 0.2 * 0.8); !(math.Abs(float64(n)-steps*0.2) <= 4.5*sigma) {
			t.Errorf("%v was drawn %d times of %d", e, n, steps)
		}
	}
	if !r.At(7).Equal(r.At(7)) {
		t.Error("a step's architecture changes")
	}
}

func TestFails(t *testing.T) {
	m := Random{Space: twenty(), Stream: rng.New(1)}
	broken := errors.New("no images")
	if _, err := Run(t.Context(), m, 3, func(context.Context, search.Genotype) (float64, error) { return 0, broken }, nil, nil); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if all, err := Run(t.Context(), m, 3, func(context.Context, search.Genotype) (float64, error) { return math.NaN(), nil }, nil, nil); err == nil || len(all) != 0 {
		t.Errorf("a score of NaN: %v, %v", all, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	all, err := Run(ctx, m, 10, func(context.Context, search.Genotype) (float64, error) {
		if n++; n == 4 {
			cancel()
		}
		return 1, nil
	}, nil, nil)
	if !errors.Is(err, context.Canceled) || len(all) != 4 {
		t.Errorf("%d evaluations, %v", len(all), err)
	}
	if _, err := (Shared{Space: twenty(), Stream: rng.New(1)}).Choose(ctx, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Example finds the cell of NAS-Bench-201 with the most 3×3 convolutions.
func Example() {
	s := search.NASBench201()
	convolutions := func(_ context.Context, g search.Genotype) (float64, error) {
		return float64(g.Normal.Count("nor_conv_3x3")), nil
	}
	for _, m := range []Method{
		Random{Space: s, Stream: rng.New(1, "random")},
		Evolution{Space: s, Stream: rng.New(1, "evolution")},
	} {
		all, err := Run(context.Background(), m, 60, convolutions, nil, nil)
		fmt.Println(len(all), "cells; the best has", Best(all).Score, err)
	}
	// Output:
	// 60 cells; the best has 4 <nil>
	// 60 cells; the best has 5 <nil>
}
