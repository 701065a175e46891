package bilevel

import (
	"fmt"
	"math"
)

// Objective is a loss of two blocks on the current batch of its split: it writes the gradient with respect to the upper
// block to gx and with respect to the lower one to gy, either of which may be nil, at x and y.
type Objective[T Float] func(gx, gy, x, y []T) (loss float64, err error)

// Unrolled is the gradient of DARTS (Liu, Simonyan and Yang, 2019, equations 6 to 8) at the upper block x: that of
// Upper(x, y′) where y′ = y − ξ∇_yLower(x, y) is one step of the lower level. The product with the mixed second derivative
// is a central difference of Lower's gradient at y ± εv, with v = ∇_yUpper(x, y′) and ε = Radius/‖v‖. It costs one gradient
// of Upper and three of Lower, all of Lower's on one batch; with Xi 0, the first-order form, one of Upper at y itself.
type Unrolled[T Float] struct {
	Upper, Lower Objective[T]
	Xi           func() float64 // ξ of the next gradient; the paper takes the learning rate of y
	Radius       float64        // 0 means 0.01, the paper's

	moved, v, plus, minus []T
}

// Gradient writes ∇_xUpper(x, y′) − ξ∇²_xyLower(x, y)·v to g and returns Upper's loss. x and y stay as they are.
func (u *Unrolled[T]) Gradient(g, x, y []T) (loss float64, err error) {
	u.reserve(len(x), len(y))
	xi := u.Xi()
	if xi == 0 {
		return u.Upper(g, nil, x, y)
	}
	if !(xi > 0) || math.IsInf(xi, 0) {
		return 0, fmt.Errorf("bilevel: unrolling a step of %v", xi)
	}
	if _, err := u.Lower(nil, u.v, x, y); err != nil {
		return 0, err
	}
	shift(u.moved, y, -xi, u.v)
	if loss, err = u.Upper(g, u.v, x, u.moved); err != nil {
		return 0, err
	}
	norm := 0.0
	for _, v := range u.v {
		norm += float64(v) * float64(v)
	}
	if norm = math.Sqrt(norm); norm == 0 {
		return loss, nil
	}
	radius := u.Radius
	if radius == 0 {
		radius = 0.01
	}
	eps := radius / norm
	shift(u.moved, y, eps, u.v)
	if _, err := u.Lower(u.plus, nil, x, u.moved); err != nil {
		return 0, err
	}
	shift(u.moved, y, -eps, u.v)
	if _, err := u.Lower(u.minus, nil, x, u.moved); err != nil {
		return 0, err
	}
	scale := T(xi / (2 * eps))
	for i := range g {
		g[i] -= scale * (u.plus[i] - u.minus[i])
	}
	return loss, nil
}

func (u *Unrolled[T]) reserve(x, y int) {
	if len(u.plus) != x || len(u.v) != y {
		u.moved, u.v, u.plus, u.minus = make([]T, y), make([]T, y), make([]T, x), make([]T, x)
	}
}

// shift writes y + s·v.
func shift[T Float](to, y []T, s float64, v []T) {
	for i := range to {
		to[i] = y[i] + T(s)*v[i]
	}
}
