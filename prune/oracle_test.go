package prune

import (
	"math"
	"slices"
	"strings"
	"testing"

	"espalier/datasets"
	"espalier/nn"
)

// TestOracle: its gradient at z is that of a network with the weights z on the same images, whichever vectors it used
// before; running statistics follow only where they are asked to; the epochs of a split follow one another.
func TestOracle(t *testing.T) {
	p, other := problem(t), problem(t)
	o, err := NewOracle(p.Net, nil, map[string]*datasets.Loader{LowerSplit: p.Lower, UpperSplit: p.Upper})
	if err != nil {
		t.Fatal(err)
	}
	w := p.Net.Params
	z := w.Layout.New()
	for i, v := range w.Values {
		z[i] = v * nn.Float(0.5+float64(i%3)/4)
	}
	g, g2, statistics := w.Layout.New(), w.Layout.New(), slices.Clone(w.Buffers)
	steps := p.Lower.Batches() + 2
	if err := o.Seek(LowerSplit, 0); err != nil {
		t.Fatal(err)
	}
	copy(other.Net.Params.Values, z)
	program, err := other.Net.TrainProgram(other.Lower.BatchSize(), nn.TrainOptions{Statistics: nn.BatchStatistics})
	if err != nil {
		t.Fatal(err)
	}
	other.Lower.Start(0, 0)
	for step := range steps {
		if err := o.Next(LowerSplit); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Gradient(g2, w.Values, LowerSplit, nn.BatchStatistics); err != nil {
			t.Fatal(err)
		}
		r, err := o.Gradient(g, z, LowerSplit, nn.BatchStatistics)
		if err != nil {
			t.Fatal(err)
		}
		b := other.Lower.Next()
		if b == nil {
			other.Lower.Start(1, 0)
			b = other.Lower.Next()
		}
		want, err := program.Step(b.X, b.Labels)
		if err != nil {
			t.Fatal(err)
		}
		if r != want || !slices.Equal(g, other.Net.Params.Grads) {
			t.Fatalf("step %d: result %v, want %v, or the gradients differ", step, r, want)
		}
		if slices.Equal(g, g2) {
			t.Fatal("the gradient does not depend on the weights")
		}
	}
	if !slices.Equal(w.Buffers, statistics) {
		t.Error("running statistics moved")
	}
	if _, err := o.Gradient(g, z, LowerSplit, nn.UpdateStatistics); err != nil || slices.Equal(w.Buffers, statistics) {
		t.Error("running statistics did not follow", err)
	}
	// A source that seeks goes on with the same images.
	first := slices.Clone(o.Batch(LowerSplit).Images)
	if err := o.Seek(LowerSplit, steps-1); err != nil {
		t.Fatal(err)
	}
	if err := o.Next(LowerSplit); err != nil || !slices.Equal(o.Batch(LowerSplit).Images, first) {
		t.Errorf("batch %d after seeking has other images, %v", steps-1, err)
	}
	if err := o.Next("test"); err == nil || !strings.Contains(err.Error(), `no split "test"`) {
		t.Error(err)
	}
}

// TestScoresRefuse weights that are not finite.
func TestScoresRefuse(t *testing.T) {
	for _, name := range []string{"snip", "grasp"} {
		p := problem(t)
		p.Net.Params.Values[3] = nn.Float(math.NaN())
		m, err := Configure(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.(OneShot).Mask(p, Options{Sparsity: 0.5}); err == nil || !strings.Contains(err.Error(), "loss is NaN") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
