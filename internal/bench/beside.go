package bench

import "fmt"

// measured are steps that are timed beside a plain one.
type measured struct {
	name   string
	steps  int // of a round
	step   func() error
	took   []float64 // ms, the mean step of each round
	ratios []float64 // of these to the plain steps of the rounds
}

// beside takes rounds of a plain step and then of the others' steps, after one round that does not count, and returns the
// plain steps' times in ms.
func beside(rounds int, now Clock, plain func() error, others []*measured) (ms []float64, err error) {
	timed := func(steps int, step func() error) (ms float64, err error) {
		start := now()
		for range steps {
			if err := step(); err != nil {
				return 0, err
			}
		}
		return 1e3 * now().Sub(start).Seconds() / float64(steps), nil
	}
	for round := range rounds + 1 {
		unit, err := timed(1, plain)
		if err != nil {
			return nil, err
		}
		for _, m := range others {
			t, err := timed(m.steps, m.step)
			if err != nil {
				return nil, fmt.Errorf("bench: %s: %w", m.name, err)
			}
			if round > 0 {
				m.took, m.ratios = append(m.took, t), append(m.ratios, t/unit)
			}
		}
		if round > 0 {
			ms = append(ms, unit)
		}
	}
	return ms, nil
}
