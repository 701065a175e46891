package bilevel

import "espalier/optim"

// Level is a loss of two blocks, with the images that it is taken on.
type Level[T Float] struct {
	Split string       // that its batches are drawn from; "": the problem has no data
	Loss  Objective[T] // looks: it leaves running statistics alone
	// Move is Loss in the pass before weights move, where running statistics may follow the batch. nil: Loss.
	Move Objective[T]
}

// Moving is Move, or Loss where there is none.
func (l Level[T]) Moving() Objective[T] {
	if l.Move != nil {
		return l.Move
	}
	return l.Loss
}

// Splits are the splits of levels, for an update that draws a batch of each.
func Splits[T Float](levels ...Level[T]) (splits []string) {
	for _, l := range levels {
		if l.Split != "" {
			splits = append(splits, l.Split)
		}
	}
	return splits
}

// Move is how a block moves.
type Move[T Float] struct {
	Optimizer Optimizer[T]
	Rate      optim.Schedule // learning rate by step
	Clip      float64        // largest norm of a gradient; 0: any
	From      int            // first step in which it does
}

// Previewer is an optimizer that can say what a step would make of its variables. optim.SGD and Descent are.
type Previewer[T Float] interface {
	Optimizer[T]
	// Preview writes to to what Step would make of w, up to rounding, and changes nothing else. to is not w.
	Preview(to, w, g []T, lr float64)
}
