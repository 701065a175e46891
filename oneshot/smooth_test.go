package oneshot

import (
	"math"
	"strings"
	"testing"
	"unsafe"

	"espalier/bilevel"
	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// silu is x/(1+exp(−x)), a layer that is smooth everywhere.
type silu struct{}

func (silu) Kind() string                          { return "silu" }
func (silu) Out(in nn.Shape) (nn.Shape, error)     { return in, in.Validate() }
func (silu) Params(nn.Shape) []nn.Param            { return nil }
func (silu) MACs(nn.Shape) int                     { return 0 }
func (silu) Build(_ *nn.Plan, _ nn.Shape) nn.Layer { return silu{} }

func (silu) Forward(y, x []nn.Float, _ nn.Vectors) {
	for i, v := range x {
		y[i] = nn.Float(float64(v) / (1 + math.Exp(-float64(v))))
	}
}

func (silu) Backward(dx, x, _, g []nn.Float, _ nn.Vectors) {
	for i := range dx {
		v := float64(x[i])
		s := 1 / (1 + math.Exp(-v))
		dx[i] = nn.Float(float64(g[i]) * (s + v*s*(1-s)))
	}
}

// smoothLoss is the training loss of a supernet of four cells, two of each kind, as a smooth function of α and w: candidates
// have SiLU for ReLU and no maxima. Each ends with a batch norm whose beta is 6, and so does the stem; the ReLUs that the skeleton has
// between cells thus meet positive numbers alone, where they are the identity.
func smoothLoss(t *testing.T) (loss bilevel.Objective[nn.Float], alpha, w []nn.Float) {
	t.Helper()
	const text = `
name: smooth
primitives: [none, silu_conv, silu_sep, average]
cells: [{name: normal, nodes: 2}, {name: reduce, nodes: 2}]
`
	ends := func(s ...nn.Spec) func(search.Place) nn.Sequential {
		return func(p search.Place) (layers nn.Sequential) {
			for i, spec := range append(s, nn.BatchNorm{}) {
				switch q := spec.(type) {
				case nn.Conv:
					q.Channels = p.Channels
					if q.Kernel > 1 {
						q.Stride = p.Stride
					}
					spec = q
				case nn.Depthwise:
					q.Stride = p.Stride
					spec = q
				case nn.AvgPool:
					q.Stride = p.Stride
					spec = q
				}
				layers = append(layers, nn.Named{Name: string(rune('a' + i)), Spec: spec})
			}
			return layers
		}
	}
	registry := search.With(
		search.Primitive{Name: "silu_conv", Layers: ends(silu{}, nn.Conv{Kernel: 3, Pad: 1})},
		search.Primitive{Name: "silu_sep", Layers: ends(silu{}, nn.Depthwise{Kernel: 3, Pad: 1}, nn.Conv{Kernel: 1})},
		search.Primitive{Name: "average", Layers: ends(nn.AvgPool{Kernel: 3, Pad: 1})},
	)
	space, err := search.ParseSpace([]byte(text), registry)
	if err != nil {
		t.Fatal(err)
	}
	const batch, classes = 6, 3
	net, err := supernet.New(space, supernet.Options{
		Input: nn.Shape{H: 8, W: 8, C: 3}, Classes: classes, Channels: 4, Cells: 4, Batch: batch, Primitives: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	random := rng.New(1, "smooth")
	p := supernet.Pass{Params: net.NewParams(), Images: make([]nn.Float, batch*net.In.Len()), Labels: make([]int32, batch), Statistics: nn.BatchStatistics}
	p.Params.Init(1)
	betas := 0
	for _, tensor := range net.Layout.Parts() {
		if strings.HasSuffix(tensor.Name, ".bias") && !strings.HasPrefix(tensor.Name, "classifier") {
			betas++
			for i := range tensor.Len {
				p.Params.Values[tensor.Offset+i] = 6
			}
		}
	}
	if want := 1 + 4*5*3; betas != want { // the stem, and in each cell five edges of three candidates
		t.Fatalf("%d batch norms have beta, want %d", betas, want)
	}
	for i := range p.Images {
		p.Images[i] = nn.Float(random.NormFloat64())
	}
	for i := range p.Labels {
		p.Labels[i] = int32(random.IntN(classes))
	}
	alpha = normals(random, space.Weights(), 0.5)
	w = append(w, p.Params.Values...)
	return func(ga, gw, alpha, w []nn.Float) (float64, error) {
		p.Alpha = alpha
		copy(p.Params.Values, w)
		r, err := net.Gradient(gw, ga, p)
		return r.Loss, err
	}, alpha, w
}

// normals are n draws of the given deviation.
func normals(r *rng.Stream, n int, deviation float64) []nn.Float {
	v := make([]nn.Float, n)
	for i := range v {
		v[i] = nn.Float(deviation * r.NormFloat64())
	}
	return v
}

// along is the derivative of the gradient at x of f(x, ·), at y along v, from a difference of fourth order.
func along(t *testing.T, f bilevel.Objective[nn.Float], x, y, v []nn.Float) []float64 {
	t.Helper()
	h := 0.003 / length(v)
	to, g, moved := make([]float64, len(x)), make([]nn.Float, len(x)), make([]nn.Float, len(y))
	for _, p := range []struct{ at, weight float64 }{{1, 8}, {-1, -8}, {2, -1}, {-2, 1}} {
		for i := range y {
			moved[i] = y[i] + nn.Float(p.at*h)*v[i]
		}
		if _, err := f(g, nil, x, moved); err != nil {
			t.Fatal(err)
		}
		for i, d := range g {
			to[i] += p.weight * float64(d) / (12 * h)
		}
	}
	return to
}

func length[T float32 | float64](v []T) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// TestMixedOnSmoothNet: on a supernet without kinks the error of the second-order term of DARTS falls as ε², and the mixed
// derivative is one matrix: uᵀ(Cv) from gradients at α along v is vᵀ(Cᵀu) from gradients at w along u.
func TestMixedOnSmoothNet(t *testing.T) {
	if unsafe.Sizeof(nn.Float(0)) != 8 {
		t.Skip("differences of small steps need the build in double precision")
	}
	loss, alpha, w := smoothLoss(t)
	random := rng.New(2, "directions")
	u, v := normals(random, len(alpha), 1), normals(random, len(w), 1)

	want := along(t, loss, alpha, w, v)
	got, last := make([]nn.Float, len(alpha)), 0.0
	for i, radius := range []float64{0.16, 0.08, 0.04, 0.02, 0.01} {
		unrolled := bilevel.Unrolled[nn.Float]{Lower: loss, Radius: radius}
		if err := unrolled.Mixed(got, v, alpha, w); err != nil {
			t.Fatal(err)
		}
		difference := make([]float64, len(want))
		for i, x := range want {
			difference[i] = float64(got[i]) - x
		}
		e := length(difference) / length(want)
		t.Logf("‖εv‖ = %v: relative error %.3g", radius, e)
		if i > 0 && !(last/e > 3.7 && last/e < 4.3) {
			t.Errorf("‖εv‖ = %v: error %.3g after %.3g at twice the length; want a quarter", radius, e, last)
		}
		last = e
	}
	if !(last <= 1e-3) {
		t.Errorf("the error at DARTS' ε is %v", last)
	}

	swapped := func(gw, ga, w, alpha []nn.Float) (float64, error) { return loss(ga, gw, alpha, w) }
	one, other := 0.0, 0.0
	for i, x := range want {
		one += float64(u[i]) * x
	}
	for i, x := range along(t, swapped, w, alpha, u) {
		other += float64(v[i]) * x
	}
	if t.Logf("uᵀ(Cv) = %.9g, vᵀ(Cᵀu) = %.9g", one, other); !(math.Abs(one-other) <= 1e-4*math.Abs(one)) {
		t.Errorf("uᵀ(Cv) = %v, vᵀ(Cᵀu) = %v", one, other)
	}
}
