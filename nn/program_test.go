package nn

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"espalier/internal/kernels"
)

// smallNet has every kind of unit that a program treats differently.
func smallNet(t testing.TB) *Net {
	t.Helper()
	conv := func(c, k, stride int) Conv { return Conv{Channels: c, Kernel: k, Stride: stride, Pad: k / 2} }
	net, err := NewNet(Sequential{
		{"conv1", conv(4, 3, 1)}, {"bn1", BatchNorm{}}, {"relu", ReLU{}},
		{"layer1", Sequential{
			{"0", block(conv, 4, 1, nil)},
			{"1", block(conv, 8, 2, Sequential{{"downsample.0", conv(8, 1, 2)}, {"downsample.1", BatchNorm{}}})},
		}},
		{"layer2.0", block(conv, 10, 2, Sequential{{"", Subsample{Channels: 10, Stride: 2}}})},
		{"pool", MaxPool{Kernel: 2}},
		{"dw", Depthwise{Kernel: 3, Pad: 1}}, {"bn2", BatchNorm{}}, {"relu2", ReLU{}},
		{"avgpool", GlobalAvgPool{}},
		{"fc", Linear{Channels: 5}},
	}, Shape{9, 8, 3})
	if err != nil {
		t.Fatal(err)
	}
	fill(net.Params, 3)
	return net
}

// fill sets weights of a sensible size and trivial running statistics.
func fill(p *Params, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	for _, part := range p.Layout.Parts() {
		v := part.Of(p.Values)
		for i := range v {
			v[i] = Float(r.NormFloat64() / 3)
			if part.Kind == NormGamma {
				v[i] += 1
			}
		}
	}
	for _, part := range p.BufferLayout.Parts() {
		if part.Kind == RunningVar {
			v := part.Of(p.Buffers)
			for i := range v {
				v[i] = 1
			}
		}
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 4)) }

func batchOf(net *Net, n int, seed uint64) ([]Float, []int32) {
	r := rand.New(rand.NewPCG(seed, 3))
	labels := make([]int32, n)
	for i := range labels {
		labels[i] = int32(r.IntN(net.Out.C))
	}
	return random(r, n*net.In.Len()), labels
}

// explicitStep does what a training program does, unit after unit without a graph, every tensor in memory of its own.
func explicitStep(net *Net, batch int, x []Float, labels []int32, loss Loss) Result {
	type step struct {
		layer    Layer
		x, y, dx []Float
		v        Vectors
	}
	var steps []step
	for i := range net.units {
		u := &net.units[i]
		plan := NewPlan(batch)
		l := u.build.Build(plan, u.in)
		plan.Allocate()
		s := step{layer: l, x: x, y: kernels.Alloc(batch * u.out.Len()), v: u.vectors(net.Params.Vectors)}
		if i > 0 {
			s.dx = kernels.Alloc(len(x))
		}
		l.Forward(s.y, s.x, s.v)
		x = s.y
		steps = append(steps, s)
	}
	g := kernels.Alloc(len(x))
	r := Result{N: batch}
	r.Loss, r.Correct = loss.Loss(g, x, labels, net.Out.C)
	for _, s := range slices.Backward(steps) {
		s.layer.Backward(s.dx, s.x, s.y, g, s.v)
		g = s.dx
	}
	return r
}

