package bilevel

import "fmt"

// Descent is gradient descent in either precision, with momentum and weight decay as optim.SGD has them: v ← Momentum·v + g
// + Decay·w, w ← w − lr·v. Make it with NewDescent.
type Descent[T Float] struct {
	momentum, decay T
	velocity        []T // nil without momentum
}

// NewDescent is an optimizer of n variables. It panics unless 0 ≤ momentum < 1 and 0 ≤ decay.
func NewDescent[T Float](n int, momentum, decay T) *Descent[T] {
	if !(momentum >= 0 && momentum < 1 && decay >= 0) {
		panic(fmt.Sprintf("bilevel: descent with momentum %v and decay %v", momentum, decay))
	}
	d := &Descent[T]{momentum: momentum, decay: decay}
	if momentum > 0 {
		d.velocity = make([]T, n)
	}
	return d
}

// Step implements Optimizer.
func (d *Descent[T]) Step(w, g []T, lr float64) {
	for i := range w {
		v := g[i] + d.decay*w[i]
		if d.velocity != nil {
			v += d.momentum * d.velocity[i]
			d.velocity[i] = v
		}
		w[i] -= T(lr) * v
	}
}

// Preview implements Previewer.
func (d *Descent[T]) Preview(to, w, g []T, lr float64) {
	for i := range w {
		v := g[i] + d.decay*w[i]
		if d.velocity != nil {
			v += d.momentum * d.velocity[i]
		}
		to[i] = w[i] - T(lr)*v
	}
}

func (d *Descent[T]) vectors() map[string][]T {
	if d.velocity == nil {
		return nil
	}
	return map[string][]T{"velocity": d.velocity}
}
