package oneshot

import (
	"math"
	"slices"
	"testing"

	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// over is edged with cells of another space, which are stacked: one normal cell of four channels and two that reduce.
func over(t testing.TB, s *search.Space, e search.MixedEdge) *Problem {
	t.Helper()
	return problem(t, s, supernet.Options{Channels: 4, Cells: 3, Batch: batch, Edge: e})
}

// TestSpaces: every method makes a step in every space of cells, those whose edges have different candidates among them: each
// row of α moves, and what is derived takes from each edge a candidate that it has.
func TestSpaces(t *testing.T) {
	if testing.Short() {
		t.Skip("searches")
	}
	for _, space := range []*search.Space{
		search.DARTS(), search.RobustDARTS1(), search.RobustDARTS2(), search.RobustDARTS3(), search.RobustDARTS4(),
	} {
		t.Run(space.Name, func(t *testing.T) {
			for name, m := range variants(t) {
				p := over(t, space, Edge(m, Auxiliary{}))
				c := course(1)
				c.Steps = 1
				s, err := New(m, p, c)
				if err != nil {
					t.Fatal(err)
				}
				before := slices.Clone(s.Alpha.Value)
				if err := s.Begin(0, 0); err != nil {
					t.Fatal(err)
				}
				if _, err := s.Step(); err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				for k, cell := range space.Cells {
					for e, edge := range cell.Edges {
						row := s.alpha.Row(k, e)
						for i, v := range row.Of(s.Alpha.Value) {
							if moved := v != row.Of(before)[i]; moved != (name != "random-ws") || math.IsNaN(float64(v)) {
								t.Errorf("%s: α of %s on edge %d→%d of the %s cell is %v, was %v", name, edge.Primitives[i], edge.From, edge.To, cell.Name, v, row.Of(before)[i])
							}
						}
					}
				}
				g, err := s.Choose(t.Context(), func(string, int, int) {})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				n := 0
				for _, w := range OneHot(space, g) { // panics where an edge lacks the operation
					n += int(w)
				}
				if n != 16 {
					t.Errorf("%s: %d operations, want two into each of four nodes of two cells: %v", name, n, g)
				}
			}
		})
	}
}

// TestGDASExecutesOne: in a step of GDAS on the space of DARTS, weights of one candidate of each edge move by their gradients,
// and those of all others, though they are not numbers, are not looked at.
func TestGDASExecutesOne(t *testing.T) {
	space := search.DARTS()
	s, err := New(configure(t, "gdas"), over(t, space, search.MixedEdge{}), course(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(0, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.feed.Next(TrainSplit); err != nil {
		t.Fatal(err)
	}
	b := s.feed.Batch(TrainSplit)
	pass := supernet.Pass{Params: s.W.params, Alpha: s.Alpha.Value, Gate: s.gate, Images: b.X, Labels: b.Labels, Statistics: nn.BatchStatistics}
	want, err := s.net.Gradient(nil, nil, pass)
	if err != nil {
		t.Fatal(err)
	}
	drawn := slices.Clone(s.net.Mixture())
	counts := map[float64]int{}
	for k, cell := range space.Cells {
		for e := range cell.Edges {
			sum := 0.0
			for _, w := range s.alpha.Row(k, e).Of(drawn) {
				sum += float64(w)
				counts[float64(w)]++
			}
			if sum != 1 {
				t.Errorf("edge %d of the %s cell has weights %v", e, cell.Name, s.alpha.Row(k, e).Of(drawn))
			}
		}
	}
	if counts[1] != space.Edges() || counts[0] != space.Weights()-space.Edges() {
		t.Errorf("weights are %v", counts)
	}
	spoiled := 0
	for _, part := range s.net.Layout.Parts() {
		cell, edge, op, ok := candidateOf(part.Name)
		if !ok {
			continue
		}
		kind := min(cell, 1) // the first cell is normal, the others reduce
		if s.alpha.Row(kind, edge).Of(drawn)[op] == 0 {
			spoiled++
			for i := range part.Of(s.W.Value) {
				part.Of(s.W.Value)[i] = nn.Float(math.NaN())
			}
		}
	}
	pass.Alpha, pass.Gate = drawn, supernet.Direct{}
	if got, err := s.net.Gradient(nil, nil, pass); err != nil || got != want || spoiled == 0 {
		t.Errorf("with %d tensors of other candidates spoiled the loss is %v, was %v (%v)", spoiled, got.Loss, want.Loss, err)
	}
}
