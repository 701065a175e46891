package oneshot

import (
	"math"
	"slices"
	"testing"

	"espalier/nn"
	"espalier/search"
)

// TestPCDARTSIsDARTS: on all channels and without edge normalization, PC-DARTS is DARTS in first order, to the bit.
func TestPCDARTSIsDARTS(t *testing.T) {
	for name, problem := range map[string]func() *Problem{
		"nas-bench-201": func() *Problem { return tiny(t) },
		"darts":         func() *Problem { return over(t, search.DARTS(), search.MixedEdge{}) },
	} {
		want := run(t, problem, configure(t, "darts", "order=1"), course(2), 0).vectors()
		got := run(t, problem, configure(t, "pc-darts", "k=1", "normalise=false"), course(2), 0).vectors()
		for key, v := range want {
			if !equal(got[key], v) {
				t.Errorf("%s: %s differs", name, key)
			}
		}
	}
}

// TestPCDARTS: both α and β move, and the architecture is that of their product.
func TestPCDARTS(t *testing.T) {
	m := configure(t, "pc-darts", "k=4")
	s := run(t, func() *Problem { return edged(t, Edge(m, Auxiliary{})) }, m, course(2), 0)
	first, last := s.AlphaAfter(0), s.AlphaAfter(2)
	if len(last.Beta) != s.Space().Edges() || len(s.Alpha.Value) != s.Space().Weights()+s.Space().Edges() {
		t.Fatalf("%d β and %d parameters in all", len(last.Beta), len(s.Alpha.Value))
	}
	for i, v := range last.Values {
		if v == first.Values[i] {
			t.Errorf("α[%d] did not move", i)
		}
	}
	single := search.NodeRows(s.Space())[0] // the only edge into its node, whose share is 1 whatever β is
	for i, v := range last.Beta {
		if alone := i == single.Offset; !alone && v == first.Beta[i] {
			t.Errorf("β[%d] did not move", i)
		}
	}
	want, err := search.Derive(s.Space(), s.Primitives(), last.Scores())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Choose(t.Context(), nil); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if _, err := New(m, tiny(t), course(1)); err == nil {
		t.Error("a supernet of other edges is taken")
	}
}

// TestAuxiliaryFades: its weight falls as it says to 0 in the last epoch, and a skip of weight 0 leaves every bit as it is
// without one.
func TestAuxiliaryFades(t *testing.T) {
	for decay, want := range map[string][]float64{
		"": {0, 0, 0}, "none": {0, 0, 0}, "linear": {0.8, 0.4, 0}, "cosine": {0.8, 0.4, 0},
	} {
		a := Auxiliary{Decay: decay, Weight: 0.8}
		for e, v := range want {
			if got := a.At(e, 3); !(math.Abs(got-v) <= 1e-15) {
				t.Errorf("%q: %v in epoch %d, want %v", decay, got, e+1, v)
			}
		}
	}
	if a := (Auxiliary{Decay: "cosine", Weight: 1}); !(math.Abs(a.At(1, 4)-0.75) <= 1e-15) || a.At(0, 1) != 1 {
		t.Errorf("cosine: %v, %v", a.At(1, 4), a.At(0, 1))
	}
	m := configure(t, "darts")
	c := course(2)
	plain := run(t, func() *Problem { return tiny(t) }, m, c, 0)
	with := func(weight float64) *Search {
		c.Auxiliary = Auxiliary{Decay: "linear", Weight: weight}
		return run(t, func() *Problem { return edged(t, Edge(m, c.Auxiliary)) }, m, c, 0)
	}
	if s := with(0); !slices.Equal(s.Alpha.Value, plain.Alpha.Value) || !slices.Equal(s.W.Value, plain.W.Value) {
		t.Error("a skip of weight 0 changes the search")
	}
	if s := with(0.5); slices.Equal(s.Alpha.Value, plain.Alpha.Value) {
		t.Error("a skip of weight 0.5 changes nothing")
	}
}

// TestAuxiliaryJudged: architectures are judged without the skip, whatever its weight was.
func TestAuxiliaryJudged(t *testing.T) {
	m := configure(t, "gdas")
	c := course(1)
	s, err := New(m, tiny(t), c)
	if err != nil {
		t.Fatal(err)
	}
	c.Auxiliary = Auxiliary{Decay: "linear", Weight: 1}
	beside, err := New(m, edged(t, Edge(m, c.Auxiliary)), c)
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Derive(search.NewAlpha(s.Space()))
	if err != nil {
		t.Fatal(err)
	}
	var results []nn.Result
	for _, s := range []*Search{s, beside} {
		if err := s.Begin(0, 0); err != nil {
			t.Fatal(err)
		}
		r, err := s.Judge(t.Context(), g, 1)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if results[0] != results[1] {
		t.Errorf("judged %+v with a skip, %+v without", results[1], results[0])
	}
}
