package supernet_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"espalier/internal/kernels"
	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// double is true in the build that computes in float64.
const double = unsafe.Sizeof(nn.Float(0)) == 8

// problem is a net with weights, α and a batch.
type problem struct {
	*supernet.Net
	supernet.Pass
}

func newProblem(t testing.TB, s *search.Space, o supernet.Options) *problem {
	t.Helper()
	n, err := supernet.New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	p := &problem{Net: n}
	p.Params = n.NewParams()
	p.Params.Init(1)
	r := rng.New(2, "test")
	draw := func(n int, scale float64) []nn.Float {
		v := make([]nn.Float, n)
		for i := range v {
			v[i] = nn.Float(float32(scale * r.NormFloat64()))
		}
		return v
	}
	for i, v := range draw(n.BufferLayout.Size(), 0.1) { // so that evaluation differs from training
		p.Params.Buffers[i] += v * p.Params.Buffers[i]
	}
	p.Alpha = draw(s.Weights(), 0.5)
	if o.Edge.Beside != "" {
		p.Beside = 0.3
	}
	p.Images = draw(n.Batch()*n.In.Len(), 1)
	p.Labels = make([]int32, n.Batch())
	for i := range p.Labels {
		p.Labels[i] = int32(r.IntN(n.Classes()))
	}
	p.Statistics = nn.BatchStatistics
	return p
}

func (p *problem) gradient(t testing.TB) (gw, ga []nn.Float, r nn.Result) {
	t.Helper()
	gw, ga = p.Layout.New(), make([]nn.Float, len(p.Alpha))
	r, err := p.Gradient(gw, ga, p.Pass)
	if err != nil {
		t.Fatal(err)
	}
	return gw, ga, r
}

// small is the spaces under test with nets that are small.
func small(t testing.TB) map[string]func() (*search.Space, supernet.Options) {
	image := nn.Shape{H: 8, W: 8, C: 3}
	stacked := func(s *search.Space) func() (*search.Space, supernet.Options) {
		return func() (*search.Space, supernet.Options) {
			return s, supernet.Options{Input: image, Classes: 3, Channels: 4, Cells: 3, Batch: 3}
		}
	}
	return map[string]func() (*search.Space, supernet.Options){
		"darts": stacked(search.DARTS()),
		"s1":    stacked(search.RobustDARTS1()),
		"s2":    stacked(search.RobustDARTS2()),
		"s3":    stacked(search.RobustDARTS3()),
		"nas-bench-201": func() (*search.Space, supernet.Options) {
			return search.NASBench201(), supernet.Options{Input: image, Classes: 3, Channels: 4, Cells: 1, Batch: 3}
		},
		"dead nodes":     stacked(unread(t)),
		"own primitives": own(stacked),

		"halves":             with(search.MixedEdge{Part: 2}, stacked(search.DARTS())),
		"quarters":           with(search.MixedEdge{Part: 4}, stacked(search.DARTS())),
		"halves, dead nodes": with(search.MixedEdge{Part: 2}, stacked(unread(t))),
		"halves, one input": with(search.MixedEdge{Part: 2, Beside: "skip_connect"}, func() (*search.Space, supernet.Options) {
			return search.NASBench201(), supernet.Options{Input: image, Classes: 3, Channels: 4, Cells: 1, Batch: 3}
		}),
		"beside":         with(search.MixedEdge{Beside: "skip_connect"}, stacked(search.DARTS())),
		"halves, beside": with(search.MixedEdge{Part: 2, Beside: "skip_connect"}, stacked(search.RobustDARTS1())),
	}
}

// with puts other edges into a net.
func with(e search.MixedEdge, net func() (*search.Space, supernet.Options)) func() (*search.Space, supernet.Options) {
	return func() (*search.Space, supernet.Options) {
		s, o := net()
		o.Edge = e
		return s, o
	}
}

// unread is DARTS' space with a single output node, the first, so that nothing reads the others.
func unread(t testing.TB) *search.Space {
	s := search.DARTS()
	c := *s
	c.Cells = slices.Clone(s.Cells)
	c.Cells[0].Concat = []int{3}
	return &c
}

