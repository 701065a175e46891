package bilevel

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"espalier/internal/rng"
)

// Curvature finds the largest signed eigenvalue of a symmetric matrix that is known by its products: Lanczos's iteration
// with every new vector made orthogonal to all before it. Power iteration, which finds the eigenvalue of largest magnitude,
// is of no use where eigenvalues come in pairs of nearly opposite sign, as those of a supernet's loss in α do.
type Curvature struct {
	Steps  int     // products; 0 means 12, which leaves an error far below that of one batch's gradients
	Radius float64 // of differences, for Hessians; 0 means 0.1
}

// Hessian is the largest eigenvalue of the Hessian of a loss at x, whose products are central differences of the loss's
// gradient at x ± Radius·u, ‖u‖ = 1. On a network with ReLU the Hessian at a point says little, and differences over less
// than 0.1 do not settle; what is measured is the curvature at that scale. Both gradients of a product, and all products, are
// to be of one batch. It costs 2·Steps gradients. x stays as it is.
func Hessian[T Float](c Curvature, gradient func(g, x []T) error, x []T, random *rng.Stream) (float64, error) {
	radius := c.Radius
	if radius == 0 {
		radius = 0.1
	}
	direction, moved, plus, minus := make([]T, len(x)), make([]T, len(x)), make([]T, len(x)), make([]T, len(x))
	return c.Largest(len(x), func(to, u []float64) error {
		for i, v := range u {
			direction[i] = T(v)
		}
		shift(moved, x, radius, direction)
		if err := gradient(plus, moved); err != nil {
			return err
		}
		shift(moved, x, -radius, direction)
		if err := gradient(minus, moved); err != nil {
			return err
		}
		for i := range to {
			to[i] = (float64(plus[i]) - float64(minus[i])) / (2 * radius)
		}
		return nil
	}, random)
}

// Largest is the largest eigenvalue of a matrix of n rows, given its product with a vector of length 1. It starts from a
// direction that it draws. With Steps ≥ n, and for fewer different eigenvalues than Steps, it is exact but for rounding.
func (c Curvature) Largest(n int, product func(to, u []float64) error, random *rng.Stream) (float64, error) {
	steps := c.Steps
	if steps == 0 {
		steps = 12
	}
	if n < 1 || steps < 1 {
		return 0, fmt.Errorf("bilevel: the largest eigenvalue of a matrix of %d rows by %d products", n, steps)
	}
	u := make([]float64, n)
	for i := range u {
		u[i] = random.NormFloat64()
	}
	scaleTo(u, 1/norm(u))
	var basis [][]float64
	var diagonal, side []float64 // of the tridiagonal matrix that equals the matrix within the basis
	for size := 0.0; ; {
		basis = append(basis, u)
		next := make([]float64, n)
		if err := product(next, u); err != nil {
			return 0, err
		}
		if i := firstNotFinite(next); i >= 0 {
			return 0, fmt.Errorf("bilevel: element %d of a Hessian's product is %v", i, next[i])
		}
		diagonal = append(diagonal, dot(next, u))
		size = max(size, norm(next))
		for range 2 { // twice is enough (Parlett, The Symmetric Eigenvalue Problem, 6.9)
			for _, b := range basis {
				shift(next, next, -dot(next, b), b)
			}
		}
		rest := norm(next)
		if len(diagonal) == min(n, steps) || rest <= 1e-12*size {
			return largestTridiagonal(diagonal, side)
		}
		scaleTo(next, 1/rest)
		side = append(side, rest)
		u = next
	}
}

func scaleTo(x []float64, s float64) {
	for i := range x {
		x[i] *= s
	}
}

// largestTridiagonal is the largest eigenvalue of a symmetric tridiagonal matrix.
func largestTridiagonal(diagonal, side []float64) (float64, error) {
	m := mat.NewSymDense(len(diagonal), nil)
	for i, d := range diagonal {
		m.SetSym(i, i, d)
		if i < len(side) {
			m.SetSym(i, i+1, side[i])
		}
	}
	var e mat.EigenSym
	if !e.Factorize(m, false) {
		return 0, fmt.Errorf("bilevel: no eigenvalues of the tridiagonal matrix of %v and %v", diagonal, side)
	}
	return slices.Max(e.Values(nil)), nil
}
