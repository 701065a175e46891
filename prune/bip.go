package prune

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/optim"
)

// BiP learns weights and mask as the two levels of one problem (Zhang and others, "Advancing Model Pruning via Bi-level
// Optimization", 2022):
//
//	min over m of ℓ(m⊙θ*(m)), θ*(m) = argmin over θ of ℓ(m⊙θ) + γ/2·‖θ‖²
//
// With z = m⊙θ and G = ∇ℓ(z), a step is Steps moves θ ← θ − α(m⊙G + Ridge·θ), each on a batch of the lower split, and one
// move s ← s − β(θ − m⊙G/Gamma)⊙G on a batch of the upper split; m is 1 where the scores s are highest. The paper's γ
// appears twice, as Ridge and as Gamma, and is one number there. But a ridge of 1 is weight decay 1: a removed weight, which
// has no other gradient, shrinks to nothing within an epoch, and its score, whose gradient it multiplies, freezes. So they are
// two options, tied unless Ridge is given. Scores begin as |θ|, scaled to at most 1, so that the first mask is that of
// magnitude. Biases and batch norm move with θ, without ridge. The running statistics follow the lower level's batches.
//
// A zero or nil option takes the value of the form: the paper's, or that of its released code (Compat).
type BiP struct {
	Compat       string   `yaml:"compat" help:"released-code: as the authors' program computes, which is another method" one:" released-code"`
	Gamma        *float64 `yaml:"gamma" help:"γ of the implicit gradient; released code: 10000" default:"1"`
	Ridge        *float64 `yaml:"ridge" help:"γ of the lower level: weight decay of θ; released code: 0.0001" default:"gamma"`
	LR           *float64 `yaml:"lr" help:"α, of θ; released code: 0.1" default:"0.01"`
	MaskLR       *float64 `yaml:"mask_lr" help:"β, of the scores" default:"0.1"`
	Momentum     *float64 `yaml:"momentum" help:"of both levels; released code: 0.9" default:"0"`
	Steps        int      `yaml:"steps" help:"moves of θ for each of the scores; 0: 3, released code: 1"`
	Schedule     string   `yaml:"schedule" help:"of α" one:"cosine constant step"`
	MaskSchedule string   `yaml:"mask_schedule" help:"of β" one:"step constant cosine"`
}

// ReleasedCode is the value of BiP.Compat that computes what the authors' program does: weights and scores are one vector v
// there, in one memory, so that
//
//	v ← v − α(m⊙G + wd·v), then v ← v − β(|v|⊙G − v²⊙G²/Gamma + wd·v), m = 1 where |v| is largest
//
// with momentum in both, wd = Ridge on every parameter, batch norm's included, and batch norm decaying in the second move
// too, where its gradient is zero. Its implicit term pairs the scores' gradient with itself and is 0 at the weights.
const ReleasedCode = "released-code"

// bipSettings are the options of BiP with nothing left open.
type bipSettings struct {
	released                           bool
	gamma, ridge, lr, maskLR, momentum float64
	steps                              int
	schedule, maskSchedule             string
}

func (b BiP) settings() bipSettings {
	or := func(p *float64, otherwise float64) float64 {
		if p != nil {
			return *p
		}
		return otherwise
	}
	s := bipSettings{schedule: cmp.Or(b.Schedule, "cosine"), maskSchedule: cmp.Or(b.MaskSchedule, "step"), maskLR: or(b.MaskLR, 0.1)}
	if b.Compat == ReleasedCode {
		s.released = true
		s.gamma, s.ridge, s.lr, s.momentum, s.steps = or(b.Gamma, 1e4), or(b.Ridge, 1e-4), or(b.LR, 0.1), or(b.Momentum, 0.9), cmp.Or(b.Steps, 1)
		return s
	}
	s.gamma, s.lr, s.momentum, s.steps = or(b.Gamma, 1), or(b.LR, 0.01), or(b.Momentum, 0), cmp.Or(b.Steps, 3)
	s.ridge = or(b.Ridge, s.gamma)
	return s
}

// Validate says what is wrong with the options.
func (b BiP) Validate() error {
	s := b.settings()
	if !slices.Contains([]string{"", ReleasedCode}, b.Compat) {
		return fmt.Errorf("prune: bip.compat is %q; it is empty or %s", b.Compat, ReleasedCode)
	}
	for _, name := range []string{s.schedule, s.maskSchedule} {
		if !slices.Contains(scheduleNames, name) {
			return fmt.Errorf("prune: no schedule %q for bip; there are %v", name, scheduleNames)
		}
	}
	if !(s.gamma > 0) || !(s.ridge >= 0) || !(s.lr > 0) || !(s.maskLR > 0) || !(s.momentum >= 0 && s.momentum < 1) || s.steps < 1 ||
		math.IsInf(s.gamma+s.ridge+s.lr+s.maskLR, 0) {
		return fmt.Errorf("prune: bip with gamma %v, ridge %v, lr %v, mask_lr %v, momentum %v, steps %d: gamma, rates and steps must be above 0, the momentum below 1",
			s.gamma, s.ridge, s.lr, s.maskLR, s.momentum, s.steps)
	}
	return nil
}

// Bilevel implements Learner: scores are trained on images of their own.
func (BiP) Bilevel() bool { return true }

