package nn

import (
	"fmt"

	"espalier/internal/kernels"
)

// Linear is a fully connected layer on features, the output of a GlobalAvgPool: y = x·w + b.
type Linear struct {
	Channels int  `json:"channels"`          // of the output
	NoBias   bool `json:"no_bias,omitempty"` // b = 0
}

// Kind is "linear".
func (l Linear) Kind() string { return "linear" }

// Out is 1×1×Channels.
func (l Linear) Out(in Shape) (Shape, error) {
	if in.H != 1 || in.W != 1 {
		return Shape{}, fmt.Errorf("a linear layer reads features (1x1xC), not %v; put a global average pool before it", in)
	}
	if l.Channels < 1 {
		return Shape{}, fmt.Errorf("a linear layer with %d outputs", l.Channels)
	}
	return Shape{1, 1, l.Channels}, in.Validate()
}

// Params are the weight (IN,OUT) and the bias (OUT).
func (l Linear) Params(in Shape) []Param {
	ps := []Param{{Name: "weight", Shape: []int{in.C, l.Channels}, Kind: LinearWeight}}
	if l.NoBias {
		return ps
	}
	return append(ps, Param{Name: "bias", Shape: []int{l.Channels}, Kind: Bias})
}

// MACs is IN·OUT.
func (l Linear) MACs(in Shape) int { return in.C * l.Channels }

// Build makes the layer.
func (l Linear) Build(p *Plan, in Shape) Layer {
	var o Slots
	t := &linearLayer{linear: kernels.NewLinear(p.Batch, in.C, l.Channels), run: p.Run}
	t.weight = o.Value(in.C * l.Channels)
	if !l.NoBias {
		t.bias = o.Value(l.Channels)
	}
	return t
}

type linearLayer struct {
	linear       *kernels.Linear
	weight, bias Span
	run          *Run
}

func (l *linearLayer) Forward(y, x []Float, v Vectors) {
	l.linear.Forward(y, x, l.weight.Of(v.Values), l.bias.Of(v.Values))
	l.run.Lap("linear", Forward)
}

func (l *linearLayer) Backward(dx, x, y, g []Float, v Vectors) {
	l.linear.Backward(dx, l.weight.Of(v.Grads), l.bias.Of(v.Grads), x, g, l.weight.Of(v.Values))
	l.run.Lap("linear", Backward)
}

// Forgets says that the output is not read.
func (l *linearLayer) Forgets() (x, y bool) { return false, true }
