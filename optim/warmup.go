package optim

import (
	"errors"
	"fmt"
)

// Warmup lets the rate rise on a straight line to the first of another schedule, which follows: at step s < Steps it is
// Then.At(0)·(s+1)/(Steps+1), afterwards Then.At(s−Steps) (Goyal et al., 2017, §2.2). Steps may be 0.
type Warmup struct {
	Steps int      `yaml:"steps"`
	Then  Schedule `yaml:"-"`
}

// At is the rate of a step.
func (w Warmup) At(step int) float64 {
	checkStep(step)
	if step < w.Steps {
		return w.Then.At(0) * float64(step+1) / float64(w.Steps+1)
	}
	return w.Then.At(step - w.Steps)
}

// Validate says what is wrong with the schedule or the one that follows.
func (w Warmup) Validate() error {
	if w.Then == nil {
		return errors.New("optim: no schedule follows the warm-up")
	}
	if w.Steps < 0 {
		return fmt.Errorf("optim: a warm-up of %d steps", w.Steps)
	}
	return w.Then.Validate()
}
