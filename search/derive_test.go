package search

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"espalier/internal/rng"
	"espalier/nn"
)

// TestDeriveDARTS derives a known cell: the two best edges of each node in descending order, none never chosen.
func TestDeriveDARTS(t *testing.T) {
	s := DARTS()
	a := NewAlpha(s)
	set := func(cell, edge int, name string, v nn.Float) {
		e := s.Cells[cell].Edges[edge]
		a.Row(cell, edge).Of(a.Values)[slices.Index(e.Primitives, name)] = v
	}
	for cell := range 2 {
		for edge := range 14 {
			set(cell, edge, "none", 3) // the largest everywhere, and the same for all
		}
	}
	set(0, 0, "sep_conv_3x3", 1)
	set(0, 1, "sep_conv_5x5", 2)
	set(0, 3, "dil_conv_3x3", 2)
	set(0, 4, "skip_connect", 1)
	set(0, 7, "max_pool_3x3", 1)
	set(0, 8, "avg_pool_3x3", 2)
	set(0, 13, "dil_conv_5x5", 1)
	g, err := Derive(s, Registry{}, a.Softmax())
	if err != nil {
		t.Fatal(err)
	}
	const want = "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), ('skip_connect', 2), " +
		"('avg_pool_3x3', 3), ('max_pool_3x3', 2), ('dil_conv_5x5', 4), ('max_pool_3x3', 0)], normal_concat=[2, 3, 4, 5], " +
		"reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), " +
		"('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
	if got := g.String(); got != want {
		t.Errorf("derived\n%s, want\n%s", got, want)
	}
}

// TestNoneTakesItsShare checks that the softmax is over all candidates: a large none makes an edge weak.
func TestNoneTakesItsShare(t *testing.T) {
	s := DARTS()
	a := NewAlpha(s)
	for edge := 2; edge < 5; edge++ { // node 3
		row := a.Row(0, edge).Of(a.Values)
		row[4] = 2
		row[0] = nn.Float(4 - edge) // 2, 1, 0
	}
	g, err := Derive(s, Registry{}, a.Softmax())
	if err != nil {
		t.Fatal(err)
	}
	if got := g.Normal.Edges[2:4]; got[0].From != 2 || got[1].From != 1 {
		t.Errorf("node 3 keeps %+v, want its edges from nodes 2 and 1", got)
	}
}

func TestDeriveNASBench201(t *testing.T) {
	s := NASBench201()
	a := NewAlpha(s)
	for edge, op := range []int{3, 0, 4, 1, 2, 0} {
		a.Row(0, edge).Of(a.Values)[op] = 0.1
	}
	g, err := Derive(s, Registry{}, a.Softmax())
	if err != nil {
		t.Fatal(err)
	}
	const want = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
	if g.String() != want {
		t.Errorf("derived %v, want %s", g, want)
	}
	if c, err := NB201From(g); err != nil || c.String() != want {
		t.Errorf("the cell is %v, %v", c, err)
	}
}

// TestDeriveProperties checks on random α, ragged and with many ties: what a brute-force reading of the rule gives; that
// adding a constant to a row changes nothing; and that swapping two edges' rows swaps them unless they tie.
func TestDeriveProperties(t *testing.T) {
	r := rng.New(2, "derive")
	for range 300 {
		s, _ := BuiltinSpace(SpaceNames()[r.IntN(6)])
		a := NewAlpha(s)
		for i := range a.Values {
			a.Values[i] = nn.Float(r.IntN(4)) / 2 // ties are usual
		}
		scores := a.Softmax()
		g, err := Derive(s, Registry{}, scores)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range []Wiring{g.Normal, g.Reduce}[:len(s.Cells)] {
			checkDerived(t, &s.Cells[i], scores[i], w)
		}
		for c := range s.Cells {
			for e := range s.Cells[c].Edges {
				shift := nn.Float(r.IntN(5))
				for i := range a.Row(c, e).Of(a.Values) {
					a.Row(c, e).Of(a.Values)[i] += shift
				}
			}
		}
		if shifted, err := Derive(s, Registry{}, a.Softmax()); err != nil || !shifted.Equal(g) {
			t.Fatalf("a constant for each row turned %v into %v, %v", g, shifted, err)
		}
	}
}

