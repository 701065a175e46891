// Package rarts is relaxed architecture search (Xue, Qi and Xin, "RARTS", 2022) as a list of updates. Two networks share an
// architecture α: w is trained on training images, y on validation images, and a spring holds them together:
//
//	L(y, w, α) = L_val(y, α) + λ·L_train(w, α) + β/2·‖y − w‖²
//	w ← w − η_w(λ∇_wL_train(w, α) + β(w − y))
//	y ← y − η_y(∇_yL_val(y, α) + β(y − w))
//	α ← α − η_α(λ∇_αL_train(w, α) + ∇_αL_val(y, α))
//
// each line with the newest values, on one batch of each split. No second derivative is needed. The α-step takes two passes
// of its own, four in all; with Reuse it takes what the passes of the first two lines gave for α, at the weights before
// they moved, and a step costs two. The equations are our reading of the paper: only its abstract could be checked, and its
// λ, β and rates are unknown.
//
// Steps below 2/(λL₁+β), 2/(L₂+β) and 2/(λL₃+L₄), where L₁ and L₂ bound the curvature of the losses in the weights and L₃ and
// L₄ in α, lower L in every move. That holds for the four passes; with Reuse, half of those steps is what is safe.
//
// What the loop rests at is a critical point of L, not the solution of the two-level problem. On the problem of figure 2 of
// the DARTS paper, whose solution is α = 1, it is 1/(1 − 1/(4λ) − 1/(2β)): right in the limit of large λ and β, and there is
// none unless 4λβ > 2λ+β. And the penalty λL_train lacks the term −λ·min over w of L_train(w, α) of a value-function method:
// where the training loss at its best w still depends on α, as in (w−α)² + cα², large λ leads away from the solution, to
// 1/(1 − 1/(4λ) − 1/(2β) + λc).
package rarts

import (
	"errors"
	"fmt"
	"math"

	"espalier/bilevel"
)

// Options are those of the Lagrangian and its steps. Start from Default.
type Options struct {
	Lambda float64  `yaml:"lambda" help:"λ, weight of the training loss; 0.1, 1 and 10 are worth trying"`
	Beta   float64  `yaml:"beta" help:"β, strength of the spring between the two networks; 0.001 to 1"`
	Reuse  bool     `yaml:"reuse" help:"the α-step takes the gradients of the passes that move the weights: 2 passes a step, not 4"`
	WLR    *float64 `yaml:"w_lr" help:"first rate of w" default:"search.lr/lambda"`
	YLR    *float64 `yaml:"y_lr" help:"first rate of y" default:"search.lr"`
}

// Default is λ = 1, β = 0.1 and two passes: our choice, since the paper's is unknown; its costs fit two passes.
func Default() Options { return Options{Lambda: 1, Beta: 0.1, Reuse: true} }

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	var errs []error
	above := func(name string, v float64) {
		if !(v > 0) || math.IsInf(v, 0) {
			errs = append(errs, fmt.Errorf("rarts: %s is %v, want a number above 0", name, v))
		}
	}
	above("lambda", o.Lambda)
	if !(o.Beta >= 0) || math.IsInf(o.Beta, 0) {
		errs = append(errs, fmt.Errorf("rarts: beta is %v, want a number ≥ 0", o.Beta))
	}
	if o.WLR != nil {
		above("w_lr", *o.WLR)
	}
	if o.YLR != nil {
		above("y_lr", *o.YLR)
	}
	return errors.Join(errs...)
}

// Passes is the number of forward and backward passes of a batch in a step.
func (o Options) Passes() int {
	if o.Reuse {
		return 2
	}
	return 4
}

// Problem is what is searched: the two sets of weights, which begin equal, the architecture, and the losses, in which the
// architecture is the upper block.
type Problem[T bilevel.Float] struct {
	W, Y, Alpha         *bilevel.Block[T]
	Train, Val          bilevel.Level[T] // of w and of y
	MoveW, MoveY, MoveA bilevel.Move[T]
}

// Method is the list of updates. A gradient is clipped before λ and the spring come to it.
func Method[T bilevel.Float](p Problem[T], o Options) (bilevel.Method[T], error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	sum := bilevel.NewSum[T](len(p.Alpha.Value))
	scratch := make([]T, len(p.Alpha.Value))
	// weights is the pass before a set of weights moves; with Reuse, the α-step has its share of it.
	weights := func(own, other *bilevel.Block[T], l bilevel.Level[T], weight float64, m bilevel.Move[T]) bilevel.Gradient[T] {
		pass := func(g []T, step int) (float64, error) {
			if !o.Reuse || step < p.MoveA.From {
				return l.Moving()(nil, g, p.Alpha.Value, own.Value)
			}
			loss, err := l.Moving()(scratch, g, p.Alpha.Value, own.Value)
			sum.Add(weight, scratch, loss)
			return loss, err
		}
		return bilevel.Coupled(bilevel.Weighted(bilevel.Clipped(pass, m.Clip), weight), o.Beta, own, other)
	}
	alpha := sum.Gradient
	if !o.Reuse {
		alpha = func(g []T, step int) (float64, error) {
			first, err := p.Train.Loss(scratch, nil, p.Alpha.Value, p.W.Value)
			if err != nil {
				return 0, err
			}
			sum.Add(o.Lambda, scratch, first)
			second, err := p.Val.Loss(scratch, nil, p.Alpha.Value, p.Y.Value)
			if err != nil {
				return 0, err
			}
			sum.Add(1, scratch, second)
			return sum.Gradient(g, step)
		}
	}
	return bilevel.Method[T]{
		{Block: p.W, Splits: bilevel.Splits(p.Train), From: p.MoveW.From,
			Gradient: weights(p.W, p.Y, p.Train, o.Lambda, p.MoveW), Optimizer: p.MoveW.Optimizer, Rate: p.MoveW.Rate},
		{Block: p.Y, Splits: bilevel.Splits(p.Val), From: p.MoveY.From,
			Gradient: weights(p.Y, p.W, p.Val, 1, p.MoveY), Optimizer: p.MoveY.Optimizer, Rate: p.MoveY.Rate},
		{Block: p.Alpha, From: p.MoveA.From,
			Gradient: bilevel.Clipped(alpha, p.MoveA.Clip), Optimizer: p.MoveA.Optimizer, Rate: p.MoveA.Rate},
	}, nil
}
