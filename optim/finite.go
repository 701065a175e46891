package optim

import (
	"fmt"

	"espalier/internal/kernels"
)

// NonFiniteError says that a value became NaN or infinite: training has diverged.
type NonFiniteError struct {
	Tensor string  // what holds the value
	Step   int     // counted from 0
	Value  float64 // the first of the vector that is not finite
}

// Error names the tensor, the step and the value.
func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("optim: %s holds %v at step %d; a lower learning rate, a longer warm-up or clipping may help", e.Tensor, e.Value, e.Step)
}

// CheckFinite returns a *NonFiniteError about the first element of x that is NaN or infinite, nil if there is none; name
// says which tensor an index of x belongs to.
func CheckFinite(x []kernels.Float, step int, name func(index int) string) error {
	i := kernels.FirstNotFinite(x)
	if i < 0 {
		return nil
	}
	return &NonFiniteError{Tensor: name(i), Step: step, Value: float64(x[i])}
}