// own is a space with a primitive that only nn's layers can compute: a dense convolution with a batch norm that has gamma and
// beta, without ReLU.
func own(stacked func(*search.Space) func() (*search.Space, supernet.Options)) func() (*search.Space, supernet.Options) {
	return func() (*search.Space, supernet.Options) {
		edges := []search.Edge{
			{From: 0, To: 2, Primitives: []string{"own", "skip_connect", "nor_conv_3x3"}},
			{From: 1, To: 2, Primitives: []string{"none", "sep_conv_7x7"}},
			{From: 0, To: 3, Primitives: []string{"own"}},
			{From: 2, To: 3, Primitives: []string{"own", "avg_pool_3x3", "dil_conv_5x5", "skip_connect"}},
		}
		s := &search.Space{Name: "own", Skeleton: search.Stacked, Cells: []search.Cell{
			{Name: "normal", Nodes: 2, Edges: edges, Concat: []int{2, 3}, Keep: 1},
			{Name: "reduce", Nodes: 2, Edges: edges, Concat: []int{2, 3}, Keep: 1},
		}}
		_, o := stacked(s)()
		o.Primitives = search.With(search.Primitive{Name: "own", Layers: func(p search.Place) nn.Sequential {
			return nn.Sequential{
				{Name: "conv", Spec: nn.Conv{Channels: p.Channels, Kernel: 3, Stride: p.Stride, Pad: 1}},
				{Name: "bn", Spec: nn.BatchNorm{}},
			}
		}})
		return s, o
	}
}

