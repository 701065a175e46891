package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"espalier/internal/kernels"
)

// bench is one layer on a bench: with its weights, an input, and a random projection of its output as a loss.
type bench struct {
	layer           Layer
	in, out         Shape
	params          *Params
	run             *Run
	x, y, dx, g, pr []Float
}

// newBench builds the single unit that spec becomes.
func newBench(t testing.TB, spec Spec, in Shape, batch int, s Statistics, seed uint64) *bench {
	t.Helper()
	seq, ok := spec.(Sequential)
	if !ok {
		seq = Sequential{{"layer", spec}}
	}
	net, err := NewNet(seq, in)
	if err != nil {
		t.Fatal(err)
	}
	if len(net.units) != 1 {
		t.Fatalf("%v became %d units, want 1", spec, len(net.units))
	}
	plan := NewPlan(batch)
	plan.Run.Statistics = s
	b := &bench{layer: net.units[0].build.Build(plan, in), in: in, out: net.Out, params: net.Params, run: plan.Run}
	plan.Allocate()
	r := rand.New(rand.NewPCG(seed, 1))
	b.x, b.dx = random(r, batch*in.Len()), kernels.Alloc(batch*in.Len())
	b.y, b.g = kernels.Alloc(batch*net.Out.Len()), kernels.Alloc(batch*net.Out.Len())
	b.pr = random(r, len(b.y))
	for _, p := range net.Params.Layout.Parts() {
		inputs := 1
		if p.Kind.Weight() {
			inputs = p.Len / p.Shape[len(p.Shape)-1]
		}
		for i := range p.Len {
			v := r.NormFloat64() / math.Sqrt(float64(inputs))
			if p.Kind == NormGamma {
				v = 1 + v/2
			}
			p.Of(net.Params.Values)[i] = Float(v)
		}
	}
	for _, p := range net.Params.BufferLayout.Parts() {
		for i := range p.Len {
			v := Float(r.NormFloat64()) / 2
			if p.Kind == RunningVar {
				v = 1 + v*v
			}
			p.Of(net.Params.Buffers)[i] = v
		}
	}
	return b
}

func random(r *rand.Rand, n int) []Float {
	v := kernels.Alloc(n)
	for i := range v {
		v[i] = Float(r.NormFloat64())
	}
	return v
}

func (b *bench) loss() float64 {
	b.layer.Forward(b.y, b.x, b.params.Vectors)
	var l float64
	for i, v := range b.y {
		l += float64(v) * float64(b.pr[i])
	}
	return l
}

// gradients runs forward and backward; dx, and the gradients at the weights, are b's.
func (b *bench) gradients(dx []Float) {
	b.loss()
	copy(b.g, b.pr)
	b.layer.Backward(dx, b.x, b.y, b.g, b.params.Vectors)
}