// checkDerived compares a wiring with the rule, read edge by edge.
func checkDerived(t *testing.T, c *Cell, scores [][]float64, w Wiring) {
	t.Helper()
	type rated struct {
		op    string
		score float64
	}
	rate := func(e int) (best rated) {
		best.score = -1
		for k, name := range c.Edges[e].Primitives {
			if (c.Keep == 0 || name != "none") && scores[e][k] > best.score {
				best = rated{name, scores[e][k]}
			}
		}
		return best
	}
	kept := make(map[int]int) // edges by target
	for _, choice := range w.Edges {
		e := slices.IndexFunc(c.Edges, func(e Edge) bool { return e.From == choice.From && e.To == choice.To })
		if got := rate(e); got.op != choice.Op {
			t.Fatalf("%+v: the best operation is %+v", choice, got)
		}
		kept[choice.To]++
		if c.Keep == 0 {
			continue
		}
		better := 0 // edges that come before this one
		from, to := c.Incoming(choice.To)
		for other := from; other < to; other++ {
			if s, o := rate(e).score, rate(other).score; o > s || o == s && other < e {
				better++
			}
		}
		if better != kept[choice.To]-1 {
			t.Fatalf("%+v is number %d of its node, and stands in place %d", choice, better, kept[choice.To]-1)
		}
	}
	for node, n := range kept {
		from, to := c.Incoming(node)
		if want := c.Keep; n != want && (want > 0 || n != to-from) {
			t.Fatalf("node %d keeps %d edges", node, n)
		}
	}
	if len(kept) != c.Nodes || !slices.Equal(w.Concat, c.Concat) {
		t.Fatalf("%d nodes have edges, the output is %v", len(kept), w.Concat)
	}
}

// TestPermutedRowsTie checks that two edges whose rows are permutations of each other have equal scores, to the bit, so
// that the place breaks the tie.
func TestPermutedRowsTie(t *testing.T) {
	r := rng.New(3, "ties")
	for range 1000 {
		row := make([]nn.Float, 8)
		for i := range row {
			row[i] = nn.Float(r.NormFloat64())
		}
		p := r.Perm(8)
		permuted := make([]nn.Float, 8)
		for i, k := range p {
			permuted[i] = row[k]
		}
		a, b := softmax(row), softmax(permuted)
		sum := 0.0
		for i, k := range p {
			if b[i] != a[k] {
				t.Fatalf("softmax of %v at %d is %v, of its permutation %v", row, k, a[k], b[i])
			}
			sum += a[i]
		}
		if !(math.Abs(sum-1) < 1e-14) {
			t.Fatalf("softmax of %v adds up to %v", row, sum)
		}
	}
}

func TestDeriveErrors(t *testing.T) {
	s := DARTS()
	a := NewAlpha(s)
	a.Row(1, 3).Of(a.Values)[5] = nn.Float(math.NaN())
	_, err := Derive(s, Registry{}, a.Softmax())
	var e *ScoreError
	if !errors.As(err, &e) || e.Cell != "reduce" || e.From != 1 || e.To != 3 || !strings.Contains(err.Error(), "edge 1→3 of the reduce cell is NaN") {
		t.Errorf("NaN: %v", err)
	}
	s.Cells[0].Keep = 3
	if _, err := Derive(s, Registry{}, NewAlpha(s).Softmax()); err == nil || !strings.Contains(err.Error(), "nothing can be derived") {
		t.Error(err)
	}
	for _, scores := range []Scores{nil, {{{1}}, {{1}}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("scores of the wrong size were accepted")
				}
			}()
			_, _ = Derive(DARTS(), Registry{}, scores)
		}()
	}
}

// TestSample checks that every choice occurs about as often as it should.
func TestSample(t *testing.T) {
	const n = 6000
	r := rng.New(4, "sample")
	s := DARTS()
	from, ops := make(map[int]int), make(map[string]int)
	for range n {
		g := s.Sample(Registry{}, r)
		w := g.Normal
		if len(w.Edges) != 8 || w.Edges[6].From >= w.Edges[7].From {
			t.Fatalf("sampled %v", g)
		}
		from[w.Edges[6].From]++
		from[w.Edges[7].From]++
		ops[w.Edges[6].Op]++
	}
	for node := range 5 {
		if share := float64(from[node]) / n; !(math.Abs(share-2./5) < 4*math.Sqrt(.24/n)) {
			t.Errorf("node 5 reads node %d in %.3f of the cells, want 0.4", node, share)
		}
	}
	for _, name := range s.Cells[0].Edges[0].Primitives {
		want := 1. / 7
		if name == "none" {
			want = 0
		}
		if share := float64(ops[name]) / n; !(math.Abs(share-want) <= 4*math.Sqrt(want*(1-want)/n)) {
			t.Errorf("%s in %.3f of the cells, want %.3f", name, share, want)
		}
	}
	seen := make(map[string]bool)
	for range 40 {
		seen[NASBench201().Sample(Registry{}, r).String()] = true
	}
	if len(seen) < 39 {
		t.Errorf("%d different cells of 40", len(seen))
	}
}

func TestAlphaInit(t *testing.T) {
	a, b := NewAlpha(DARTS()), NewAlpha(DARTS())
	a.Init(rng.New(1, "alpha"), 1e-3)
	b.Init(rng.New(1, "alpha"), 1e-3)
	square := 0.0
	for _, v := range a.Values {
		square += float64(v) * float64(v)
	}
	if deviation := math.Sqrt(square / 224); len(a.Values) != 224 || !(math.Abs(deviation/1e-3-1) < 0.2) || !slices.Equal(a.Values, b.Values) {
		t.Errorf("%d values with the deviation %v", len(a.Values), deviation)
	}
}