func TestParameters(t *testing.T) {
	n, err := supernet.New(search.DARTS(), supernet.Options{Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Layout.Count(); got != 1930618 {
		t.Errorf("%d weights, DARTS' supernet has 1,930,618", got)
	}
	if got := n.Space().Weights(); got != 224 {
		t.Errorf("%d architecture parameters, DARTS has 224", got)
	}
}

// The derivative of the loss along a random direction is the gradient times that direction.
func TestGradient(t *testing.T) {
	if !double {
		t.Skip("differences need the build in double precision")
	}
	for name, make := range small(t) {
		t.Run(name, func(t *testing.T) {
			for _, statistics := range []nn.Statistics{nn.BatchStatistics, nn.RunningStatistics} {
				s, o := make()
				p := newProblem(t, s, o)
				p.Statistics = statistics
				gw, ga, _ := p.gradient(t)
				difference(t, "weights", p, p.Params.Values, gw)
				difference(t, "α", p, p.Alpha, ga)
				stem := p.Layout.Parts()[0] // what flows to the cells' inputs
				difference(t, stem.Name, p, stem.Of(p.Params.Values), stem.Of(gw))
				if o.Edge.Partial() {
					p.Gate = supernet.NewNormalised(supernet.NewSoftmax(s), s, o.Edge)
					for i := range s.Edges() {
						p.Alpha = append(p.Alpha, nn.Float(math.Sin(float64(i))))
					}
					gw, ga, _ = p.gradient(t)
					difference(t, "weights, normalised", p, p.Params.Values, gw)
					difference(t, "α and β", p, p.Alpha, ga)
					difference(t, "β", p, p.Alpha[s.Weights():], ga[s.Weights():])
				}
			}
		})
	}
}

func difference(t *testing.T, what string, p *problem, v, g []nn.Float) {
	t.Helper()
	r := rng.New(3, what)
	for range 2 {
		const eps = 1e-8 // so that few ReLUs and maxima change sides
		direction, want := make([]nn.Float, len(v)), 0.0
		for i := range direction {
			if v[i] != 0 { // padding stays zero
				direction[i] = nn.Float(r.NormFloat64())
			}
			want += float64(direction[i] * g[i])
		}
		at := slices.Clone(v)
		loss := func(sign nn.Float) float64 {
			for i := range v {
				v[i] = at[i] + sign*eps*direction[i]
			}
			_, _, r := p.gradient(t)
			return r.Loss
		}
		got := (loss(1) - loss(-1)) / (2 * eps)
		copy(v, at)
		if !(math.Abs(got-want) <= 2e-5*(1+math.Abs(want))) {
			t.Errorf("statistics %v: derivative along %s %v, differences give %v", p.Statistics, what, want, got)
		}
	}
}

// Results have the same bits for any number of threads and in both modes of memory. Batches have several images for each of
// eight threads, and cells are of both kinds.
func TestSameBits(t *testing.T) {
	defer kernels.SetThreads(kernels.Threads())
	counts := []int{1, 2, 3, 8}
	if testing.Short() {
		counts = []int{1, 3}
	}
	for name, make := range small(t) {
		t.Run(name, func(t *testing.T) {
			var first []nn.Float
			var loss float64
			for _, memory := range []supernet.Memory{supernet.Keep, supernet.Recompute} {
				s, o := make()
				o.Memory, o.Batch, o.Input = memory, 48, nn.Shape{H: 8, W: 8, C: 3}
				p := newProblem(t, s, o)
				for _, threads := range counts {
					kernels.SetThreads(threads)
					gw, ga, r := p.gradient(t)
					all := append(gw, ga...)
					if first == nil {
						first, loss = all, r.Loss
					}
					if !slices.Equal(first, all) || loss != r.Loss {
						t.Errorf("%s with %d threads: the gradient differs in bits", memory, threads)
					}
				}
			}
		})
	}
}

// A forward pass alone gives the loss that a pass with gradients gives, and only nn.UpdateStatistics moves statistics.
func TestEvaluate(t *testing.T) {
	s, o := small(t)["darts"]()
	p := newProblem(t, s, o)
	before := p.Params.Clone()
	_, _, want := p.gradient(t)
	got, err := p.Evaluate(p.Pass)
	if err != nil || got != want {
		t.Errorf("evaluation gives %+v (%v), the pass with gradients %+v", got, err, want)
	}
	if !before.Equal(p.Params) {
		t.Error("a pass with the batch's statistics changed the parameters")
	}
	p.Statistics = nn.RunningStatistics
	if other, err := p.Evaluate(p.Pass); err != nil || other.Loss == want.Loss {
		t.Errorf("running statistics give the same loss as the batch's (%v)", err)
	}
	half := p.Pass
	half.Images, half.Labels = half.Images[:p.In.Len()], half.Labels[:1]
	if r, err := p.Evaluate(half); err != nil || r.N != 1 {
		t.Errorf("one image: %+v, %v", r, err)
	}
	p.Statistics = nn.UpdateStatistics
	p.gradient(t)
	if slices.Equal(before.Buffers, p.Params.Buffers) || !slices.Equal(before.Values, p.Params.Values) {
		t.Error("a training pass must move running statistics and nothing else")
	}
	if f, b := p.Passes(); f != 5 || b != 2 {
		t.Errorf("%d forward and %d backward passes were counted, want 5 and 2", f, b)
	}
}

// Weights and α have the gradients of a pass for both when a pass is for one of them.
func TestOneSide(t *testing.T) {
	s, o := small(t)["darts"]()
	p := newProblem(t, s, o)
	gw, ga, _ := p.gradient(t)
	w, a := p.Layout.New(), make([]nn.Float, len(ga))
	if _, err := p.Gradient(w, nil, p.Pass); err != nil || !slices.Equal(w, gw) {
		t.Errorf("the weights alone: another gradient (%v)", err)
	}
	if _, err := p.Gradient(nil, a, p.Pass); err != nil || !slices.Equal(a, ga) {
		t.Errorf("α alone: another gradient (%v)", err)
	}
}

// Two sets of weights can take turns.
func TestTwoSets(t *testing.T) {
	s, o := small(t)["nas-bench-201"]()
	p := newProblem(t, s, o)
	gw, _, _ := p.gradient(t)
	q := *p
	q.Params = p.Params.Clone()
	for i := range q.Params.Values {
		q.Params.Values[i] *= 1.5
	}
	other, _, _ := q.gradient(t)
	again, _, _ := p.gradient(t)
	if slices.Equal(gw, other) || !slices.Equal(gw, again) {
		t.Error("another set of weights leaves traces, or makes no difference")
	}
}

// Candidates of weight zero are as good as absent: with one candidate an edge, the others' weights have no influence and no
// gradient.
func TestSparse(t *testing.T) {
	s, o := small(t)["darts"]()
	p := newProblem(t, s, o)
	p.Gate = supernet.Direct{}
	clear(p.Alpha)
	a := search.NewAlpha(s)
	for k, c := range s.Cells {
		for e := range c.Edges {
			a.Row(k, e).Of(p.Alpha)[4] = 1 // sep_conv_3x3
		}
	}
	gw, _, want := p.gradient(t)
	for _, part := range p.Layout.Parts() {
		var cell, edge, op int
		if n, _ := fmt.Sscanf(part.Name, "cells.%d._ops.%d._ops.%d.", &cell, &edge, &op); n != 3 {
			continue
		}
		zero := !slices.ContainsFunc(part.Of(gw), func(v nn.Float) bool { return v != 0 })
		if zero != (op != 4) {
			t.Fatalf("%s: gradient zero: %v", part.Name, zero)
		}
		if op != 4 {
			for i := range part.Of(p.Params.Values) {
				part.Of(p.Params.Values)[i] = nn.Float(math.NaN())
			}
		}
	}
	if _, _, got := p.gradient(t); got != want {
		t.Errorf("weights of absent candidates change the loss: %v, was %v", got.Loss, want.Loss)
	}
}

func TestBadInput(t *testing.T) {
	if _, err := supernet.New(search.DARTS(), supernet.Options{Input: nn.Shape{H: 30, W: 30, C: 3}}); err == nil {
		t.Error("images of 30 pixels cannot be halved twice")
	}
	if _, err := supernet.New(search.DARTS(), supernet.Options{Memory: "little"}); err == nil {
		t.Error("unknown memory")
	}
	s, o := small(t)["darts"]()
	p := newProblem(t, s, o)
	p.Alpha[7] = nn.Float(math.NaN())
	if _, err := p.Gradient(nil, nil, p.Pass); err == nil {
		t.Error("NaN in α is no error")
	}
	p.Alpha[7], p.Labels[0] = 0, 3
	if _, err := p.Gradient(nil, nil, p.Pass); err == nil {
		t.Error("a label outside the classes is no error")
	}
}
