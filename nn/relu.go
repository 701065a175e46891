package nn

import "espalier/internal/kernels"

// ReLU is max(0,x).
type ReLU struct{}

// Kind is "relu".
func (ReLU) Kind() string { return "relu" }

// Out is in.
func (ReLU) Out(in Shape) (Shape, error) { return in, in.Validate() }

// Params is empty.
func (ReLU) Params(Shape) []Param { return nil }

// MACs is 0.
func (ReLU) MACs(Shape) int { return 0 }

// Build makes the ReLU as a layer of its own.
func (ReLU) Build(p *Plan, in Shape) Layer {
	m := kernels.NewNorm(p.Batch, in.H*in.W, in.C, true)
	m.Affine = kernels.Affine{ReLU: true} // the identity instead of a norm
	return &reluLayer{m, p.Run}
}

type reluLayer struct {
	identity *kernels.Norm
	run      *Run
}

func (l *reluLayer) Forward(y, x []Float, _ Vectors) {
	l.identity.Apply(y, x)
	l.run.Lap("relu", Forward)
}

func (l *reluLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		kernels.ReLUBackward(dx, y, g, nil, nil, nil, nil)
	}
	l.run.Lap("relu", Backward)
}

// InPlace reports that dx may be g.
func (l *reluLayer) InPlace() bool { return true }

// Forgets says that the input is not read.
func (l *reluLayer) Forgets() (x, y bool) { return true, false }