// Learn makes the stepper of BiP for the network's weights, which it changes.
func (b BiP) Learn(p *Problem, o Options, c Course) (*Learning, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	l, err := newLearner(p, o, c, b.Bilevel())
	if err != nil {
		return nil, err
	}
	s := b.settings()
	theta, score := l.thetaBlock(), l.scoreBlock()
	levels := bipLevels[nn.Float]{
		theta: theta.Value, score: score.Value, mask: l.mask.keep, z: l.z,
		prunable: ranges(Prunable(l.mask.layout)),
		choose:   l.rank.choose,
		gradient: func(g, z []nn.Float, split string) (float64, error) {
			statistics := nn.UpdateStatistics
			if split == UpperSplit {
				statistics = nn.BatchStatistics
			}
			r, err := l.oracle.Gradient(g, z, split, statistics)
			if split == LowerSplit {
				l.count(r)
			}
			return r.Loss, err
		},
	}
	levels.begin(o.Budget)
	n := len(theta.Value)
	decay := 0.0
	if s.released {
		decay = s.ridge
	}
	sgd := func() bilevel.Optimizer[nn.Float] {
		return optim.NewSGD(n, optim.SGDOptions{Momentum: s.momentum, WeightDecay: decay})
	}
	m := levels.method(s, theta, score, sgd, l.rates(s.schedule, s.lr), l.rates(s.maskSchedule, s.maskLR))
	return l.finish(m, score, map[string]string{"method": fmt.Sprintf("bip %+v, %d kept", s, l.rank.k)})
}

// bipLevels are the vectors of BiP, on a network or on any function of a vector.
type bipLevels[T bilevel.Float] struct {
	theta, score, mask []T
	z                  []T // scratch: m⊙θ
	prunable           []bilevel.Range
	choose             func(mask, scores []T) // writes the mask of the highest scores
	gradient           func(g, z []T, split string) (loss float64, err error)
}

// begin sets the scores to the magnitudes of the weights, with one scale where the budget is global, and with one for each
// tensor where tensors do not compete, and makes their mask.
func (b *bipLevels[T]) begin(budget Budget) {
	largest := func(within []bilevel.Range) (m T) {
		for _, r := range within {
			for _, x := range b.theta[r.From:r.To] {
				m = max(m, x, -x)
			}
		}
		return max(m, math.SmallestNonzeroFloat32)
	}
	groups := [][]bilevel.Range{b.prunable}
	if budget != Global {
		groups = groups[:0]
		for _, r := range b.prunable {
			groups = append(groups, []bilevel.Range{r})
		}
	}
	for _, g := range groups {
		magnitudes(b.score, b.theta, 1/largest(g), g)
	}
	b.choose(b.mask, b.score)
}

// method is BiP as a list of updates.
func (b *bipLevels[T]) method(s bipSettings, theta, score *bilevel.Block[T], sgd func() bilevel.Optimizer[T], alpha, beta optim.Schedule) bilevel.Method[T] {
	if s.released {
		again := func(v []T) {
			magnitudes(b.score, v, 1, b.prunable)
			b.choose(b.mask, b.score)
		}
		again(b.theta)
		return bilevel.Method[T]{
			{Block: theta, Splits: []string{LowerSplit}, Times: s.steps, Gradient: b.lower(0), Optimizer: sgd(), Rate: alpha, Project: again},
			{Block: theta, Splits: []string{UpperSplit}, Gradient: b.upperReleased(T(1 / s.gamma)), Optimizer: sgd(), Rate: beta, Project: again},
		}
	}
	return bilevel.Method[T]{
		{Block: theta, Splits: []string{LowerSplit}, Times: s.steps, Gradient: b.lower(T(s.ridge)), Optimizer: sgd(), Rate: alpha},
		{Block: score, Splits: []string{UpperSplit}, Gradient: b.upper(T(1 / s.gamma)), Optimizer: sgd(), Rate: beta,
			Project: func(s []T) { b.choose(b.mask, s) }},
	}
}

// lower is m⊙G + ridge·θ.
func (b *bipLevels[T]) lower(ridge T) bilevel.Gradient[T] {
	return func(g []T, _ int) (float64, error) {
		multiply(b.z, b.mask, b.theta)
		loss, err := b.gradient(g, b.z, LowerSplit)
		for _, r := range b.prunable {
			for i := r.From; i < r.To; i++ {
				g[i] = b.mask[i]*g[i] + ridge*b.theta[i]
			}
		}
		return loss, err
	}
}

// upper is the implicit gradient with the Hessian of ℓ left out, as in the paper: (θ − m⊙G/γ)⊙G; 0 where nothing can be
// pruned.
func (b *bipLevels[T]) upper(inverse T) bilevel.Gradient[T] {
	return b.masks(func(i int, g T) T { return (b.theta[i] - b.mask[i]*g*inverse) * g })
}

// upperReleased is what stands in its place in the released code: |v|⊙G − v²⊙G²/γ.
func (b *bipLevels[T]) upperReleased(inverse T) bilevel.Gradient[T] {
	return b.masks(func(i int, g T) T {
		s := T(math.Abs(float64(b.theta[i]))) * g
		return s - inverse*s*s
	})
}

func (b *bipLevels[T]) masks(f func(i int, g T) T) bilevel.Gradient[T] {
	return func(g []T, _ int) (float64, error) {
		multiply(b.z, b.mask, b.theta)
		loss, err := b.gradient(g, b.z, UpperSplit)
		end := 0
		for _, r := range b.prunable {
			clear(g[end:r.From])
			for i := r.From; i < r.To; i++ {
				g[i] = f(i, g[i])
			}
			end = r.To
		}
		clear(g[end:])
		return loss, err
	}
}
