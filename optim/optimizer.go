package optim

import (
	"fmt"

	"espalier/internal/kernels"
)

// Optimizer turns gradients into steps.
type Optimizer interface {
	// Step moves w against g with learning rate lr. It does not change g.
	Step(w, g []kernels.Float, lr float64)
	Stateful
}

// Stateful is what a checkpoint needs to go on with the same bits.
type Stateful interface {
	// State returns a view of the state: its vectors change with the next step, and belong to their owner.
	State() State
	// Restore replaces the state by a copy of s. It fails, and changes nothing, if s was not taken from an equal object.
	Restore(s State) error
}

func checkLength(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("optim: %s has %d elements, not %d", what, got, want))
	}
}