// TestStepIsExplicitStep checks that a step through Gorgonia, in planned and shared memory, gives the bits of the layers'
// own passes, twice in a row and after other passes in between.
func TestStepIsExplicitStep(t *testing.T) {
	const batch = 4
	net := smallNet(t)
	twin := smallNet(t)
	loss := CrossEntropy{Smoothing: 0.1}
	train, err := net.TrainProgram(batch, TrainOptions{Loss: loss})
	if err != nil {
		t.Fatal(err)
	}
	eval, err := net.EvalProgram(3, EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(3) {
		x, labels := batchOf(net, batch, i)
		got, err := train.Step(x, labels)
		if err != nil {
			t.Fatal(err)
		}
		if want := explicitStep(twin, batch, x, labels, loss); got != want {
			t.Errorf("step %d: %+v, explicitly %+v", i, got, want)
		}
		for _, p := range net.Params.Layout.Parts() {
			if !slices.Equal(p.Of(net.Params.Grads), p.Of(twin.Params.Grads)) {
				t.Errorf("step %d: the gradient at %s differs from the explicit one", i, p.Name)
			}
		}
		if !slices.Equal(net.Params.Buffers, twin.Params.Buffers) {
			t.Errorf("step %d: running statistics differ from the explicit ones", i)
		}
		if _, err := eval.Eval(x[:3*net.In.Len()], labels[:3]); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNetGradient compares the gradient of the whole network with the slope of the loss along it.
func TestNetGradient(t *testing.T) {
	for name, s := range map[string]Statistics{"training": BatchStatistics, "evaluation": RunningStatistics} {
		var errs []float64
		for seed := range uint64(7) {
			net := smallNet(t)
			fill(net.Params, seed)
			p, err := net.TrainProgram(4, TrainOptions{Statistics: s})
			if err != nil {
				t.Fatal(err)
			}
			x, labels := batchOf(net, 4, seed)
			loss := func() float64 {
				r, err := p.Step(x, labels)
				if err != nil {
					t.Fatal(err)
				}
				return r.Loss
			}
			loss()
			errs = append(errs, slopeOf(net.Params, loss))
		}
		slices.Sort(errs)
		tolerance := 1e-2
		if double {
			tolerance = 1e-6
		}
		if !(errs[3] <= tolerance) {
			t.Errorf("%s: relative errors of the slope along the gradient %.2g", name, errs)
		}
	}
}

// slopeOf is the relative error of the slope of loss along the gradient that its last call left in p.
func slopeOf(p *Params, loss func() float64) float64 {
	grad := slices.Clone(p.Grads)
	norm := kernels.Dot(grad, grad)
	old := slices.Clone(p.Values)
	h := 2e-3
	if double {
		h = 1e-6
	}
	at := func(h float64) float64 {
		copy(p.Values, old)
		kernels.Axpy(p.Values, Float(h/norm), grad)
		return loss()
	}
	return math.Abs((at(h)-at(-h))/(2*h) - 1)
}

// TestPartialBatch checks that the last images of a data set get the logits that they have in a full batch, and count once.
func TestPartialBatch(t *testing.T) {
	net := smallNet(t)
	p, err := net.EvalProgram(8, EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, labels := batchOf(net, 8, 1)
	whole, err := p.Eval(x, labels)
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Clone(p.logits)
	sum := Result{}
	for _, cut := range [][2]int{{0, 3}, {3, 7}, {7, 8}} {
		r, err := p.Eval(x[cut[0]*net.In.Len():cut[1]*net.In.Len()], labels[cut[0]:cut[1]])
		if err != nil {
			t.Fatal(err)
		}
		if r.N != cut[1]-cut[0] {
			t.Errorf("%d images counted, want %d", r.N, cut[1]-cut[0])
		}
		if want := all[cut[0]*net.Out.C : cut[1]*net.Out.C]; !slices.Equal(p.logits[:len(want)], want) {
			t.Errorf("images %v have other logits alone than in the whole batch", cut)
		}
		sum = sum.Add(r)
	}
	if d := sum.Loss - whole.Loss; !(max(d, -d) < 1e-6) || sum.Correct != whole.Correct || sum.N != 8 {
		t.Errorf("parts add up to %+v, the whole is %+v", sum, whole)
	}
}

// TestEvalSharesWeights checks that an evaluation program sees weights and running statistics as training leaves them.
func TestEvalSharesWeights(t *testing.T) {
	net := smallNet(t)
	train, err := net.TrainProgram(4, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eval, err := net.EvalProgram(4, EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, labels := batchOf(net, 4, 1)
	first, err := eval.Eval(x, labels)
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if _, err := train.Step(x, labels); err != nil {
			t.Fatal(err)
		}
		kernels.SGD(net.Params.Values, nil, net.Params.Grads, 0.1, 0, 0, false)
	}
	last, err := eval.Eval(x, labels)
	if err != nil {
		t.Fatal(err)
	}
	if !(last.Loss < first.Loss/2) {
		t.Errorf("after 30 steps on these images the evaluation program finds a loss of %v, before it %v", last.Loss, first.Loss)
	}
}

// TestBind checks that a program works on another set of weights, and leaves the first alone.
func TestBind(t *testing.T) {
	net := smallNet(t)
	p, err := net.TrainProgram(4, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, labels := batchOf(net, 4, 1)
	first := net.Params.Clone()
	second := net.Params.Clone()
	fill(second, 99)
	p.Bind(second)
	r2, err := p.Step(x, labels)
	if err != nil {
		t.Fatal(err)
	}
	if !net.Params.Equal(first) || kernels.Dot(net.Params.Grads, net.Params.Grads) != 0 {
		t.Error("a step on other weights changed the first")
	}
	if kernels.Dot(second.Grads, second.Grads) == 0 || slices.Equal(second.Buffers, first.Buffers) {
		t.Error("a step did not write gradients and running statistics of the weights that the program is bound to")
	}
	p.Bind(net.Params)
	r1, err := p.Step(x, labels)
	if err != nil {
		t.Fatal(err)
	}
	if r1.Loss == r2.Loss {
		t.Error("the loss does not depend on the weights that the program is bound to")
	}
}

// TestStatistics checks what each setting does to the running statistics.
func TestStatistics(t *testing.T) {
	net := smallNet(t)
	p, err := net.TrainProgram(4, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, labels := batchOf(net, 4, 1)
	step := func(s Statistics) Result {
		p.SetStatistics(s)
		r, err := p.Step(x, labels)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := slices.Clone(net.Params.Buffers)
	batch := step(BatchStatistics)
	running := step(RunningStatistics)
	if !slices.Equal(net.Params.Buffers, before) {
		t.Error("running statistics changed without being asked to")
	}
	update := step(UpdateStatistics)
	if slices.Equal(net.Params.Buffers, before) {
		t.Error("running statistics did not follow the batch's")
	}
	if batch != update || batch == running {
		t.Errorf("losses: batch statistics %v, the same with update %v, running %v", batch.Loss, update.Loss, running.Loss)
	}
}

// TestErrors checks that what goes wrong in a program comes back as an error that names the place.
func TestErrors(t *testing.T) {
	net := smallNet(t)
	p, err := net.TrainProgram(2, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, labels := batchOf(net, 2, 1)
	labels[1] = 5
	if _, err := p.Step(x, labels); err == nil || !strings.Contains(err.Error(), "label 5 of image 1") {
		t.Errorf("a label outside the classes: %v", err)
	}

	labels[1] = 4
	p.units[1].layer.(*residualLayer).body[1].z.Data = nil
	_, err = p.Step(x, labels)
	var le *LayerError
	if !errors.As(err, &le) || le.Layer != "layer1.1" {
		t.Errorf("a panic in layer1.1 became %v", err)
	}

	one, err := NewNet(Sequential{{"bn", BatchNorm{}}, {"fc", Linear{Channels: 2}}}, Shape{1, 1, 3})
	if err != nil {
		t.Fatal(err)
	}
	q, err := one.TrainProgram(1, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Step(make([]Float, 3), []int32{0}); err == nil || !strings.Contains(err.Error(), "more than one value") {
		t.Errorf("batch norm of a single value in training: %v", err)
	}

	e, err := net.EvalProgram(2, EvalOptions{BatchStatistics: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Eval(x[:net.In.Len()], labels[:1]); err == nil || !strings.Contains(err.Error(), "must be full") {
		t.Errorf("a partial batch with the batch's statistics: %v", err)
	}
}
