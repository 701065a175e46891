package supernet

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
)

// double is true in the build that computes in float64.
const double = unsafe.Sizeof(nn.Float(0)) == 8

// single is a space whose cells have one node and, on both edges into it, one primitive beside another one that always passes
// something.
func single(primitive string) *search.Space {
	candidates := []string{primitive, "skip_connect"}
	if primitive == "skip_connect" {
		candidates = candidates[1:]
	}
	edges := []search.Edge{{From: 0, To: 2, Primitives: candidates}, {From: 1, To: 2, Primitives: candidates}}
	return &search.Space{Name: primitive, Skeleton: search.Stacked, Cells: []search.Cell{
		{Name: "normal", Nodes: 1, Edges: edges, Concat: []int{2}},
		{Name: "reduce", Nodes: 1, Edges: edges, Concat: []int{2}},
	}}
}

// numbers are everything that a pass computes.
type numbers struct {
	loss                float64
	logits, gw, ga, run []nn.Float
}

func compute(t *testing.T, n *Net, statistics nn.Statistics) (x numbers, again func() float64, p Pass) {
	t.Helper()
	r := rng.New(5, "primitive")
	draw := func(n int) []nn.Float {
		v := make([]nn.Float, n)
		for i := range v {
			v[i] = nn.Float(float32(r.NormFloat64()))
		}
		return v
	}
	p = Pass{Params: n.NewParams(), Alpha: draw(n.Space().Weights()), Images: draw(n.Batch() * n.In.Len()), Statistics: statistics}
	p.Params.Init(1)
	for i := range n.Batch() {
		p.Labels = append(p.Labels, int32(i%n.Classes()))
	}
	x.gw, x.ga = n.Layout.New(), make([]nn.Float, len(p.Alpha))
	res, err := n.Gradient(x.gw, x.ga, p)
	if err != nil {
		t.Fatal(err)
	}
	x.loss, x.run = res.Loss, slices.Clone(p.Params.Buffers)
	q := p
	q.Statistics = nn.BatchStatistics
	logits, err := n.Logits(q)
	if err != nil {
		t.Fatal(err)
	}
	x.logits = slices.Clone(logits)
	return x, func() float64 {
		res, err := n.Evaluate(q)
		if err != nil {
			t.Fatal(err)
		}
		return res.Loss
	}, p
}

// A net with every primitive gives what layers one by one give: logits, gradients at all weights and at α, running statistics.
// In double precision its derivatives are those that differences give.
func TestLayerByLayer(t *testing.T) {
	tolerance := 3e-3 // ReLUs at the edge between on and off
	if double {
		tolerance = 1e-8
	}
	for _, primitive := range (search.Registry{}).Names() {
		if primitive == "noise" {
			continue // another draw in every pass
		}
		t.Run(primitive, func(t *testing.T) {
			for _, c := range []int{8, 12} {
				for _, memory := range []Memory{Keep, Recompute} {
					o := Options{Input: nn.Shape{H: 8, W: 8, C: 3}, Classes: 4, Channels: c, Cells: 2, Batch: 5, Memory: memory}
					fast, err := build(single(primitive), o, false)
					if err != nil {
						t.Fatal(err)
					}
					slow, err := build(single(primitive), o, true)
					if err != nil {
						t.Fatal(err)
					}
					got, loss, p := compute(t, fast, nn.UpdateStatistics)
					want, _, _ := compute(t, slow, nn.UpdateStatistics)
					what := fmt.Sprintf("%d channels, %s", c, memory)
					near(t, what+", loss", []nn.Float{nn.Float(got.loss)}, []nn.Float{nn.Float(want.loss)}, tolerance)
					near(t, what+", logits", got.logits, want.logits, tolerance)
					near(t, what+", gradient at α", got.ga, want.ga, tolerance)
					near(t, what+", running statistics", got.run, want.run, tolerance)
					for _, part := range fast.Layout.Parts() {
						near(t, what+", gradient at "+part.Name, part.Of(got.gw), part.Of(want.gw), tolerance)
					}
					if double && memory == Keep {
						differ(t, what+", α", p.Alpha, got.ga, loss)
						differ(t, what+", weights", p.Params.Values, got.gw, loss)
					}
				}
			}
		})
	}
}

// near checks that the distance is small beside the length.
func near(t *testing.T, what string, got, want []nn.Float, tolerance float64) {
	t.Helper()
	var distance, length float64
	for i, w := range want {
		distance += float64((got[i] - w) * (got[i] - w))
		length += float64(w * w)
	}
	if !(math.Sqrt(distance) <= tolerance*(1e-3+math.Sqrt(length))) {
		t.Errorf("%s: %.3g from what layers give, which is %.3g long", what, math.Sqrt(distance), math.Sqrt(length))
	}
}

// differ compares a gradient with differences of the loss along a direction.
func differ(t *testing.T, what string, v, g []nn.Float, loss func() float64) {
	t.Helper()
	const eps = 1e-8 // so that few ReLUs and maxima change sides
	r := rng.New(6, what)
	direction, want := make([]nn.Float, len(v)), 0.0
	for i := range direction {
		if v[i] != 0 {
			direction[i] = nn.Float(r.NormFloat64())
		}
		want += float64(direction[i] * g[i])
	}
	at := slices.Clone(v)
	along := func(sign nn.Float) float64 {
		for i := range v {
			v[i] = at[i] + sign*eps*direction[i]
		}
		return loss()
	}
	got := (along(1) - along(-1)) / (2 * eps)
	copy(v, at)
	if !(math.Abs(got-want) <= 5e-5*(1+math.Abs(want))) {
		t.Errorf("%s: derivative %v, differences give %v", what, want, got)
	}
}
