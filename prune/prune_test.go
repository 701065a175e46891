package prune

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"espalier/nn"
)

// layout is that of a small network with every kind of parameter, and with an auxiliary head.
func layout(t testing.TB) *nn.Layout {
	t.Helper()
	l, err := nn.NewLayout([]nn.Param{
		{Name: "conv1.weight", Shape: []int{3, 3, 3, 8}, Kind: nn.ConvWeight},
		{Name: "bn1.weight", Shape: []int{8}, Kind: nn.NormGamma},
		{Name: "bn1.bias", Shape: []int{8}, Kind: nn.NormBeta},
		{Name: "conv2.weight", Shape: []int{3, 3, 8, 16}, Kind: nn.ConvWeight},
		{Name: "dw.weight", Shape: []int{5, 5, 16}, Kind: nn.DepthwiseWeight},
		{Name: "fc.weight", Shape: []int{16, 10}, Kind: nn.LinearWeight},
		{Name: "fc.bias", Shape: []int{10}, Kind: nn.Bias},
		{Name: "head.weight", Shape: []int{3, 3, 16, 10}, Kind: nn.ConvWeight, Auxiliary: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const prunable = 3*3*3*8 + 3*3*8*16 + 5*5*16 + 16*10

// weights are normal, each tensor with a scale of its own.
func weights(t testing.TB, seed uint64) *nn.Params {
	t.Helper()
	empty, err := nn.NewLayout(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	p := nn.NewParams(layout(t), empty)
	for _, part := range p.Layout.Parts() {
		scale := math.Exp(r.NormFloat64())
		for i := range part.Of(p.Values) {
			part.Of(p.Values)[i] = nn.Float(scale * r.NormFloat64())
		}
	}
	return p
}

var budgets = []Budget{Global, Uniform, ERK}

// TestExactCount: every method and budget keeps exactly round((1−s)·n) weights, touches nothing that is not prunable, and
// gives the same mask again.
func TestExactCount(t *testing.T) {
	w := weights(t, 1)
	for _, name := range Names() {
		for _, b := range budgets {
			for _, s := range []float64{0, 0.1, 0.5, 1. / 3, 0.9, 0.977, 0.999, 1 - 1e-9} {
				method, err := New(name, 7)
				if err != nil {
					t.Fatal(err)
				}
				m := must(t)(Prune(method, w, Options{Sparsity: s, Budget: b}))
				if got, want := m.Kept(), int(math.Round((1-s)*prunable)); got != want || m.Sum().Total != prunable {
					t.Errorf("%s, %v, sparsity %v: kept %d of %d, want %d of %d", name, b, s, got, m.Sum().Total, want, prunable)
				}
				if err := m.CheckDensity(s); err != nil {
					t.Error(err)
				}
				for _, p := range w.Layout.Parts() {
					for i, k := range p.Of(m.Values()) {
						if k != 1 && (k != 0 || !removable(p)) {
							t.Fatalf("%s, %v: mask of %s is %v at %d", name, b, p.Name, k, i)
						}
					}
				}
				if again := must(t)(Prune(method, w, Options{Sparsity: s, Budget: b})); !again.Equal(m) {
					t.Errorf("%s, %v, sparsity %v: a second mask differs", name, b, s)
				}
			}
		}
	}
}

// TestMagnitudeOrder: no removed weight is larger than a kept one, over the whole network or within each layer.
func TestMagnitudeOrder(t *testing.T) {
	w := weights(t, 2)
	for _, b := range budgets {
		m := must(t)(Prune(Magnitude{}, w, Options{Sparsity: 0.8, Budget: b}))
		least, most := math.Inf(1), math.Inf(-1)
		for _, p := range Prunable(w.Layout) {
			if b != Global {
				least, most = math.Inf(1), math.Inf(-1)
			}
			for i, k := range p.Of(m.Values()) {
				x := math.Abs(float64(p.Of(w.Values)[i]))
				if k == 1 {
					least = min(least, x)
				} else {
					most = max(most, x)
				}
			}
			if b != Global && !(most <= least) {
				t.Errorf("%v: %s removes %v and keeps %v", b, p.Name, most, least)
			}
		}
		if b == Global && !(most <= least) {
			t.Errorf("%v: removes %v and keeps %v", b, most, least)
		}
	}
}

// TestTies: among equal weights those of the lower index stay, over tensor boundaries too.
func TestTies(t *testing.T) {
	w := weights(t, 3)
	for i := range w.Values {
		w.Values[i] = nn.Float(1 - 2*(i%2)) // ±1
	}
	const k = 300
	m := must(t)(Prune(Magnitude{}, w, Options{Sparsity: 1 - float64(k)/prunable}))
	index := 0
	for _, p := range Prunable(w.Layout) {
		for _, keep := range p.Of(m.Values()) {
			if (keep == 1) != (index < k) {
				t.Fatalf("weight %d, in %s: kept is %v with room for %d", index, p.Name, keep, k)
			}
			index++
		}
	}
}

// TestUniformAndERK have answers worked out by hand.
func TestUniformAndERK(t *testing.T) {
	w := weights(t, 5)
	m := must(t)(Prune(Magnitude{}, w, Options{Sparsity: 0.5, Budget: Uniform}))
	for _, r := range m.Rows() {
		if 2*r.Kept != r.Total {
			t.Errorf("uniform: %s keeps %d of %d", r.Name, r.Kept, r.Total)
		}
	}
	// ERK: densities in the ratio of (Σ dims)/(Π dims): 17/216, 30/1152, 26/400, 26/160. At 1−s = 30 % of 1928, 578 are
	// kept. All four unbounded: scale 578/99 = 5.838, so fc would be kept at .949: none above one. Kept: 17, 30, 26 and 26
	// times that, 99.25, 175.15, 151.80, 151.80, rounded by largest remainder to 99, 175, 152, 152.
	m = must(t)(Prune(Magnitude{}, w, Options{Sparsity: 0.7, Budget: ERK}))
	for i, want := range []int{99, 175, 152, 152} {
		if r := m.Rows()[i]; r.Kept != want {
			t.Errorf("ERK: %s keeps %d, want %d", r.Name, r.Kept, want)
		}
	}
	// At 50 %, 964 are kept; fc (160) would pass one: it is whole, the others share 804 by 804/73 = 11.01: 187.2, 330.4
	// and 286.4 of 216, 1152 and 400.
	m = must(t)(Prune(Magnitude{}, w, Options{Sparsity: 0.5, Budget: ERK}))
	for i, want := range []int{187, 331, 286, 160} {
		if r := m.Rows()[i]; r.Kept != want {
			t.Errorf("ERK: %s keeps %d, want %d", r.Name, r.Kept, want)
		}
	}
}

// TestRandom: another seed gives another mask, whose overlap is that of chance, and each layer's density is near the
// whole's (within five standard deviations).
func TestRandom(t *testing.T) {
	w := weights(t, 6)
	a := must(t)(Prune(Random{Seed: 1}, w, Options{Sparsity: 0.5}))
	b := must(t)(Prune(Random{Seed: 2}, w, Options{Sparsity: 0.5}))
	if got, want := a.Overlap(b), 1./3; !(math.Abs(got-want) <= 0.05) {
		t.Errorf("overlap of two seeds %v, want about %v", got, want)
	}
	for _, r := range a.Rows() {
		if dev := math.Abs(r.Density() - 0.5); !(dev <= 5*0.5/math.Sqrt(float64(r.Total))) {
			t.Errorf("%s has density %v", r.Name, r.Density())
		}
	}
}

// TestWithin: a mask made within another keeps none of what that removed.
func TestWithin(t *testing.T) {
	w := weights(t, 7)
	for _, b := range budgets {
		first := must(t)(Prune(Random{Seed: 1}, w, Options{Sparsity: 0.5, Budget: b}))
		second := must(t)(Prune(Magnitude{}, w, Options{Sparsity: 0.8, Budget: b, Within: first}))
		if !second.Intersection(first).Equal(second) {
			t.Errorf("%v: the second mask keeps what the first removed", b)
		}
		if err := second.CheckDensity(0.8); err != nil {
			t.Error(err)
		}
		if _, err := Prune(Magnitude{}, w, Options{Sparsity: 0.4, Budget: b, Within: first}); err == nil {
			t.Errorf("%v: more weights than are left", b)
		}
	}
}

// TestSets: union, intersection and overlap on masks of three weights.
func TestSets(t *testing.T) {
	l := layout(t)
	a, b := NewMask(l), NewMask(l)
	for _, name := range []string{"conv1.weight", "conv2.weight", "dw.weight", "fc.weight"} {
		zero := make([]nn.Float, len(l.View(a.Values(), name)))
		for _, m := range []*Mask{a, b} {
			if err := m.Set(name, zero); err != nil {
				t.Fatal(err)
			}
		}
	}
	if a.Overlap(b) != 1 {
		t.Error("two empty masks overlap by", a.Overlap(b))
	}
	bits := func(m *Mask, on ...int) {
		v := make([]nn.Float, 160)
		for _, i := range on {
			v[i] = 1
		}
		if err := m.Set("fc.weight", v); err != nil {
			t.Fatal(err)
		}
	}
	bits(a, 0, 1)
	bits(b, 1, 2)
	if u, i, o := a.Union(b).Kept(), a.Intersection(b).Kept(), a.Overlap(b); u != 3 || i != 1 || o != 1./3 {
		t.Errorf("union %d, intersection %d, overlap %v; want 3, 1, 1/3", u, i, o)
	}
	if a.Kept() != 2 || a.Sparsity() != 1-2./prunable && math.Abs(a.Sparsity()-1+2./prunable) > 1e-15 {
		t.Errorf("kept %d, sparsity %v", a.Kept(), a.Sparsity())
	}
}

// TestApply: removed entries become +0, NaN and −0 included, and nothing else moves.
func TestApply(t *testing.T) {
	w := weights(t, 8)
	m := must(t)(Prune(Random{Seed: 3}, w, Options{Sparsity: 0.9}))
	v := slices.Clone(w.Values)
	for i := range v {
		if m.Values()[i] == 0 {
			v[i] = []nn.Float{nn.Float(math.NaN()), nn.Float(math.Copysign(0, -1)), nn.Float(math.Inf(1))}[i%3]
		}
	}
	m.Apply(v)
	for i, x := range v {
		if m.Values()[i] == 0 && (x != 0 || math.Signbit(float64(x))) || m.Values()[i] == 1 && x != w.Values[i] {
			t.Fatalf("element %d: mask %v, %v became %v", i, m.Values()[i], w.Values[i], x)
		}
	}
	if got := Zeros(w.Layout, v); got != prunable-m.Kept() {
		t.Errorf("%d zeros, want %d", got, prunable-m.Kept())
	}
}

func TestRefused(t *testing.T) {
	w := weights(t, 9)
	nan := weights(t, 9)
	part, _ := nan.Layout.Lookup("conv2.weight")
	part.Of(nan.Values)[5] = nn.Float(math.NaN())
	m := NewMask(w.Layout)
	other := func(err error) error { return err }
	_, noMethod := New("snap", 1)
	_, noBudget := ParseBudget("local")
	prune := func(p *nn.Params, s float64) error {
		_, err := Prune(Magnitude{}, p, Options{Sparsity: s})
		return err
	}
	for want, err := range map[string]error{
		"conv2.weight is NaN at index 5": prune(nan, 0.5),
		"sparsity 1 is outside":          prune(w, 1),
		"sparsity NaN is outside":        prune(w, math.NaN()),
		"sparsity -0.1 is outside":       prune(w, -0.1),
		`no tensor "fc"`:                 m.Set("fc", nil),
		"is a norm gamma":                m.Set("bn1.weight", make([]nn.Float, 8)),
		"belongs to an auxiliary head":   m.Set("head.weight", make([]nn.Float, 3*3*16*10)),
		"has 3 values, want 160":         m.Set("fc.weight", make([]nn.Float, 3)),
		"value 0 is 0.5":                 m.Set("fc.weight", slices.Repeat([]nn.Float{0.5}, 160)),
		"value 0 is NaN":                 m.Set("fc.weight", slices.Repeat([]nn.Float{nn.Float(math.NaN())}, 160)),
		"keeps 1928 of 1928":             other(m.CheckDensity(0.5)),
		"no method":                      noMethod,
		"no budget":                      noBudget,
	} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "prune: ") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if !m.Equal(NewMask(w.Layout)) {
		t.Error("a refused Set changed the mask")
	}
}

func must(t testing.TB) func(*Mask, error) *Mask {
	return func(m *Mask, err error) *Mask {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

func ExamplePrune() {
	l, err := nn.NewLayout([]nn.Param{{Name: "fc.weight", Shape: []int{2, 3}, Kind: nn.LinearWeight}})
	if err != nil {
		fmt.Println(err)
		return
	}
	none, _ := nn.NewLayout(nil)
	w := nn.NewParams(l, none)
	copy(w.Values, []nn.Float{0.3, -0.1, 0.2, -0.9, 0.2, 0.05})
	m, err := Prune(Magnitude{}, w, Options{Sparsity: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	m.Apply(w.Values)
	fmt.Println(w.Value("fc.weight"))
	fmt.Print(m)
	// Output:
	// [0.3 0 0.2 -0.9 0 0]
	// fc.weight  2x3                      3 of         6  density 0.5000
	// all                                 3 of         6  density 0.5000
}
