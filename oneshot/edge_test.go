package oneshot

// A worked example: edges that differ from DARTS'. Candidates work on half of the channels, and an average of the neighbourhood
// runs beside them with a weight that is learned: one sigmoid parameter an edge, in the place of β. In the tree it would be
// averaged.go, this test of it, and a line of the table.

import (
	"math"
	"slices"
	"testing"
	"unsafe"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// averaged is a gate over (α, β): softmax(α) for the candidates of each edge, 1/(1+e^−β) for what runs beside them.
type averaged struct {
	supernet.Gate            // of α
	alpha         int        // elements of α
	beside        search.Row // of the weights beside the candidates, one an edge
}

// Weights implements supernet.Gate.
func (g averaged) Weights(w, alpha []nn.Float) {
	g.Gate.Weights(w, alpha[:g.alpha])
	for i, b := range alpha[g.alpha:] {
		g.beside.Of(w)[i] = nn.Float(logistic(b))
	}
}

// Gradient implements supernet.Gate.
func (g averaged) Gradient(da, alpha, w, dw []nn.Float) {
	g.Gate.Gradient(da[:g.alpha], alpha[:g.alpha], w, dw)
	for i, v := range g.beside.Of(w) {
		da[g.alpha+i] = g.beside.Of(dw)[i] * v * (1 - v)
	}
}

// Averaged is DARTS in first order on such edges. It has no settings.
type Averaged struct{}

// Validate implements Method.
func (Averaged) Validate() error { return nil }

// Passes implements Method.
func (Averaged) Passes() int { return 2 }

// Edge implements Edged.
func (Averaged) Edge() search.MixedEdge { return search.MixedEdge{Part: 2, Beside: "avg_pool_3x3"} }

// Updates implements Method.
func (m Averaged) Updates(s *Search) (bilevel.Method[nn.Float], error) {
	s.Betas()
	s.Gate(averaged{supernet.NewSoftmax(s.Space()), s.Space().Weights(), m.Edge().BesideRow(s.Space())}, nil)
	s.Select(func(a *search.Alpha) (search.Genotype, error) { // β does not weigh edges here
		return search.Derive(s.Space(), s.Primitives(), a.Softmax())
	})
	first := DARTS{Order: 1}
	return first.Updates(s)
}

func TestAveraged(t *testing.T) {
	m := Averaged{}
	problem := func() *Problem { return edged(t, Edge(m, Auxiliary{})) }

	// The gradient at what the gate adds is the slope of the loss.
	s, err := New(m, problem(), course(3))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(0, 0); err != nil {
		t.Fatal(err)
	}
	p := s.mixture(0)
	p.Images, p.Labels = make([]nn.Float, batch*s.net.In.Len()), make([]int32, batch)
	for i := range p.Images {
		p.Images[i] = nn.Float(math.Sin(float64(i * i)))
	}
	ga := make([]nn.Float, len(s.Alpha.Value))
	if _, err := s.net.Gradient(nil, ga, p); err != nil {
		t.Fatal(err)
	}
	const h = 0.05
	for i := s.Space().Weights(); i < len(ga); i++ {
		slope := 0.0
		for _, sign := range []nn.Float{1, -1} {
			p.Alpha = slices.Clone(s.Alpha.Value)
			p.Alpha[i] += sign * h
			r, err := s.net.Gradient(nil, make([]nn.Float, len(ga)), p)
			if err != nil {
				t.Fatal(err)
			}
			slope += float64(sign) * r.Loss / (2 * h)
		}
		if e := math.Abs(slope - float64(ga[i])); !(e <= 2e-4+0.02*math.Abs(slope)) {
			t.Errorf("the gradient at β[%d] is %v, the slope %v", i-s.Space().Weights(), ga[i], slope)
		}
	}

	// What runs beside the candidates learns, and an interrupted search ends the same.
	whole := run(t, problem, m, course(3), 0)
	if slices.Equal(whole.AlphaAfter(0).Beta, whole.AlphaAfter(3).Beta) {
		t.Error("β does not move")
	}
	if single := unsafe.Sizeof(nn.Float(0)) == 4; single && !slices.Equal(whole.Alpha.Value, run(t, problem, m, course(3), 2).Alpha.Value) {
		t.Error("interrupted, it ends elsewhere")
	}
	if g, err := whole.Choose(t.Context(), nil); err != nil || g.Validate(search.Registry{}) != nil {
		t.Errorf("found %v, %v", g, err)
	}
}