// layerCases are all layers, in the fused forms in which they run.
func layerCases() []struct {
	name string
	spec Spec
	in   Shape
} {
	chain := func(specs ...Spec) Sequential {
		var s Sequential
		for i, spec := range specs {
			s = append(s, Named{fmt.Sprint(i), spec})
		}
		return s
	}
	conv := func(c, k, stride int) Conv { return Conv{Channels: c, Kernel: k, Stride: stride, Pad: k / 2} }
	return []struct {
		name string
		spec Spec
		in   Shape
	}{
		{"conv", conv(5, 3, 1), Shape{5, 4, 3}},
		{"conv strided", conv(4, 3, 2), Shape{5, 5, 3}},
		{"conv dilated", Conv{Channels: 4, Kernel: 3, Pad: 2, Dilation: 2}, Shape{5, 5, 3}},
		{"conv 1x1", conv(6, 1, 1), Shape{3, 3, 5}},
		{"conv, norm", chain(conv(5, 3, 1), BatchNorm{}), Shape{4, 4, 3}},
		{"conv, plain norm", chain(conv(5, 3, 1), BatchNorm{Plain: true}), Shape{4, 4, 3}},
		{"conv, norm, relu", chain(conv(5, 3, 1), BatchNorm{}, ReLU{}), Shape{4, 5, 3}},
		{"strided conv, norm, relu", chain(conv(5, 3, 2), BatchNorm{}, ReLU{}), Shape{5, 4, 3}},
		{"norm", BatchNorm{}, Shape{3, 2, 5}},
		{"plain norm", BatchNorm{Plain: true}, Shape{3, 2, 5}},
		{"norm, relu", chain(BatchNorm{}, ReLU{}), Shape{3, 3, 5}},
		{"relu", ReLU{}, Shape{3, 3, 5}},
		{"depthwise", Depthwise{Kernel: 3, Pad: 1}, Shape{4, 5, 6}},
		{"depthwise strided", Depthwise{Kernel: 5, Pad: 2, Stride: 2}, Shape{5, 5, 4}},
		{"depthwise dilated", Depthwise{Kernel: 3, Pad: 2, Dilation: 2}, Shape{5, 5, 4}},
		{"max pool", MaxPool{Kernel: 3, Stride: 2, Pad: 1}, Shape{5, 4, 3}},
		{"average pool", AvgPool{Kernel: 3, Stride: 1, Pad: 1}, Shape{4, 4, 3}},
		{"global average pool", GlobalAvgPool{}, Shape{3, 4, 5}},
		{"linear", Linear{Channels: 4}, Shape{1, 1, 7}},
		{"linear without bias", Linear{Channels: 4, NoBias: true}, Shape{1, 1, 7}},
		{"subsample", Subsample{Channels: 7, Stride: 2}, Shape{5, 4, 3}},
		{"residual, identity", block(conv, 4, 1, nil), Shape{4, 4, 4}},
		{"residual, projection", block(conv, 6, 2, Sequential{{"downsample.0", conv(6, 1, 2)}, {"downsample.1", BatchNorm{}}}), Shape{5, 4, 4}},
		{"residual, subsample", block(conv, 6, 2, Sequential{{"", Subsample{Channels: 6, Stride: 2}}}), Shape{4, 4, 4}},
		{"residual, bottleneck", Residual{Body: Sequential{
			{"conv1", conv(2, 1, 1)}, {"bn1", BatchNorm{}}, {"relu1", ReLU{}},
			{"conv2", conv(3, 3, 1)}, {"bn2", BatchNorm{}}, {"relu2", ReLU{}},
			{"conv3", conv(4, 1, 1)}, {"bn3", BatchNorm{}},
		}}, Shape{3, 4, 4}},
		{"stem, residual, identity", append(chain(conv(4, 3, 1), BatchNorm{}, ReLU{}), Named{"block", block(conv, 4, 1, nil)}), Shape{4, 4, 3}},
		{"stem, residual, projection", append(chain(conv(4, 3, 1), BatchNorm{}, ReLU{}), Named{"block",
			block(conv, 6, 2, Sequential{{"downsample.0", conv(6, 1, 2)}, {"downsample.1", BatchNorm{}}})}), Shape{5, 4, 3}},
		{"stem, residual, one convolution", append(chain(conv(4, 3, 1), BatchNorm{}, ReLU{}),
			Named{"block", Residual{Body: Sequential{{"conv", conv(4, 3, 1)}, {"bn", BatchNorm{}}}}}), Shape{3, 4, 4}},
		{"residual, one convolution", Residual{Body: Sequential{{"conv", conv(4, 3, 1)}, {"bn", BatchNorm{}}}}, Shape{3, 4, 4}},
		{"relu, conv", chain(ReLU{}, conv(5, 3, 2)), Shape{5, 4, 3}},
		{"relu, conv, norm", chain(ReLU{}, conv(5, 1, 1), BatchNorm{}), Shape{4, 4, 3}},
		{"relu, conv, norm, relu", chain(ReLU{}, conv(5, 3, 1), BatchNorm{Plain: true}, ReLU{}), Shape{4, 4, 3}},
		{"relu, depthwise", chain(ReLU{}, Depthwise{Kernel: 3, Pad: 2, Dilation: 2, Stride: 2}), Shape{6, 5, 4}},
		{"separable", chain(Depthwise{Kernel: 3, Pad: 1}, conv(5, 1, 1), BatchNorm{}), Shape{5, 4, 3}},
		{"separable, relu", chain(Depthwise{Kernel: 3, Pad: 1, Stride: 2}, conv(5, 1, 1), BatchNorm{}, ReLU{}), Shape{5, 4, 3}},
		{"relu, separable", chain(ReLU{}, Depthwise{Kernel: 3, Pad: 2, Dilation: 2}, conv(5, 1, 1), BatchNorm{Plain: true}), Shape{4, 5, 3}},
		{"relu, separable twice", chain(ReLU{}, Depthwise{Kernel: 5, Pad: 2, Stride: 2}, conv(4, 1, 1), BatchNorm{},
			ReLU{}, Depthwise{Kernel: 5, Pad: 2}, conv(6, 1, 1), BatchNorm{}), Shape{6, 5, 3}},
		{"separable thrice, relu", chain(Depthwise{Kernel: 3, Pad: 1}, conv(4, 1, 1), BatchNorm{}, ReLU{}, Depthwise{Kernel: 3, Pad: 1}, conv(4, 1, 1),
			BatchNorm{Plain: true}, ReLU{}, Depthwise{Kernel: 3, Pad: 1}, conv(3, 1, 1), BatchNorm{}, ReLU{}), Shape{4, 4, 3}},
		{"decimate", Decimate{Stride: 2, Offset: 1}, Shape{5, 6, 3}},
		{"slice", Slice{From: 1, Channels: 2}, Shape{3, 4, 5}},
		{"shuffle", Shuffle{Groups: 3}, Shape{3, 2, 6}},
		{"drop path", DropPath{}, Shape{3, 2, 4}},
		{"dag, chain", DAG{[]Vertex{{From: []int{0}, Layers: chain(conv(5, 3, 1), BatchNorm{}, ReLU{}, conv(3, 1, 1))}}}, Shape{4, 5, 3}},
		{"dag, identity", DAG{[]Vertex{{From: []int{0}}}}, Shape{2, 3, 4}},
		{"dag, sum", dagOf(Sum), Shape{4, 4, 6}},
		{"dag, concat", dagOf(Concat), Shape{4, 4, 6}},
		{"dag, same source twice", DAG{[]Vertex{
			{From: []int{0}, Layers: chain(conv(4, 1, 1))},
			{From: []int{1, 1, 0}, Layers: chain(ReLU{})},
			{From: []int{2, 0, 2}, Join: Concat},
		}}, Shape{3, 3, 4}},
		{"dag, factorized reduce", DAG{[]Vertex{
			{From: []int{0}, Layers: chain(ReLU{})},
			{Name: "a", From: []int{1}, Layers: chain(conv(3, 1, 2))},
			{Name: "b", From: []int{1}, Layers: chain(Decimate{Stride: 2, Offset: 1}, conv(2, 1, 1))},
			{Name: "c", From: []int{2, 3}, Join: Concat, Layers: chain(BatchNorm{})},
		}}, Shape{4, 6, 4}},
		{"sigmoid", Sigmoid{}, Shape{3, 2, 5}},
		{"dag, squeeze and excite", DAG{[]Vertex{
			{From: []int{0}, Layers: chain(GlobalAvgPool{}, Linear{Channels: 2}, ReLU{}, Linear{Channels: 5}, Sigmoid{})},
			{From: []int{0, 1}, Join: Scale},
			{Name: "a", From: []int{2, 1}, Join: Scale, Layers: chain(conv(5, 1, 1))},
			{From: []int{3, 2}},
		}}, Shape{3, 4, 5}},
		{"dag within a dag", DAG{[]Vertex{
			{Name: "a", From: []int{0}, Layers: chain(conv(6, 1, 1))},
			{Name: "b", From: []int{1}, Layers: chain(BatchNorm{}, dagOf(Sum), conv(5, 3, 1))},
			{From: []int{1, 2, 0}, Join: Concat, Layers: chain(dagOf(Concat))},
		}}, Shape{4, 4, 6}},
	}
}

