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
// of Upper and three of Lower, all of Lower's on one batch; with ξ = 0, the first-order form, one of Upper at y itself.
type Unrolled[T Float] struct {
	Upper, Lower Objective[T]
	Xi           func(step int) float64 // ξ; the paper takes the learning rate of y. nil: 0 in every step
	// Ahead makes y′ of y and ∇_yLower in to, as an optimizer with momentum would; nil: y − ξ∇_yLower. The derivative
	// of y′ counts as −ξ times the mixed one either way.
	Ahead func(to, y, g []T, xi float64)
	// Clip is the largest norm of ∇_yLower in y′: a longer gradient is scaled down, and ξ with it where it multiplies the
	// mixed derivative. 0: any norm.
	Clip   float64
	Radius float64 // 0 means 0.01, the paper's

	moved, v, plus, minus []T
}

// Gradient writes ∇_xUpper(x, y′) − ξ∇²_xyLower(x, y)·v to g and returns Upper's loss. x and y stay as they are: what is
// moved is a copy of y.
func (u *Unrolled[T]) Gradient(g, x, y []T, step int) (loss float64, err error) {
	xi := 0.0
	if u.Xi != nil {
		xi = u.Xi(step)
	}
	if xi == 0 {
		return u.Upper(g, nil, x, y)
	}
	if !(xi > 0) || math.IsInf(xi, 0) {
		return 0, fmt.Errorf("bilevel: unrolling a step of %v", xi)
	}
	u.reserve(len(x), len(y))
	if _, err := u.Lower(nil, u.v, x, y); err != nil {
		return 0, err
	}
	clipped := clip(u.v, u.Clip)
	if u.Ahead != nil {
		u.Ahead(u.moved, y, u.v, xi)
	} else {
		shift(u.moved, y, -xi, u.v)
	}
	if loss, err = u.Upper(g, u.v, x, u.moved); err != nil {
		return 0, err
	}
	product, err := u.mixed(x, y)
	if err != nil || product == nil {
		return loss, err
	}
	scale := T(xi * clipped)
	for i := range g {
		g[i] -= scale * product[i]
	}
	return loss, nil
}

// mixed is ∇²_xyLower(x, y)·v, which nothing else in u shares, or nil if v is 0.
func (u *Unrolled[T]) mixed(x, y []T) ([]T, error) {
	length := norm(u.v)
	if length == 0 {
		return nil, nil
	}
	radius := u.Radius
	if radius == 0 {
		radius = 0.01
	}
	eps := radius / length
	shift(u.moved, y, eps, u.v)
	if _, err := u.Lower(u.plus, nil, x, u.moved); err != nil {
		return nil, err
	}
	shift(u.moved, y, -eps, u.v)
	if _, err := u.Lower(u.minus, nil, x, u.moved); err != nil {
		return nil, err
	}
	scale := T(1 / (2 * eps))
	for i, p := range u.plus {
		u.plus[i] = scale * (p - u.minus[i])
	}
	return u.plus, nil
}

// Mixed writes ∇²_xyLower(x, y)·v to g, by the difference that Gradient takes.
func (u *Unrolled[T]) Mixed(g, v, x, y []T) error {
	u.reserve(len(x), len(y))
	copy(u.v, v)
	product, err := u.mixed(x, y)
	clear(g)
	copy(g, product)
	return err
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

// norm is the Euclidean norm, a float64 sum in order.
func norm[T Float](v []T) float64 { return math.Sqrt(dot(v, v)) }

// dot is the inner product, a float64 sum in order.
func dot[T Float](a, b []T) (sum float64) {
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}
