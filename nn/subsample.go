package nn

import (
	"fmt"

	"espalier/internal/kernels"
)

// Subsample is the shortcut without parameters (He et al., 2015, option A): every Stride-th pixel, with channels of zeros on
// both sides of the input's, (Channels−C)/2 before and the rest after.
type Subsample struct {
	Channels int `json:"channels"` // of the output
	Stride   int `json:"stride,omitempty"`
}

// Kind is "subsample".
func (s Subsample) Kind() string { return "subsample" }

// Out is the shape of the output, ⌈H/Stride⌉×⌈W/Stride⌉×Channels.
func (s Subsample) Out(in Shape) (Shape, error) {
	if s.Channels < in.C || s.Stride < 0 {
		return Shape{}, fmt.Errorf("subsampling %v to %d channels with stride %d: channels cannot become fewer, nor the stride negative", in, s.Channels, s.Stride)
	}
	k := orOne(s.Stride)
	return Shape{(in.H + k - 1) / k, (in.W + k - 1) / k, s.Channels}, in.Validate()
}

// Params is empty.
func (s Subsample) Params(Shape) []Param { return nil }

// MACs is 0.
func (s Subsample) MACs(Shape) int { return 0 }

// Build makes the subsampling as a layer of its own.
func (s Subsample) Build(p *Plan, in Shape) Layer {
	return &subsampleLayer{run: p.Run, subsampler: subsampler{n: p.Batch, in: in, Subsample: s}}
}

// subsampler is a Subsample bound to a batch size.
type subsampler struct {
	Subsample
	n  int
	in Shape
}

func (s *subsampler) forward(y, x []Float) {
	kernels.Subsample(y, x, s.n, s.in.H, s.in.W, s.in.C, s.Channels, orOne(s.Stride))
}

// addBackward adds the gradient to dx.
func (s *subsampler) addBackward(dx, g []Float) {
	kernels.SubsampleBackward(dx, g, s.n, s.in.H, s.in.W, s.in.C, s.Channels, orOne(s.Stride))
}

type subsampleLayer struct {
	subsampler
	run *Run
}

func (l *subsampleLayer) Forward(y, x []Float, _ Vectors) {
	l.forward(y, x)
	l.run.Lap(l.Kind(), Forward)
}

func (l *subsampleLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		clear(dx)
		l.addBackward(dx, g)
	}
	l.run.Lap(l.Kind(), Backward)
}

// Forgets says that neither is read.
func (l *subsampleLayer) Forgets() (x, y bool) { return true, true }
