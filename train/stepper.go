package train

import (
	"context"
	"fmt"
	"math"
	"strings"

	"espalier/internal/safetensors"
)

// Stepper is what Run runs: a computation that goes on by steps, in epochs of equal length, and can save its state.
//
// Its state after a step depends on its options and on the state before alone: never on the clock, on the number of
// threads, or on whether State was called.
type Stepper interface {
	// Steps is the number of steps of an epoch, at least 1.
	Steps() int
	// Begin prepares an epoch, 0 the first, from the given step on, which is above 0 only after Restore.
	Begin(epoch, step int) error
	// Step does the next step of the epoch. After an error the stepper is not used again.
	Step() (Sample, error)
	// End closes an epoch when its steps are done, and returns its figures: the same names in the same order after every
	// epoch. Where that takes time, it calls report. It may give up with ctx's error when ctx ends, its state being what it
	// was after the last step; End then comes again after Restore and Begin.
	End(ctx context.Context, epoch int, report Report) ([]Figure, error)
	// State returns everything that the rest of the run depends on, position apart: weights, optimizers, random streams,
	// sums of the running epoch. It is called between steps and between epochs.
	State() (State, error)
	// Restore continues from a state. It reports a state of another architecture as an error that names the difference.
	Restore(State) error
}

// Stopper is a Stepper that may end a run before its last epoch.
type Stopper interface {
	// Stopped reports, between epochs, whether the run is at its end. It depends on the stepper's state alone.
	Stopped() bool
}

// State is the state of a stepper, as a checkpoint stores it. Names of tensors are up to the stepper; keys of the metadata
// that begin with "run." are the loop's own.
type State struct {
	Tensors  []safetensors.Tensor
	Metadata map[string]string
}

// Figure is a named number of a step or of an epoch. Names are those of the columns of metrics.csv, such as train_loss;
// accuracies are in percent. NaN says that it was not measured.
type Figure struct {
	Name  string
	Value float64
}

// String is the figure for people, such as "train loss 1.234" or "accuracy 56.78 %".
func (f Figure) String() string {
	name := strings.ReplaceAll(f.Name, "_", " ")
	switch {
	case math.IsNaN(f.Value):
		return name + " -"
	case strings.Contains(f.Name, "accuracy"):
		return fmt.Sprintf("%s %.2f %%", name, f.Value)
	}
	return fmt.Sprintf("%s %.4g", name, f.Value)
}

// Join is figures for people, in one line.
func Join(figures []Figure) string {
	words := make([]string, len(figures))
	for i, f := range figures {
		words[i] = f.String()
	}
	return strings.Join(words, ", ")
}

// Sample is what a step saw. It is valid until the next step.
type Sample struct {
	Images  int      // images that the step worked on
	Figures []Figure // for progress: the epoch's means so far
}

// Report says how far a long task within an epoch's end is, such as "validation", in images.
type Report func(task string, done, total int)
