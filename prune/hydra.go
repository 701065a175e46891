package prune

import (
	"fmt"
	"math"
	"slices"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/optim"
)

// HYDRA learns the scores of a mask while the weights stay as they are (Sehwag, Wang, Mittal and Jana, "HYDRA: Pruning
// Adversarially Robust Neural Networks", 2020): m is 1 where |s| is largest, and the gradient passes straight through the
// choice, ∂L/∂s = sign(s)·θ⊙G. Scores begin as √(6/fan-in)·θ/max|θ| of each layer. The released code ranks within each
// layer, which is the budget uniform; with a global budget all weights compete.
//
// Batch norm and biases stay too; running statistics follow.
type HYDRA struct {
	LR          float64 `yaml:"lr" help:"of the scores"`
	Schedule    string  `yaml:"schedule" help:"of the learning rate" one:"cosine constant step"`
	Momentum    float64 `yaml:"momentum" help:"of the scores"`
	WeightDecay float64 `yaml:"weight_decay" help:"of the scores"`
}

// DefaultHYDRA has the settings of the released code.
func DefaultHYDRA() HYDRA {
	return HYDRA{LR: 0.1, Schedule: "cosine", Momentum: 0.9, WeightDecay: 1e-4}
}

// Validate says what is wrong with the options.
func (h HYDRA) Validate() error {
	if !(h.LR > 0) || math.IsInf(h.LR, 0) || !slices.Contains(scheduleNames, h.Schedule) {
		return fmt.Errorf("prune: hydra with lr %v, schedule %q; schedules are %v", h.LR, h.Schedule, scheduleNames)
	}
	return optim.SGDOptions{Momentum: h.Momentum, WeightDecay: h.WeightDecay}.Validate()
}

// Bilevel implements Learner: weights do not move, so all images are for the scores.
func (HYDRA) Bilevel() bool { return false }

// Learn implements Learner.
func (h HYDRA) Learn(p *Problem, o Options, c Course) (*Learning, error) {
	if err := h.Validate(); err != nil {
		return nil, err
	}
	l, err := newLearner(p, o, c, h.Bilevel())
	if err != nil {
		return nil, err
	}
	score, size := l.scoreBlock(), l.mask.layout.New()
	prunable := Prunable(l.mask.layout)
	for _, p := range prunable {
		copy(p.Of(score.Value), p.Of(l.theta))
		spread(p.Of(score.Value), fanIn(p))
	}
	choose := func(s []nn.Float) {
		magnitudes(size, s, 1, ranges(prunable))
		l.rank.choose(l.mask.keep, size)
	}
	choose(score.Value)
	m := bilevel.Method[nn.Float]{{
		Block: score, Splits: []string{LowerSplit}, Project: choose, Rate: l.rates(h.Schedule, h.LR),
		Optimizer: optim.NewSGD(len(score.Value), optim.SGDOptions{Momentum: h.Momentum, WeightDecay: h.WeightDecay}),
		Gradient: func(g []nn.Float, _ int) (float64, error) {
			multiply(l.z, l.mask.keep, l.theta)
			r, err := l.oracle.Gradient(g, l.z, LowerSplit, nn.UpdateStatistics)
			l.count(r)
			straightThrough(g, score.Value, l.theta)
			for _, p := range l.mask.layout.Parts() {
				if !removable(p) {
					clear(p.Of(g))
				}
			}
			return r.Loss, err
		},
	}}
	return l.finish(m, score, map[string]string{"method": fmt.Sprintf("hydra %+v, %d kept", h, l.rank.k)})
}

// spread scales x so that its largest element has the size √(6/fan-in).
func spread[T bilevel.Float](x []T, fanIn int) {
	var largest T
	for _, v := range x {
		largest = max(largest, v, -v)
	}
	if largest == 0 {
		return
	}
	scale := T(math.Sqrt(6/float64(fanIn))) / largest
	for i := range x {
		x[i] *= scale
	}
}

// straightThrough turns the gradient at m⊙θ into that at the scores.
func straightThrough[T bilevel.Float](g, score, theta []T) {
	for i, s := range score {
		v := theta[i] * g[i]
		if s < 0 {
			v = -v
		}
		g[i] = v
	}
}

// fanIn is the number of inputs that a weight's output adds up: the last axis counts outputs.
func fanIn(p nn.Part) int { return max(1, p.Len/max(1, p.Shape[len(p.Shape)-1])) }
