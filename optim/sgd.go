package optim

import (
	"errors"

	"espalier/internal/kernels"
)

// SGDOptions are the options of SGD. The zero value is plain gradient descent.
type SGDOptions struct {
	Momentum    float64 `yaml:"momentum"`     // share of the last update that is kept, in [0, 1)
	Nesterov    bool    `yaml:"nesterov"`     // look ahead along the momentum, which must not be 0
	WeightDecay float64 `yaml:"weight_decay"` // times the weight, added to the gradient
}

// Validate says what is wrong with the options.
func (o SGDOptions) Validate() error {
	if o.Nesterov && o.Momentum == 0 {
		return errors.New("optim: nesterov needs a momentum above 0")
	}
	return errors.Join(share("momentum", o.Momentum), nonNegative("weight_decay", o.WeightDecay))
}

// SGD is stochastic gradient descent with momentum as PyTorch defines it: the velocity starts at zero and takes the
// gradient in full (no dampening), and the learning rate multiplies the velocity; see kernels.SGD.
type SGD struct {
	o        SGDOptions
	n        int
	segments []Group
	velocity []kernels.Float // nil without momentum
}

// NewSGD makes an optimizer of n weights; groups are the exceptions to o.WeightDecay, in any order. It panics if the
// options or the groups are invalid.
func NewSGD(n int, o SGDOptions, groups ...Group) *SGD {
	if err := o.Validate(); err != nil {
		panic(err.Error())
	}
	s := &SGD{o: o, n: n, segments: segments(n, o.WeightDecay, groups)}
	if o.Momentum != 0 {
		s.velocity = make([]kernels.Float, n)
	}
	return s
}

// Step moves w, as Optimizer demands.
func (s *SGD) Step(w, g []kernels.Float, lr float64) {
	checkLength("SGD: the vector of weights", len(w), s.n)
	checkLength("SGD: the gradient", len(g), s.n)
	for _, r := range s.segments {
		var v []kernels.Float
		if s.velocity != nil {
			v = s.velocity[r.From:r.To]
		}
		kernels.SGD(w[r.From:r.To], v, g[r.From:r.To],
			kernels.Float(lr), kernels.Float(s.o.Momentum), kernels.Float(r.Decay), s.o.Nesterov)
	}
}

// Preview writes to to what Step would make of w, up to rounding, and changes nothing else. to is not w. With Nesterov
// momentum it panics: nothing unrolls such steps.
func (s *SGD) Preview(to, w, g []kernels.Float, lr float64) {
	checkLength("SGD: the vector of weights", len(w), s.n)
	checkLength("SGD: the gradient", len(g), s.n)
	checkLength("SGD: the preview", len(to), s.n)
	if s.o.Nesterov {
		panic("optim: SGD: a preview of a step with Nesterov momentum")
	}
	copy(to, w)
	for _, r := range s.segments {
		kernels.SGD(to[r.From:r.To], nil, g[r.From:r.To], kernels.Float(lr), 0, kernels.Float(r.Decay), false)
	}
	if s.velocity != nil {
		kernels.Axpy(to, kernels.Float(-lr*s.o.Momentum), s.velocity)
	}
}

// State holds the vector "velocity" if there is momentum.
func (s *SGD) State() State {
	if s.velocity == nil {
		return State{}
	}
	return State{Vectors: map[string][]kernels.Float{"velocity": s.velocity}}
}

// Restore goes on from a state, as Stateful demands.
func (s *SGD) Restore(state State) error {
	if err := state.match(s.State()); err != nil {
		return err
	}
	copy(s.velocity, state.Vectors["velocity"])
	return nil
}
