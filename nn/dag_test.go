package nn

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"espalier/internal/kernels"
	"espalier/internal/rng"
)

// cellNet is a net whose DAGs stand first, last and between other units.
func cellNet(t testing.TB, auxiliary ...Named) *Net {
	t.Helper()
	net, err := NewNet(slices.Concat(Sequential{
		{"cells", dagOf(Sum)},
		{"conv", Conv{Channels: 6, Kernel: 3, Pad: 1, Stride: 2}},
		{"", dagOf(Concat)},
	}, auxiliary, Sequential{
		{"relu", ReLU{}},
		{"pool", GlobalAvgPool{}},
		{"head", DAG{[]Vertex{
			{From: []int{0}, Layers: Sequential{{"fc", Linear{Channels: 5}}}},
			{From: []int{0}, Layers: Sequential{{"unused", Linear{Channels: 7}}}},
			{From: []int{0}, Layers: Sequential{{"second", Linear{Channels: 5, NoBias: true}}}},
			{From: []int{1, 3}},
		}}},
	}), Shape{8, 7, 6})
	if err != nil {
		t.Fatal(err)
	}
	fill(net.Params, 4)
	return net
}

// TestDAGStepIsExplicitStep checks that a program whose units are DAGs gives the bits of the layers' own passes, and that
// evaluation, which plans memory otherwise, gives the logits of training.
func TestDAGStepIsExplicitStep(t *testing.T) {
	const batch = 3
	net, twin := cellNet(t), cellNet(t)
	train, err := net.TrainProgram(batch, TrainOptions{Statistics: BatchStatistics})
	if err != nil {
		t.Fatal(err)
	}
	eval, err := net.EvalProgram(batch, EvalOptions{BatchStatistics: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(2) {
		x, labels := batchOf(net, batch, i)
		got, err := train.Step(x, labels)
		if err != nil {
			t.Fatal(err)
		}
		if want := explicitStep(twin, batch, x, labels, CrossEntropy{}); got != want {
			t.Errorf("step %d: %+v, explicitly %+v", i, got, want)
		}
		if !slices.Equal(net.Params.Grads, twin.Params.Grads) {
			t.Errorf("step %d: gradients differ from the explicit ones", i)
		}
		if r, err := eval.Eval(x, labels); err != nil || r != got {
			t.Errorf("step %d: evaluation finds %+v (%v), training %+v", i, r, err, got)
		}
	}
}

// TestUnusedVertex checks that a vertex without a path to the output counts, and learns nothing.
func TestUnusedVertex(t *testing.T) {
	net := cellNet(t)
	if c := net.Cost(); c.Params != net.Params.Layout.Count() || net.Params.Value("head.unused.weight") == nil {
		t.Errorf("the walk counts %d parameters, the layout %d", c.Params, net.Params.Layout.Count())
	}
	p, err := net.TrainProgram(2, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range net.Params.Grads {
		net.Params.Grads[i] = 1
	}
	x, labels := batchOf(net, 2, 1)
	if _, err := p.Step(x, labels); err != nil {
		t.Fatal(err)
	}
	for _, part := range net.Params.Layout.Parts() {
		g := part.Of(net.Params.Grads)
		zero := kernels.Dot(g, g) == 0
		if unused := strings.HasPrefix(part.Name, "head.unused"); zero != unused {
			t.Errorf("the gradient at %s: all zeros %v", part.Name, zero)
		}
	}
}

// TestDAGMemory checks that the steps of a DAG share memory as those of a chain do, and that nothing is kept that no backward
// pass reads.
func TestDAGMemory(t *testing.T) {
	const d = 20
	size := func(layers Sequential) (train, eval int) {
		chain := DAG{}
		for i := range d {
			chain.Vertices = append(chain.Vertices, Vertex{Name: strconv.Itoa(i), From: []int{i}, Layers: layers})
		}
		net, err := NewNet(Sequential{{"dag", chain}, {"gap", GlobalAvgPool{}}, {"fc", Linear{Channels: 2}}}, Shape{16, 16, 4})
		if err != nil {
			t.Fatal(err)
		}
		p, err := net.TrainProgram(1, TrainOptions{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := net.EvalProgram(1, EvalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		image := 16 * 16 * 4 * floatSize
		return p.Memory() / image, e.Memory() / image
	}
	if train, eval := size(Sequential{{"relu", ReLU{}}, {"conv", Conv{Channels: 4, Kernel: 1}}}); train > d+4 || eval > 4 {
		t.Errorf("%d convolutions take the memory of %d images in training and %d in evaluation", d, train, eval)
	}
	if train, eval := size(Sequential{{"pool", AvgPool{Kernel: 3, Stride: 1, Pad: 1}}}); train > 5 || eval > 4 {
		t.Errorf("%d steps that keep nothing take the memory of %d images in training and %d in evaluation", d, train, eval)
	}
}

func TestDAGErrors(t *testing.T) {
	in := Shape{4, 4, 3}
	for want, d := range map[string]DAG{
		"a DAG without vertices":                                           {},
		"layer d.vertex 1: a vertex reads nothing":                         {[]Vertex{{}}},
		"layer d.a: a vertex reads source 1; there are 0 to 0":             {[]Vertex{{Name: "a", From: []int{1}}}},
		"adding 4x4x3 and 2x2x3: the shapes differ":                        {[]Vertex{{From: []int{0}, Layers: Sequential{{"p", MaxPool{Kernel: 2}}}}, {From: []int{0, 1}}}},
		"concatenating 4x4x3 and 2x2x3: height and width":                  {[]Vertex{{From: []int{0}, Layers: Sequential{{"p", MaxPool{Kernel: 2}}}}, {From: []int{0, 1}, Join: Concat}}},
		"scaling 4x4x3 by 1 sources, the last of 4x4x3: want one of 1x1x3": {[]Vertex{{From: []int{0, 0}, Join: Scale}}},
		"scaling 4x4x3 by 2 sources":                                       {[]Vertex{{From: []int{0}, Layers: Sequential{{"g", GlobalAvgPool{}}}}, {From: []int{0, 1, 1}, Join: Scale}}},
		`unknown join "mul"; known are sum, concat and scale`:              {[]Vertex{{From: []int{0, 0}, Join: "mul"}}},
		"layer d.a.c: ": {[]Vertex{{Name: "a", From: []int{0}, Layers: Sequential{{"c", Conv{Channels: 1, Kernel: 9}}}}}},
	} {
		if _, err := NewNet(Sequential{{"d", d}}, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want …%s…", d, err, want)
		}
	}
	for want, s := range map[string]Spec{
		"the first pixel in the image":              Decimate{Stride: 2, Offset: 4},
		"stride must be positive":                   Zero{Stride: -1},
		"an auxiliary head of weight -1":            Auxiliary{Weight: -1},
		"the auxiliary head ends in 4x4x3":          Auxiliary{Weight: 1},
		"layer s.fc: a linear layer reads features": Auxiliary{Weight: 1, Head: Sequential{{"fc", Linear{Channels: 2}}}},
	} {
		if _, err := NewNet(Sequential{{"s", s}}, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want …%s…", s, err, want)
		}
	}
}

// TestDAGPanic checks that a panic names the step.
func TestDAGPanic(t *testing.T) {
	net := cellNet(t)
	p, err := net.TrainProgram(2, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.units[0].layer.(*dagLayer).steps[1].out.data.Data = nil
	x, labels := batchOf(net, 2, 1)
	_, err = p.Step(x, labels)
	var le *LayerError
	if !errors.As(err, &le) || !strings.HasPrefix(err.Error(), "nn: cells: b.pool: ") {
		t.Errorf("a panic in a step became %v", err)
	}
}

// TestAuxiliary checks that the head's loss is added with its weight, that its gradient reaches the layers below, and that
// evaluation knows nothing of it.
func TestAuxiliary(t *testing.T) {
	aux := func(weight float64) Named {
		return Named{"aux", Auxiliary{Weight: weight, Head: Sequential{
			{"relu", ReLU{}}, {"pool", AvgPool{Kernel: 2}}, {"conv", Conv{Channels: 4, Kernel: 1}}, {"bn", BatchNorm{}},
			{"gap", GlobalAvgPool{}}, {"fc", Linear{Channels: 5}},
		}}}
	}
	with, without := cellNet(t, aux(0.5)), cellNet(t)
	if w, o := with.Cost(), without.Cost(); w.MACs != o.MACs || w.Params != o.Params+24*4+2*4+4*5+5 {
		t.Errorf("with the head %+v, without %+v", w, o)
	}
	step := func(net *Net) (Result, map[string][]Float) {
		for _, p := range net.Params.Layout.Parts() { // equal weights by name
			copy(p.Of(net.Params.Values), random(newRand(uint64(len(p.Name))+uint64(p.Name[0])), p.Len))
		}
		p, err := net.TrainProgram(4, TrainOptions{Statistics: BatchStatistics})
		if err != nil {
			t.Fatal(err)
		}
		x, labels := batchOf(net, 4, 1)
		r, err := p.Step(x, labels)
		if err != nil {
			t.Fatal(err)
		}
		e, err := net.EvalProgram(4, EvalOptions{BatchStatistics: true})
		if err != nil {
			t.Fatal(err)
		}
		plain, err := e.Eval(x, labels)
		if err != nil {
			t.Fatal(err)
		}
		if o, err := without.EvalProgram(4, EvalOptions{BatchStatistics: true}); err == nil && net != without {
			for _, q := range without.Params.Layout.Parts() {
				copy(q.Of(without.Params.Values), net.Params.Value(q.Name))
			}
			if same, err := o.Eval(x, labels); err != nil || same != plain {
				t.Errorf("evaluation with a head finds %+v, without %+v (%v)", plain, same, err)
			}
		}
		grads := make(map[string][]Float)
		for _, q := range net.Params.Layout.Parts() {
			grads[q.Name] = slices.Clone(q.Of(net.Params.Grads))
		}
		grads["loss"] = []Float{Float(plain.Loss)}
		return r, grads
	}
	r0, g0 := step(cellNet(t, aux(0)))
	r1, g1 := step(cellNet(t, aux(0.5)))
	r2, g2 := step(cellNet(t, aux(1)))
	if !(r1.Loss > r0.Loss) || !(math.Abs(r2.Loss-r0.Loss-2*(r1.Loss-r0.Loss)) < 1e-9) {
		t.Errorf("losses of weights 0, ½ and 1: %v, %v, %v", r0.Loss, r1.Loss, r2.Loss)
	}
	for name := range g0 {
		for i := range g0[name] {
			a, b, c := float64(g0[name][i]), float64(g1[name][i]), float64(g2[name][i])
			if !(math.Abs(c-a-2*(b-a)) <= 1e-3*(1e-3+math.Abs(a)+math.Abs(b)+math.Abs(c))) {
				t.Fatalf("the gradient at %s[%d] is not linear in the weight: %v, %v, %v", name, i, a, b, c)
			}
		}
	}
	if slices.Equal(g0["conv.weight"], g1["conv.weight"]) || !slices.Equal(g0["head.fc.weight"], g1["head.fc.weight"]) {
		t.Error("the head's gradient must reach the layers below it and no others")
	}
	if g := g0["aux.fc.weight"]; kernels.Dot(g, g) != 0 {
		t.Error("a head of weight 0 has a gradient")
	}
}

// TestAuxiliaryGradient compares the gradient of a net with a head with the slope of the loss that a step reports.
func TestAuxiliaryGradient(t *testing.T) {
	var errs []float64
	for seed := range uint64(7) {
		net := cellNet(t, Named{"aux", Auxiliary{Weight: 0.4, Head: Sequential{{"relu", ReLU{}}, {"gap", GlobalAvgPool{}}, {"fc", Linear{Channels: 5}}}}})
		fill(net.Params, seed)
		p, err := net.TrainProgram(4, TrainOptions{Statistics: BatchStatistics})
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
		t.Errorf("relative errors of the slope along the gradient %.2g", errs)
	}
}

// TestDropPath checks shares, scale and memory of the masks, that the gradient passes through the same ones, and that
// evaluation drops nothing.
func TestDropPath(t *testing.T) {
	const batch, p = 2000, 0.3
	b := newBench(t, DropPath{}, Shape{1, 1, 2}, batch, BatchStatistics, 1)
	for i := range b.x {
		b.x[i] = 1
	}
	b.run.DropPath, b.run.Random = p, rng.New(7, "drop")
	b.gradients(b.dx)
	dropped := 0
	for n := range batch {
		y, dx, pr := b.y[2*n:][:2], b.dx[2*n:][:2], b.pr[2*n:][:2]
		switch {
		case y[0] == 0:
			dropped++
		case y[0] != Float(1/(1-p)):
			t.Fatalf("a branch that stays is scaled by %v", y[0])
		}
		if y[1] != y[0] {
			t.Fatal("an image's branch is dropped in part")
		}
		for k := range 2 {
			if d := float64(dx[k] - pr[k]*y[k]); !(math.Abs(d) <= 1e-6*math.Abs(float64(pr[k]))+1e-12) {
				t.Fatal("the gradient does not pass as the branch did")
			}
		}
	}
	if share := float64(dropped) / batch; !(math.Abs(share-p) < 4*math.Sqrt(p*(1-p)/batch)) {
		t.Errorf("%.3f of the branches were dropped, want %v", share, p)
	}
	first := slices.Clone(b.y)
	if b.loss(); slices.Equal(b.y, first) {
		t.Error("two passes drop the same branches")
	}
	b.run.Random = rng.New(7, "drop")
	if b.loss(); !slices.Equal(b.y, first) {
		t.Error("the same stream drops other branches")
	}

	net, err := NewNet(Sequential{{"drop", DropPath{}}, {"fc", Linear{Channels: 2}}}, Shape{1, 1, 3})
	if err != nil {
		t.Fatal(err)
	}
	fill(net.Params, 1)
	train, err := net.TrainProgram(8, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eval, err := net.EvalProgram(8, EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, labels := batchOf(net, 8, 1)
	losses := make(map[float64]bool)
	for _, p := range []float64{0, 0.5} {
		train.SetDropPath(p)
		train.SetRandom(rng.New(1))
		eval.SetDropPath(p)
		r, err := train.Step(x, labels)
		if err != nil {
			t.Fatal(err)
		}
		losses[r.Loss] = true
		if r, err = eval.Eval(x, labels); err != nil {
			t.Fatal(err)
		}
		losses[r.Loss] = true
	}
	if len(losses) != 2 {
		t.Errorf("%d different losses; want one with branches dropped, another in training without and in evaluation", len(losses))
	}
}

// TestNoise checks moments, freshness and that nothing passes.
func TestNoise(t *testing.T) {
	b := newBench(t, Noise{Stride: 2}, Shape{40, 39, 4}, 2, BatchStatistics, 1)
	b.run.Random = rng.New(3)
	b.gradients(b.dx)
	if want := 2 * 20 * 20 * 4; len(b.y) != want || kernels.Dot(b.dx, b.dx) != 0 {
		t.Errorf("%d values of noise, want %d; gradients %v", len(b.y), want, kernels.Dot(b.dx, b.dx))
	}
	sum, square := 0.0, kernels.Dot(b.y, b.y)
	for _, v := range b.y {
		sum += float64(v)
	}
	n := float64(len(b.y))
	if !(math.Abs(sum/n) < 4/math.Sqrt(n)) || !(math.Abs(square/n-1) < 4*math.Sqrt(2/n)) {
		t.Errorf("noise has the mean %v and the square %v", sum/n, square/n)
	}
	first := slices.Clone(b.y)
	if b.loss(); slices.Equal(first, b.y) {
		t.Error("two passes make the same noise")
	}
}
