package optim

import (
	"fmt"
	"math"

	"espalier/internal/kernels"
)

// EMAOptions are the options of EMA.
type EMAOptions struct {
	Decay float64 `yaml:"decay"` // share of the average that an update keeps, in [0, 1)
	Ramp  bool    `yaml:"ramp"`  // keep min(Decay, (1+u)/(10+u)) at update u, counted from 0, so that early weights fade
}

// Validate says what is wrong with the options.
func (o EMAOptions) Validate() error { return share("decay", o.Decay) }

// EMA is an exponential moving average of a vector: of the weights of a network, or of its running statistics.
type EMA struct {
	o       EMAOptions
	average []kernels.Float
	updates int64
}

// NewEMA makes an average of vectors of n elements. It panics if the options are invalid.
func NewEMA(n int, o EMAOptions) *EMA {
	if err := o.Validate(); err != nil {
		panic(err.Error())
	}
	return &EMA{o: o, average: make([]kernels.Float, n)}
}

// Update moves the average towards w. The first update copies w.
func (e *EMA) Update(w []kernels.Float) {
	checkLength("EMA: the vector", len(w), len(e.average))
	if e.updates == 0 {
		copy(e.average, w)
	} else {
		keep := e.o.Decay
		if u := float64(e.updates); e.o.Ramp {
			keep = math.Min(keep, (1+u)/(10+u))
		}
		kernels.Lerp(e.average, w, kernels.Float(1-keep))
	}
	e.updates++
}

// Average returns the average, a view that the next update changes. It panics before the first update.
func (e *EMA) Average() []kernels.Float {
	if e.updates == 0 {
		panic(fmt.Sprintf("optim: EMA of %d elements asked for before its first update", len(e.average)))
	}
	return e.average
}

// State holds the vector "average" and the counter "updates".
func (e *EMA) State() State {
	return State{
		Vectors:  map[string][]kernels.Float{"average": e.average},
		Counters: map[string]int64{"updates": e.updates},
	}
}

// Restore goes on from a state, as Stateful demands.
func (e *EMA) Restore(state State) error {
	if err := state.match(e.State()); err != nil {
		return err
	}
	copy(e.average, state.Vectors["average"])
	e.updates = state.Counters["updates"]
	return nil
}
