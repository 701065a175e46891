package supernet_test

import (
	"math"
	"slices"
	"testing"

	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// TestGumbelFrequencies: over 10,000 draws each candidate comes as often as softmax(α) says, at every temperature, and one on
// each edge, with weight 1. Rows are of different lengths.
func TestGumbelFrequencies(t *testing.T) {
	const draws = 10000
	space := search.RobustDARTS3()
	space.Cells[0].Edges[3].Primitives = []string{"skip_connect", "sep_conv_3x3"}
	alpha := search.NewAlpha(space)
	alpha.Init(rng.New(1, "alpha"), 1)
	p := make([]nn.Float, len(alpha.Values))
	supernet.NewSoftmax(space).Weights(p, alpha.Values)
	for _, tau := range []float64{10, 0.1} {
		g := supernet.NewGumbel(space, rng.New(2, "gate"))
		w, counts := make([]nn.Float, len(p)), make([]float64, len(p))
		for draw := range draws {
			g.Seek(uint64(draw), tau)
			g.Weights(w, alpha.Values)
			for i, v := range w {
				counts[i] += float64(v)
			}
			for c := range space.Cells {
				for e := range space.Cells[c].Edges {
					row := alpha.Row(c, e).Of(w)
					if n := slices.Index(row, 1); n < 0 || slices.Index(row[n+1:], 0) > 0 || sum(row) != 1 {
						t.Fatalf("τ = %v: weights %v", tau, row)
					}
				}
			}
		}
		for i, n := range counts {
			want := float64(p[i]) * draws
			if sigma := math.Sqrt(want * (1 - float64(p[i]))); !(math.Abs(n-want) <= 4.5*sigma) {
				t.Errorf("τ = %v: candidate %d came %v times, want %.0f ± %.0f", tau, i, n, want, sigma)
			}
		}
	}
}

func sum(v []nn.Float) (s nn.Float) {
	for _, x := range v {
		s += x
	}
	return s
}

// TestGumbelDraws: a draw depends on its number alone, and draws follow one another.
func TestGumbelDraws(t *testing.T) {
	space := search.NASBench201()
	alpha := search.NewAlpha(space)
	n := len(alpha.Values)
	one, other := supernet.NewGumbel(space, rng.New(2, "gate")), supernet.NewGumbel(space, rng.New(2, "gate"))
	var first [][]nn.Float
	for range 20 {
		w := make([]nn.Float, n)
		one.Weights(w, alpha.Values)
		first = append(first, w)
	}
	different := 0
	for _, from := range []int{13, 4, 19} {
		other.Seek(uint64(from), 10)
		for draw := from; draw < min(from+3, 20); draw++ {
			w := make([]nn.Float, n)
			if other.Weights(w, alpha.Values); !slices.Equal(w, first[draw]) {
				t.Errorf("draw %d, sought: %v, and in order %v", draw, w, first[draw])
			}
		}
		if !slices.Equal(first[from], first[0]) {
			different++
		}
	}
	if different == 0 {
		t.Error("all draws are equal")
	}
}

// TestGumbelGradient: it is that of Σ dw·softmax((log softmax(α) + G)/τ) at the noise G of the draw, by differences.
func TestGumbelGradient(t *testing.T) {
	space := search.NASBench201()
	alpha := search.NewAlpha(space)
	alpha.Init(rng.New(1, "alpha"), 1)
	n := len(alpha.Values)
	dw, da, w := make([]nn.Float, n), make([]nn.Float, n), make([]nn.Float, n)
	for i := range dw {
		dw[i] = nn.Float(math.Sin(float64(3 * i)))
	}
	for _, tau := range []float64{0.4, 1, 10} {
		g := supernet.NewGumbel(space, rng.New(3, "gate"))
		g.Seek(5, tau)
		g.Weights(w, alpha.Values)
		g.Gradient(da, alpha.Values, w, dw)
		random := rng.New(3, "gate").At(5)
		for e := range space.Cells[0].Edges {
			r := alpha.Row(0, e)
			noise, a := make([]float64, r.Len), make([]float64, r.Len)
			for i := range a {
				noise[i] = -math.Log(-math.Log(random.Float64()))
				a[i] = float64(r.Of(alpha.Values)[i])
			}
			value := func() (sum float64) {
				total, s := 0.0, make([]float64, r.Len)
				for i, v := range a { // the logarithm of softmax's sum is the same for all
					s[i] = math.Exp((v + noise[i]) / tau)
					total += s[i]
				}
				for i := range s {
					sum += float64(r.Of(dw)[i]) * s[i] / total
				}
				return sum
			}
			for i, v := range a {
				const h = 1e-5
				a[i] = v + h
				plus := value()
				a[i] = v - h
				want := (plus - value()) / (2 * h)
				a[i] = v
				if got := float64(r.Of(da)[i]); !(math.Abs(got-want) <= 1e-6) {
					t.Errorf("τ = %v, edge %d, candidate %d: gradient %v, want %v", tau, e, i, got, want)
				}
			}
		}
	}
}

// TestGumbelExecutesOne: through a net, the candidates that were not drawn have no gradient, and what is not finite is an
// error, not a draw for ever.
func TestGumbelExecutesOne(t *testing.T) {
	space := search.NASBench201()
	p := newProblem(t, space, supernet.Options{Input: nn.Shape{H: 8, W: 8, C: 3}, Classes: 3, Channels: 4, Cells: 1, Batch: 4})
	g := supernet.NewGumbel(space, rng.New(4, "gate"))
	p.Gate = g
	gw, ga, _ := p.gradient(t)
	drawn := slices.Clone(p.Mixture())
	rows := search.NewAlpha(space)
	for e := range space.Cells[0].Edges {
		r := rows.Row(0, e)
		k := slices.Index(r.Of(drawn), 1)
		if k < 0 || sum(r.Of(drawn)) != 1 {
			t.Fatalf("edge %d has weights %v", e, r.Of(drawn))
		}
		if s := sum(r.Of(ga)); !(math.Abs(float64(s)) <= 1e-6) {
			t.Errorf("edge %d: gradients %v", e, r.Of(ga))
		}
	}
	one := newProblem(t, space, supernet.Options{Input: nn.Shape{H: 8, W: 8, C: 3}, Classes: 3, Channels: 4, Cells: 1, Batch: 4})
	one.Gate, one.Alpha = supernet.Direct{}, drawn
	if same, _, _ := one.gradient(t); !slices.Equal(gw, same) {
		t.Error("the weights' gradients differ from those of the drawn architecture alone")
	}
	p.Alpha[7] = nn.Float(math.NaN())
	if _, err := p.Gradient(nil, nil, p.Pass); err == nil {
		t.Error("α of NaN was drawn from")
	}
}
