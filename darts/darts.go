// Package darts is differentiable architecture search (Liu, Simonyan and Yang, "DARTS", 2019) as a list of updates:
//
//	α ← α − Adam(∇_αL_val(w′, α)), w′ = w − ξ∇_wL_train(w, α), or w itself in the first-order form
//	w ← w − SGD(∇_wL_train(w, α))
//
// Each step draws a batch of training and one of validation images. Weights that are unrolled or perturbed are copies, so
// that w comes back as it was, to the bit; running statistics are written by the second line alone.
//
// What the loop rests at is not the solution of the two-level problem but a point near it that depends on ξ: on the problem
// of the paper's figure 2, whose solution is α = 1, it is 2/(1+2ξ), and so 2 in the first-order form.
package darts

import (
	"errors"
	"fmt"
	"math"

	"espalier/bilevel"
	"espalier/internal/kernels"
	"espalier/optim"
)

// Options are those of the α-step. Start from Default.
type Options struct {
	Order int      `yaml:"order" help:"1: the gradient at the weights as they are (2 passes a step); 2: at weights one step further (5 passes)" one:"1 2"`
	Xi    *float64 `yaml:"xi" help:"order 2: length of that step" default:"search.lr"`
	Plain bool     `yaml:"plain" help:"order 2: that step without momentum and weight decay, as in the paper; the released code has both"`
	Clip  float64  `yaml:"clip" help:"order 2: largest norm of that step's gradient, as in the released code for language models; 0: any, as in that for images"`
}

// Default is the second order, as the paper's best results have it, and as the released code computes it.
func Default() Options { return Options{Order: 2} }

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	if o.Order != 1 && o.Order != 2 {
		errs = append(errs, fmt.Errorf("darts: order is %d, want 1 or 2", o.Order))
	}
	if o.Xi != nil && !(*o.Xi >= 0 && !math.IsInf(*o.Xi, 0)) {
		errs = append(errs, fmt.Errorf("darts: xi is %v, want a number ≥ 0", *o.Xi))
	}
	if !(o.Clip >= 0) || math.IsInf(o.Clip, 0) {
		errs = append(errs, fmt.Errorf("darts: clip is %v, want a number ≥ 0", o.Clip))
	}
	return errors.Join(errs...)
}

// Passes is the number of forward and backward passes of a batch in a step.
func (o Options) Passes() int {
	if o.Order == 1 || o.Xi != nil && *o.Xi == 0 {
		return 2
	}
	return 5
}

// Problem is what is searched: the weights, the architecture, and the losses, in which the architecture is the upper block.
type Problem[T bilevel.Float] struct {
	W, Alpha     *bilevel.Block[T]
	Train, Val   bilevel.Level[T]
	MoveW, MoveA bilevel.Move[T]
}

// Method is the list of updates. Order 2 without Plain needs a bilevel.Previewer to move w.
func Method[T bilevel.Float](p Problem[T], o Options) (bilevel.Method[T], error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	upper := bilevel.Unrolled[T]{Upper: p.Val.Loss, Lower: p.Train.Loss, Clip: o.Clip}
	if o.Order == 2 {
		upper.Xi = p.MoveW.Rate.At
		if o.Xi != nil {
			upper.Xi = func(int) float64 { return *o.Xi }
		}
		if !o.Plain {
			sgd, ok := p.MoveW.Optimizer.(bilevel.Previewer[T])
			if !ok {
				return nil, fmt.Errorf("darts: a %T cannot unroll a step with its momentum", p.MoveW.Optimizer)
			}
			upper.Ahead = sgd.Preview
		}
	}
	alpha := func(g []T, step int) (float64, error) { return upper.Gradient(g, p.Alpha.Value, p.W.Value, step) }
	weights := func(g []T, _ int) (float64, error) { return p.Train.Moving()(nil, g, p.Alpha.Value, p.W.Value) }
	return bilevel.Method[T]{
		{Block: p.Alpha, Splits: bilevel.Splits(p.Train, p.Val), From: p.MoveA.From,
			Gradient: bilevel.Clipped(alpha, p.MoveA.Clip), Optimizer: p.MoveA.Optimizer, Rate: p.MoveA.Rate},
		{Block: p.W, From: p.MoveW.From,
			Gradient: bilevel.Clipped(weights, p.MoveW.Clip), Optimizer: p.MoveW.Optimizer, Rate: p.MoveW.Rate},
	}, nil
}

var _ bilevel.Previewer[kernels.Float] = (*optim.SGD)(nil)
