package bilevel

import (
	"errors"
	"fmt"
	"math"

	"espalier/internal/kernels"
	"espalier/optim"
)

// Recipe is how weights and architecture move in a search: weights by SGD whose rate falls along half a cosine, the
// architecture by Adam. Start from DefaultRecipe.
type Recipe struct {
	LR, FinalLR, Momentum, WeightDecay, Clip    float64
	AlphaLR, AlphaBeta1, AlphaBeta2, AlphaDecay float64
	AlphaFrom                                   int // first step that moves the architecture
	Steps                                       int // of the whole search, over which the rate falls
}

// DefaultRecipe has the settings of the released code of DARTS (Liu, Simonyan and Yang, 2019): for w a rate of 0.025 that
// falls to 0.001, momentum 0.9, weight decay 3e-4, gradients clipped at norm 5; for α a rate of 3e-4, β = (0.5, 0.999), weight
// decay 1e-3.
func DefaultRecipe(steps int) Recipe {
	return Recipe{
		LR: 0.025, FinalLR: 0.001, Momentum: 0.9, WeightDecay: 3e-4, Clip: 5,
		AlphaLR: 3e-4, AlphaBeta1: 0.5, AlphaBeta2: 0.999, AlphaDecay: 1e-3, Steps: steps,
	}
}

// Validate says what is wrong with the recipe.
func (r Recipe) Validate() error {
	var errs []error
	if !(r.LR > 0) || !(r.FinalLR >= 0 && r.FinalLR <= r.LR) || !(r.Clip >= 0) || !(r.AlphaLR > 0) || math.IsInf(r.LR+r.Clip+r.AlphaLR, 0) {
		errs = append(errs, fmt.Errorf("bilevel: rates %v to %v and %v, clip %v: rates must be above 0, the last of the weights at most the first, the clip at least 0", r.LR, r.FinalLR, r.AlphaLR, r.Clip))
	}
	if r.Steps < 1 || r.AlphaFrom < 0 {
		errs = append(errs, fmt.Errorf("bilevel: %d steps, the architecture moving from step %d on", r.Steps, r.AlphaFrom))
	}
	return errors.Join(append(errs, r.sgd(1).Validate(), r.adam().Validate())...)
}

func (r Recipe) sgd(weight float64) optim.SGDOptions {
	return optim.SGDOptions{Momentum: r.Momentum, WeightDecay: weight * r.WeightDecay}
}

func (r Recipe) adam() optim.AdamOptions {
	o := optim.DefaultAdam()
	o.Beta1, o.Beta2, o.WeightDecay = r.AlphaBeta1, r.AlphaBeta2, r.AlphaDecay
	return o
}

// Weights is the move of n weights whose loss counts weight times: the decay, which is part of the loss, is multiplied by
// it, and the rate divided, so that the weight does not change the size of a step. rate, if it is above 0, is the first
// rate instead.
func (r Recipe) Weights(n int, weight, rate float64) Move[kernels.Float] {
	if rate == 0 {
		rate = r.LR / weight
	}
	return Move[kernels.Float]{
		Optimizer: optim.NewSGD(n, r.sgd(weight)), Clip: r.Clip,
		Rate: optim.Cosine{LR: rate, Final: r.FinalLR / r.LR, Steps: r.Steps},
	}
}

// Alpha is the move of an architecture of n parameters.
func (r Recipe) Alpha(n int) Move[kernels.Float] {
	return Move[kernels.Float]{Optimizer: optim.NewAdam(n, r.adam()), Rate: optim.Constant{LR: r.AlphaLR}, From: r.AlphaFrom}
}