// dagOf has all that a step of a DAG can meet: sources that several steps read, that one reads in place, the input read
// early and late, zeros.
func dagOf(join Join) DAG {
	conv := func(name string) Sequential {
		return Sequential{{name + "relu", ReLU{}}, {name, Conv{Channels: 6, Kernel: 3, Pad: 1}}, {name + "bn", BatchNorm{}}}
	}
	return DAG{[]Vertex{
		{Name: "a", From: []int{0}, Layers: conv("conv")},
		{Name: "b", From: []int{0}, Layers: Sequential{{"pool", MaxPool{Kernel: 3, Stride: 1, Pad: 1}}, {"bn", BatchNorm{Plain: true}}}},
		{Name: "c", From: []int{1, 2}, Join: join, Layers: Sequential{{"conv", Conv{Channels: 6, Kernel: 1}}}},
		{Name: "d", From: []int{1, 3}, Layers: conv("last")},
		{Name: "e", From: []int{0}, Layers: Sequential{{"zero", Zero{}}}},
		{Name: "f", From: []int{3, 4, 5, 0}, Join: join},
	}}
}

// block is a basic block.
func block(conv func(c, k, stride int) Conv, c, stride int, shortcut Sequential) Residual {
	return Residual{Shortcut: shortcut, Body: Sequential{
		{"conv1", conv(c, 3, stride)}, {"bn1", BatchNorm{}}, {"relu", ReLU{}},
		{"conv2", conv(c, 3, 1)}, {"bn2", BatchNorm{}},
	}}
}

