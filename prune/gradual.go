package prune

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/optim"
)

// Gradual removes weights of least magnitude little by little while the network trains (Zhu and Gupta, "To prune, or not to
// prune", 2017): the sparsity rises as s·(1 − (1 − t/n)³), measured anew every Every steps, over the first Ramp of the
// training, and the rest is fine-tuning under the last mask. What is removed stays zero.
type Gradual struct {
	Every       int     `yaml:"every" help:"steps between two masks"`
	Ramp        float64 `yaml:"ramp" help:"share of the steps in which the sparsity rises"`
	LR          float64 `yaml:"lr" help:"of the weights"`
	Schedule    string  `yaml:"schedule" help:"of the learning rate" one:"cosine constant step"`
	Momentum    float64 `yaml:"momentum" help:"of the weights"`
	WeightDecay float64 `yaml:"weight_decay" help:"of convolution and linear weights"`
}

// DefaultGradual prunes every 100 steps in the first three quarters, with the optimizer of common trainings on CIFAR-10 at a
// tenth of its usual learning rate.
func DefaultGradual() Gradual {
	return Gradual{Every: 100, Ramp: 0.75, LR: 0.01, Schedule: "cosine", Momentum: 0.9, WeightDecay: 5e-4}
}

// Validate says what is wrong with the options.
func (g Gradual) Validate() error {
	if g.Every < 1 || !(g.Ramp >= 0 && g.Ramp <= 1) || !(g.LR > 0) || math.IsInf(g.LR, 0) || !slices.Contains(scheduleNames, g.Schedule) {
		return fmt.Errorf("prune: gmp every %d steps over %v of the training, lr %v, schedule %q; schedules are %v",
			g.Every, g.Ramp, g.LR, g.Schedule, scheduleNames)
	}
	return optim.SGDOptions{Momentum: g.Momentum, WeightDecay: g.WeightDecay}.Validate()
}

// Sparsity is that after the given step, counted from 0, of n in which it rises to s.
func (g Gradual) Sparsity(step, n int, s float64) float64 {
	if n <= 0 || step >= n {
		return s
	}
	left := 1 - float64(step)/float64(n)
	return s * (1 - left*left*left)
}

// Bilevel implements Learner: weights alone are trained.
func (Gradual) Bilevel() bool { return false }

// Learn implements Learner.
func (g Gradual) Learn(p *Problem, o Options, c Course) (*Learning, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	if o.Counts != nil {
		return nil, errors.New("prune: gmp needs a sparsity that can rise, not a number for each tensor")
	}
	l, err := newLearner(p, o, c, g.Bilevel())
	if err != nil {
		return nil, err
	}
	theta, size := l.thetaBlock(), l.mask.layout.New()
	ramp := int(math.Round(g.Ramp * float64(l.steps)))
	var groups []optim.Group
	for _, p := range l.mask.layout.Parts() {
		if !p.Kind.Weight() {
			groups = append(groups, optim.Group{From: p.Offset, To: p.Offset + p.Len})
		}
	}
	var wrong error
	project := func(w []nn.Float) {
		step := l.Done() + 1
		if step%g.Every == 0 && step < ramp || step == ramp || step == 1 && ramp == 0 {
			wrong = l.thin(size, o, g.Sparsity(step, ramp, o.Sparsity))
		}
		l.mask.Apply(w)
	}
	m := bilevel.Method[nn.Float]{{
		Block: theta, Splits: []string{LowerSplit}, Project: project, Rate: l.rates(g.Schedule, g.LR),
		Optimizer: optim.NewSGD(len(theta.Value), optim.SGDOptions{Momentum: g.Momentum, WeightDecay: g.WeightDecay}, groups...),
		Gradient: func(d []nn.Float, _ int) (float64, error) {
			if wrong != nil {
				return 0, wrong
			}
			r, err := l.oracle.Gradient(d, theta.Value, LowerSplit, nn.UpdateStatistics)
			l.count(r)
			return r.Loss, err
		},
	}}
	return l.finish(m, nil, map[string]string{"method": fmt.Sprintf("gmp %+v, %d kept", g, l.rank.k)})
}

// thin makes the mask of the largest weights within the mask so far.
func (l *learner) thin(size []nn.Float, o Options, sparsity float64) error {
	o.Sparsity, o.Within = sparsity, l.mask
	r, err := newRanking(l.mask.layout, o)
	if err != nil {
		return err
	}
	magnitudes(size, l.theta, 1, ranges(Prunable(l.mask.layout)))
	m, err := r.mask(size)
	if err != nil {
		return err
	}
	copy(l.mask.keep, m.keep)
	return nil
}
