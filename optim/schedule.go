package optim

import (
	"errors"
	"fmt"
	"math"
)

// Schedule gives the learning rate of each step. It is a value: equal schedules give equal rates, and there is nothing to
// save. At panics if the step, counted from 0, is negative; after the schedule's end it stays at the last rate.
type Schedule interface {
	At(step int) float64
	Validate() error
}

// Constant is one learning rate for all steps.
type Constant struct {
	LR float64 `yaml:"lr"`
}

// At is the rate of a step.
func (c Constant) At(step int) float64 {
	checkStep(step)
	return c.LR
}

// Validate says what is wrong with the schedule.
func (c Constant) Validate() error { return nonNegative("lr", c.LR) }

// Cosine falls along half a cosine from LR at step 0 to LR·Final at step Steps (Loshchilov and Hutter, 2017, without
// restarts).
type Cosine struct {
	LR    float64 `yaml:"lr"`
	Final float64 `yaml:"final"` // share of LR
	Steps int     `yaml:"steps"`
}

// At is the rate of a step.
func (c Cosine) At(step int) float64 {
	checkStep(step)
	return c.LR * cosine(1, c.Final, float64(step)/float64(c.Steps))
}

// Validate says what is wrong with the schedule.
func (c Cosine) Validate() error {
	return errors.Join(nonNegative("lr", c.LR), nonNegative("final", c.Final), length("steps", c.Steps))
}

// Stairs multiplies the rate, LR at first, by Factor at each of Milestones.
type Stairs struct {
	LR         float64 `yaml:"lr"`
	Factor     float64 `yaml:"factor"`
	Milestones []int   `yaml:"milestones"` // steps, in rising order
}

// At is the rate of a step.
func (s Stairs) At(step int) float64 {
	checkStep(step)
	lr := s.LR
	for _, m := range s.Milestones {
		if step >= m {
			lr *= s.Factor
		}
	}
	return lr
}

// Validate says what is wrong with the schedule.
func (s Stairs) Validate() error {
	for i, m := range s.Milestones {
		if m < 0 || i > 0 && m <= s.Milestones[i-1] {
			return fmt.Errorf("optim: milestones %v; steps from 0 on in rising order are needed", s.Milestones)
		}
	}
	return errors.Join(nonNegative("lr", s.LR), nonNegative("factor", s.Factor))
}

// OneCycle is the policy of Smith and Topin (2018) in PyTorch's two-phase form: the rate rises from LR·Start at step 0 to
// LR at step Rise·Steps−1 (or begins there, if that is before step 0), and falls to LR·Final at step Steps−1, along half cosines or straight lines. Momentum does not
// cycle.
type OneCycle struct {
	LR     float64 `yaml:"lr"` // the peak
	Steps  int     `yaml:"steps"`
	Rise   float64 `yaml:"rise"`   // share of Steps in which the rate rises, in [0, 1]
	Start  float64 `yaml:"start"`  // share of LR
	Final  float64 `yaml:"final"`  // share of LR
	Linear bool    `yaml:"linear"` // straight lines in place of cosines
}

// DefaultOneCycle has PyTorch's settings: the rate rises in 0.3 of the steps from lr/25, and falls to lr/250,000.
func DefaultOneCycle(lr float64, steps int) OneCycle {
	return OneCycle{LR: lr, Steps: steps, Rise: 0.3, Start: 1. / 25, Final: 1. / 25e4}
}

// At is the rate of a step.
func (c OneCycle) At(step int) float64 {
	checkStep(step)
	curve := cosine
	if c.Linear {
		curve = line
	}
	s, peak := float64(step), c.Rise*float64(c.Steps)-1
	if s < peak {
		return c.LR * curve(c.Start, 1, s/peak)
	}
	peak = max(peak, 0)
	fall := float64(c.Steps-1) - peak
	if fall <= 0 {
		return c.LR
	}
	return c.LR * curve(1, c.Final, (s-peak)/fall)
}

// Validate says what is wrong with the schedule.
func (c OneCycle) Validate() error {
	var rise error
	if !(c.Rise >= 0 && c.Rise <= 1) {
		rise = fmt.Errorf("optim: rise is %v; a number from 0 to 1 is needed", c.Rise)
	}
	return errors.Join(nonNegative("lr", c.LR), length("steps", c.Steps), rise, nonNegative("start", c.Start), nonNegative("final", c.Final))
}

// cosine goes from a to b along half a cosine as t goes from 0 to 1, and stays there.
func cosine(a, b, t float64) float64 { return line(b, a, (1+math.Cos(math.Pi*min(t, 1)))/2) }

// line goes from a to b along a straight line as t goes from 0 to 1, and stays there.
func line(a, b, t float64) float64 { return a + (b-a)*min(t, 1) }

func checkStep(step int) {
	if step < 0 {
		panic(fmt.Sprintf("optim: schedule at step %d", step))
	}
}

func length(what string, v int) error {
	if v < 1 {
		return fmt.Errorf("optim: %s is %d; a number ≥ 1 is needed", what, v)
	}
	return nil
}
