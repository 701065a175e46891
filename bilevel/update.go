package bilevel

import (
	"fmt"
	"math"

	"espalier/optim"
)

// Gradient is an oracle: it writes to g the gradient of a loss with respect to an update's block, on the current batch of
// each split, at the newest values of all blocks, and returns the loss. step is the method's, counted from 0 over all epochs.
type Gradient[T Float] func(g []T, step int) (loss float64, err error)

// Optimizer turns gradients into steps. optim's are optimizers of kernels.Float; Descent is one of either precision. One
// that can also hand out its state, as these can, goes on from a checkpoint with the same bits.
type Optimizer[T Float] interface {
	// Step moves w against g with learning rate lr.
	Step(w, g []T, lr float64)
}

// Update is one line of a method: Block ← Project(Block − Optimizer(Gradient)), Times times in a row.
type Update[T Float] struct {
	Block     *Block[T]
	Splits    []string // of the data, from which a batch each is drawn before every gradient; none: those drawn last stay
	Times     int      // gradients and moves in a row; 0 means 1
	From      int      // first step that has the update; in those before it the batches are drawn and not used
	Gradient  Gradient[T]
	Optimizer Optimizer[T]
	Rate      optim.Schedule // learning rate by step of the method, counted from 0 over all epochs
	Project   Projection[T]  // nil: none
}

// Method is a list of updates, done in order in every step; each sees what those before it moved (Gauss–Seidel). A block
// may be updated more than once.
type Method[T Float] []Update[T]

func (u *Update[T]) times() int { return max(1, u.Times) }

// validate panics on what a programmer forgot, and returns what settings can get wrong.
func (m Method[T]) validate() error {
	if len(m) == 0 {
		panic("bilevel: a method without updates")
	}
	for i, u := range m {
		if u.Block == nil || u.Gradient == nil || u.Optimizer == nil || u.Rate == nil {
			panic(fmt.Sprintf("bilevel: update %d lacks a block, a gradient, an optimizer or a rate", i))
		}
		if u.Times < 0 || u.From < 0 {
			return fmt.Errorf("bilevel: update of %s: %d times from step %d on", u.Block.Name, u.Times, u.From)
		}
		if err := u.Rate.Validate(); err != nil {
			return fmt.Errorf("bilevel: update of %s: %w", u.Block.Name, err)
		}
	}
	return nil
}

// run does the update once, without its draw, and returns the loss. A loss or a variable that is not finite is an
// *optim.NonFiniteError.
func (u *Update[T]) run(g []T, step int) (loss float64, err error) {
	if loss, err = u.Gradient(g, step); err != nil {
		return loss, err
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return loss, &optim.NonFiniteError{Tensor: "the loss of " + u.Block.Name, Step: step, Value: loss}
	}
	u.Optimizer.Step(u.Block.Value, g, u.Rate.At(step))
	if u.Project != nil {
		u.Project(u.Block.Value)
	}
	if i := firstNotFinite(u.Block.Value); i >= 0 {
		tensor := fmt.Sprintf("%s[%d]", u.Block.Name, i)
		return loss, &optim.NonFiniteError{Tensor: tensor, Step: step, Value: float64(u.Block.Value[i])}
	}
	return loss, nil
}
