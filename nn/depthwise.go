package nn

import "espalier/internal/kernels"

// Depthwise is a depthwise convolution without bias: each channel has a kernel of its own.
type Depthwise struct {
	Kernel   int `json:"kernel"` // pixels
	Stride   int `json:"stride,omitempty"`
	Pad      int `json:"pad,omitempty"`
	Dilation int `json:"dilation,omitempty"`
}

// Kind is "depthwise".
func (c Depthwise) Kind() string { return "depthwise" }

func (c Depthwise) shape(n int, in Shape) kernels.ConvShape {
	return Conv{Channels: in.C, Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Dilation: c.Dilation}.shape(n, in)
}

// Out is the shape of the output.
func (c Depthwise) Out(in Shape) (Shape, error) {
	s := c.shape(1, in)
	if err := s.Validate(); err != nil {
		return Shape{}, err
	}
	return Shape{s.OH(), s.OW(), in.C}, nil
}

// Params is the weight (K,K,C).
func (c Depthwise) Params(in Shape) []Param {
	return []Param{{Name: "weight", Shape: []int{c.Kernel, c.Kernel, in.C}, Kind: DepthwiseWeight}}
}

// MACs is OH·OW·K·K·C.
func (c Depthwise) MACs(in Shape) int {
	s := c.shape(1, in)
	return s.OH() * s.OW() * s.KH * s.KW * in.C
}

// Build makes the layer.
func (c Depthwise) Build(p *Plan, in Shape) Layer {
	return c.build(p, in, nil)
}

// activeDepthwise is a depthwise convolution with the ReLU before it.
type activeDepthwise struct{ conv Depthwise }

func (a activeDepthwise) Build(p *Plan, in Shape) Layer {
	return a.conv.build(p, in, &kernels.Affine{ReLU: true})
}

func (c Depthwise) build(p *Plan, in Shape, before *kernels.Affine) Layer {
	var o Slots
	l := &depthwiseLayer{in: before, conv: kernels.NewDepthwise(c.shape(p.Batch, in)), run: p.Run}
	l.weight = o.Value(c.Kernel * c.Kernel * in.C)
	l.label = convLabel("depthwise", c.Kernel, c.Stride, c.Dilation)
	return l
}

type depthwiseLayer struct {
	conv   *kernels.Depthwise
	in     *kernels.Affine // the ReLU before it; nil: none
	weight Span
	label  string
	run    *Run
}

func (l *depthwiseLayer) Forward(y, x []Float, v Vectors) {
	l.conv.Forward(y, x, l.weight.Of(v.Values), l.in)
	l.run.Lap(l.label, Forward)
}

func (l *depthwiseLayer) Backward(dx, x, y, g []Float, v Vectors) {
	l.conv.BackwardWeights(l.weight.Of(v.Grads), x, g, l.in)
	if dx != nil {
		l.conv.BackwardData(dx, g, l.weight.Of(v.Values))
		if l.in != nil {
			kernels.ReLUBackward(dx, x, dx, nil, nil, nil, nil)
		}
	}
	l.run.Lap(l.label, Backward)
}

// Forgets says that its output is not read.
func (l *depthwiseLayer) Forgets() (x, y bool) { return false, true }
