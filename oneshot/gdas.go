package oneshot

import (
	"fmt"
	"math"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/search/supernet"
)

// GDAS is DARTS in first order with supernet.Gumbel for a gate: in every pass one operation an edge, drawn anew. Its
// temperature falls along a line from the first epoch to the last.
type GDAS struct {
	Tau      float64 `yaml:"tau" help:"temperature of the first epoch"`
	FinalTau float64 `yaml:"final_tau" help:"temperature of the last epoch"`
}

func newGDAS() *GDAS { return &GDAS{Tau: 10, FinalTau: 0.1} }

// Validate implements Method.
func (o *GDAS) Validate() error {
	if !(o.Tau > 0) || !(o.FinalTau > 0) || math.IsInf(o.Tau+o.FinalTau, 0) {
		return fmt.Errorf("oneshot: gdas with temperatures %v to %v, want numbers above 0", o.Tau, o.FinalTau)
	}
	return nil
}

// Passes implements Method.
func (o *GDAS) Passes() int { return 2 }

// Sparse implements the interface of that name.
func (o *GDAS) Sparse() bool { return true }

// Updates implements Method.
func (o *GDAS) Updates(s *Search) (bilevel.Method[nn.Float], error) {
	gate := supernet.NewGumbel(s.Space(), s.Stream("gumbel"))
	s.Gate(gate, func(step int) {
		gate.Seek(uint64(step)*drawsOfStep, o.temperature(step/s.course.Steps, s.course.Epochs))
	})
	first := DARTS{Order: 1}
	return first.Updates(s)
}

// drawsOfStep is room for the draws of a step.
const drawsOfStep = 16

// temperature is that of an epoch, 0 being the first.
func (o *GDAS) temperature(epoch, epochs int) float64 {
	if epochs < 2 {
		return o.Tau
	}
	return o.Tau + (o.FinalTau-o.Tau)*float64(min(epoch, epochs-1))/float64(epochs-1)
}
