package oneshot

// A worked example: everything that a new gate and a new selection need, here Fair DARTS (Chu, Zhou, Zhang and Li, "Fair DARTS:
// Eliminating Unfair Advantages in Differentiable Architecture Search", 2020), without its loss that draws weights to 0 and 1.
// In the tree it would be fair.go, this test of it, and the line of the table that TestFair makes.

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/search"
)

// sigmoid weighs each candidate by 1/(1+e^−α): candidates of an edge do not compete, as they do under softmax.
type sigmoid struct{}

func logistic(a nn.Float) float64 { return 1 / (1 + math.Exp(-float64(a))) }

// Weights implements supernet.Gate.
func (sigmoid) Weights(w, alpha []nn.Float) {
	for i, a := range alpha {
		w[i] = nn.Float(logistic(a))
	}
}

// Gradient implements supernet.Gate.
func (sigmoid) Gradient(da, _, w, dw []nn.Float) {
	for i := range da {
		da[i] = dw[i] * w[i] * (1 - w[i])
	}
}

// Fair is DARTS with weights that do not compete. An edge is kept if its best operation weighs enough.
type Fair struct {
	Threshold float64 `yaml:"threshold" help:"of an operation's weight, below which its edge is left out"`
}

// Validate implements Method.
func (o *Fair) Validate() error {
	if !(o.Threshold >= 0 && o.Threshold < 1) {
		return fmt.Errorf("oneshot: fair with threshold %v, want a number from 0 to below 1", o.Threshold)
	}
	return nil
}

// Passes implements Method.
func (o *Fair) Passes() int { return 2 }

// Updates implements Method: those of DARTS in first order, through another gate.
func (o *Fair) Updates(s *Search) (bilevel.Method[nn.Float], error) {
	s.Gate(sigmoid{}, nil)
	s.Select(o.derive)
	first := DARTS{Order: 1}
	return first.Updates(s)
}

// derive is the selection. Edges below the threshold carry none; of the others the best operation stays.
func (o *Fair) derive(a *search.Alpha) (search.Genotype, error) {
	scores := make(search.Scores, len(a.Space.Cells))
	for k, cell := range a.Space.Cells {
		for e, edge := range cell.Edges {
			var row []float64
			for _, alpha := range a.Row(k, e).Of(a.Values) {
				row = append(row, logistic(alpha))
			}
			none := slices.Index(edge.Primitives, "none")
			if none < 0 {
				return search.Genotype{}, fmt.Errorf("oneshot: fair leaves edges out, and %d→%d of the space %s has no none", edge.From, edge.To, a.Space.Name)
			}
			if row[none] = 0; slices.Max(row) < o.Threshold {
				row[none] = 1
			}
			scores[k] = append(scores[k], row)
		}
	}
	return search.Derive(a.Space, search.Registry{}, scores)
}

func TestFair(t *testing.T) {
	line := Entry{"fair", "DARTS with operations that do not compete", "Chu and others 2020, arXiv 1911.12126", func() Method { return &Fair{Threshold: 0.5} }}
	if s := line.Settings(); len(s) != 1 || s[0].Name != "threshold" || s[0].Default != "0.5" { // as --set fair.threshold=0.6
		t.Errorf("settings %+v", s)
	}

	// The gate's gradient is its slope.
	alpha, dw := []nn.Float{-1, 0, 2}, []nn.Float{3, -1, 0.5}
	w, da, moved := make([]nn.Float, 3), make([]nn.Float, 3), make([]nn.Float, 3)
	sigmoid{}.Weights(w, alpha)
	sigmoid{}.Gradient(da, alpha, w, dw)
	const h = 1e-2
	for i := range alpha {
		slope := 0.0
		for _, sign := range []nn.Float{1, -1} {
			at := slices.Clone(alpha)
			at[i] += sign * h
			sigmoid{}.Weights(moved, at)
			for k := range dw {
				slope += float64(sign*dw[k]*moved[k]) / (2 * h)
			}
		}
		if e := math.Abs(slope - float64(da[i])); !(e <= 1e-4) {
			t.Errorf("the gradient at α[%d] is %v, the slope %v", i, da[i], slope)
		}
	}

	// A search ends the same if it is interrupted, and the selection follows the weights.
	problem := func() *Problem { return tiny(t) }
	s := run(t, problem, line.New(), course(3), 0)
	single := unsafe.Sizeof(nn.Float(0)) == 4 // as checkpoints are
	if single && !slices.Equal(s.Alpha.Value, run(t, problem, line.New(), course(3), 2).Alpha.Value) {
		t.Error("interrupted, it ends elsewhere")
	}
	edges := s.Space().Cells[0].Edges
	kept := func(threshold float64) int {
		g, err := (&Fair{Threshold: threshold}).derive(s.alpha)
		if err != nil {
			t.Fatal(err)
		}
		return len(edges) - g.Normal.Count("none")
	}
	var best []float64 // of each edge
	a := search.NewAlpha(s.Space())
	for e, edge := range edges {
		row := slices.Clone(a.Row(0, e).Of(s.Alpha.Value))
		none := slices.Index(edge.Primitives, "none")
		best = append(best, logistic(slices.MaxFunc(slices.Delete(row, none, none+1), cmp.Compare[nn.Float])))
	}
	slices.Sort(best)
	for n, threshold := range best {
		if got, want := kept(threshold), len(edges)-n; got != want {
			t.Errorf("threshold %v: %d edges stay, want %d", threshold, got, want)
		}
	}
}