// TestGradients compares every layer's gradient with central differences, with the batch's and with running statistics:
// element by element in double precision, along the gradient in single precision.
func TestGradients(t *testing.T) {
	for _, c := range layerCases() {
		for mode, s := range map[string]Statistics{"training": BatchStatistics, "evaluation": RunningStatistics} {
			t.Run(c.name+"/"+mode, func(t *testing.T) {
				if double {
					checkElements(t, newBench(t, c.spec, c.in, 3, s, 7))
				} else {
					checkSlopes(t, func(seed uint64) *bench { return newBench(t, c.spec, c.in, 3, s, seed) })
				}
			})
		}
	}
}

// tensors calls f for the input and every weight, with its gradient.
func (b *bench) tensors(f func(name string, v, grad []Float)) {
	b.gradients(b.dx)
	f("x", b.x, slices.Clone(b.dx))
	grads := slices.Clone(b.params.Grads)
	for _, p := range b.params.Layout.Parts() {
		f(p.Name, p.Of(b.params.Values), p.Of(grads))
	}
}

func checkElements(t *testing.T, b *bench) {
	const h, tolerance = 1e-6, 1e-6
	b.tensors(func(name string, v, grad []Float) {
		scale := 1.0
		for _, g := range grad {
			scale = max(scale, math.Abs(float64(g)))
		}
		for i := range v {
			old := v[i]
			v[i] = old + h
			up := b.loss()
			v[i] = old - h
			down := b.loss()
			v[i] = old
			if want := (up - down) / (2 * h); !(math.Abs(float64(grad[i])-want) <= tolerance*scale) {
				t.Fatalf("gradient at %s[%d] is %v, by differences %v", name, i, grad[i], want)
			}
		}
	})
}

// checkSlopes compares the length of each gradient with the slope of the loss along it. A ReLU that changes sides within
// the step spoils the slope, however right the gradient, and single precision allows no much smaller step: so the median
// error over several seeds counts.
func checkSlopes(t *testing.T, at func(seed uint64) *bench) {
	const seeds, tolerance = 7, 1e-3
	errors := make(map[string][]float64)
	for seed := range uint64(seeds) {
		b := at(seed)
		b.tensors(func(name string, v, grad []Float) {
			errors[name] = append(errors[name], slopeError(b, v, grad))
		})
	}
	for name, e := range errors {
		slices.Sort(e)
		if !(e[seeds/2] <= tolerance) {
			t.Errorf("the loss does not rise along the gradient at %s as its length says: relative errors %.2g", name, e)
		}
	}
}

func slopeError(b *bench, v, grad []Float) float64 {
	const h = 1e-3
	norm := math.Sqrt(kernels.Dot(grad, grad))
	old := slices.Clone(v)
	at := func(h float64) float64 {
		for i := range v {
			v[i] = Float(float64(old[i]) + h*float64(grad[i])/norm)
		}
		return b.loss()
	}
	slope := (at(h) - at(-h)) / (2 * h)
	copy(v, old)
	if e := math.Abs(slope-norm) / norm; !math.IsNaN(e) {
		return e
	}
	return math.Inf(1)
}

func nans(n int) []Float {
	v := make([]Float, n)
	for i := range v {
		v[i] = Float(math.NaN())
	}
	return v
}

// TestBackwardForms checks that a layer gives the same bits with dx left out, without what it says that it forgets, and with
// dx written over g where it says that it can.
func TestBackwardForms(t *testing.T) {
	for _, c := range layerCases() {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.spec, c.in, 3, BatchStatistics, 8)
			b.gradients(b.dx)
			want := slices.Clone(b.params.Grads)
			clear(b.params.Grads)
			b.gradients(nil)
			if !slices.Equal(b.params.Grads, want) {
				t.Error("without dx, the gradients at the weights differ")
			}
			if noX, noY := forgets(b.layer); noX || noY {
				b.loss()
				copy(b.g, b.pr)
				dx := slices.Clone(b.dx)
				x, y := b.x, b.y
				if noX {
					x = nans(len(x))
				}
				if noY {
					y = nans(len(y))
				}
				clear(b.params.Grads)
				b.layer.Backward(b.dx, x, y, b.g, b.params.Vectors)
				if !slices.Equal(b.params.Grads, want) || !slices.Equal(b.dx, dx) {
					t.Error("the backward pass reads what it says that it forgets")
				}
			}
			if l, ok := b.layer.(InPlace); ok && l.InPlace() {
				clear(b.params.Grads)
				b.gradients(b.g)
				if !slices.Equal(b.params.Grads, want) {
					t.Error("with dx over g, the gradients at the weights differ")
				}
				if !slices.Equal(b.g, b.dx) {
					t.Error("dx written over g differs from dx written elsewhere")
				}
			}
		})
	}
}
