package optim

import (
	"errors"
	"fmt"
	"math"

	"espalier/internal/kernels"
)

// AdamOptions are the options of Adam. Start from DefaultAdam or DefaultAdamW: zero is meaningful in most fields.
type AdamOptions struct {
	Beta1       float64 `yaml:"beta1"`        // share of the mean of gradients that is kept, in [0, 1)
	Beta2       float64 `yaml:"beta2"`        // share of the mean of their squares that is kept, in [0, 1)
	Eps         float64 `yaml:"eps"`          // added to the root of that mean, above 0
	WeightDecay float64 `yaml:"weight_decay"` // times the weight, added to the gradient or, if decoupled, taken off times the learning rate
	Decoupled   bool    `yaml:"decoupled"`    // AdamW
}

// DefaultAdam returns the settings of Kingma and Ba (2015): beta1 0.9, beta2 0.999, eps 1e-8, no weight decay.
func DefaultAdam() AdamOptions { return AdamOptions{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8} }

// DefaultAdamW returns DefaultAdam with a decoupled weight decay of 0.01, as PyTorch has it.
func DefaultAdamW() AdamOptions {
	o := DefaultAdam()
	o.WeightDecay, o.Decoupled = 0.01, true
	return o
}

// Validate says what is wrong with the options.
func (o AdamOptions) Validate() error {
	var eps error
	if !(o.Eps > 0) || math.IsInf(o.Eps, 0) {
		eps = fmt.Errorf("optim: eps is %v; a finite number above 0 is needed", o.Eps)
	}
	return errors.Join(share("beta1", o.Beta1), share("beta2", o.Beta2), eps, nonNegative("weight_decay", o.WeightDecay))
}

// Adam is the method of Kingma and Ba (2015), and AdamW that of Loshchilov and Hutter (2019), where the weight decay is
// decoupled from the gradient; see kernels.AdamStep for the formulas. As in PyTorch, the decoupled decay is multiplied by
// the learning rate.
type Adam struct {
	o              AdamOptions
	segments       []Group
	mean, variance []kernels.Float
	steps          int64
}

// NewAdam makes an optimizer of n weights; groups are the exceptions to o.WeightDecay, in any order. It panics if the
// options or the groups are invalid.
func NewAdam(n int, o AdamOptions, groups ...Group) *Adam {
	if err := o.Validate(); err != nil {
		panic(err.Error())
	}
	return &Adam{
		o:        o,
		segments: segments(n, o.WeightDecay, groups),
		mean:     make([]kernels.Float, n),
		variance: make([]kernels.Float, n),
	}
}

// Step moves w, as Optimizer demands.
func (a *Adam) Step(w, g []kernels.Float, lr float64) {
	checkLength("Adam: the vector of weights", len(w), len(a.mean))
	checkLength("Adam: the gradient", len(g), len(a.mean))
	a.steps++
	step := kernels.AdamStep{
		LR: lr, Beta1: a.o.Beta1, Beta2: a.o.Beta2, Eps: a.o.Eps,
		Decoupled: a.o.Decoupled, Step: int(a.steps),
	}
	for _, r := range a.segments {
		step.Decay = r.Decay
		kernels.Adam(w[r.From:r.To], a.mean[r.From:r.To], a.variance[r.From:r.To], g[r.From:r.To], step)
	}
}

// State holds the vectors "mean" and "variance", of gradients and of their squares, and the counter "steps".
func (a *Adam) State() State {
	return State{
		Vectors:  map[string][]kernels.Float{"mean": a.mean, "variance": a.variance},
		Counters: map[string]int64{"steps": a.steps},
	}
}

// Restore goes on from a state, as Stateful demands.
func (a *Adam) Restore(state State) error {
	if err := state.match(a.State()); err != nil {
		return err
	}
	copy(a.mean, state.Vectors["mean"])
	copy(a.variance, state.Vectors["variance"])
	a.steps = state.Counters["steps"]
	return nil
}
