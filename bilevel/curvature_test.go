package bilevel

import (
	"errors"
	"math"
	"strings"
	"testing"

	"espalier/internal/rng"
)

// spectrum is a symmetric matrix with the given eigenvalues and random eigenvectors, by its products, which it counts.
type spectrum struct {
	values   []float64
	vectors  [][]float64
	products int
}

func newSpectrum(values []float64) *spectrum {
	s := &spectrum{values: values}
	random := rng.New(1, "spectrum")
	for range values {
		v := make([]float64, len(values))
		for i := range v {
			v[i] = random.NormFloat64()
		}
		for range 2 {
			for _, b := range s.vectors {
				shift(v, v, -dot(v, b), b)
			}
		}
		scaleTo(v, 1/norm(v))
		s.vectors = append(s.vectors, v)
	}
	return s
}

func (s *spectrum) product(to, u []float64) error {
	s.products++
	clear(to)
	for i, v := range s.vectors {
		shift(to, to, s.values[i]*dot(u, v), v)
	}
	return nil
}

// like224 has 224 eigenvalues: the given ones, and the rest small, of both signs.
func like224(outer ...float64) []float64 {
	values := append([]float64{}, outer...)
	for i := len(values); i < 224; i++ {
		values = append(values, 0.03*math.Sin(float64(i)))
	}
	return values
}

// TestLargest: the largest signed eigenvalue is found in twelve products beside one of nearly the same size and opposite
// sign, which power iteration could not tell from it or, where that is larger, would take for it.
func TestLargest(t *testing.T) {
	for _, c := range []struct {
		name      string
		values    []float64
		want      float64
		tolerance float64
	}{
		{"near pair", like224(0.289, -0.283, 0.11, -0.1), 0.289, 1e-4},
		{"larger negative", like224(0.97, -1, 0.4, -0.41), 0.97, 1e-4},
		{"exact pair", like224(1, -1), 1, 1e-6},
		{"several pairs", like224(1, -0.99, 0.9, -0.9, 0.7, -0.72), 1, 5e-3},
		{"all negative", []float64{-3, -2, -0.5, -7}, -0.5, 1e-12},
		{"few different", append(make([]float64, 100), 5, 5, -5, 2), 5, 1e-12},
		{"one", []float64{-4}, -4, 1e-12},
		{"zero", make([]float64, 9), 0, 1e-12},
	} {
		s := newSpectrum(c.values)
		got, err := Curvature{}.Largest(len(c.values), s.product, rng.New(7, "start"))
		if err != nil || !(math.Abs(got-c.want) <= c.tolerance*max(1, math.Abs(c.want))) || s.products > 12 {
			t.Errorf("%s: %v after %d products, %v; want %v", c.name, got, s.products, err, c.want)
		}
	}
	s := newSpectrum(like224(1, -0.999, 0.5))
	whole, err := Curvature{Steps: 224}.Largest(224, s.product, rng.New(7, "start"))
	if err != nil || !(math.Abs(whole-1) <= 1e-12) {
		t.Errorf("with as many steps as rows: %v, %v; want 1", whole, err)
	}
}

// TestHessian: of 3x₀²/2 − 2x₁² + 2x₀x₂, by gradients in single precision; its eigenvalues are −4, −1 and 4.
func TestHessian(t *testing.T) {
	gradient := func(g, x []float32) error {
		g[0], g[1], g[2] = 3*x[0]+2*x[2], -4*x[1], 2*x[0]
		return nil
	}
	x := []float32{0.3, -2, 0}
	got, err := Hessian(Curvature{}, gradient, x, rng.New(1, "start"))
	if err != nil || !(math.Abs(got-4) <= 1e-4) {
		t.Errorf("got %v, %v; want 4", got, err)
	}
	if x[0] != 0.3 || x[1] != -2 || x[2] != 0 {
		t.Errorf("the point moved to %v", x)
	}
	again, _ := Hessian(Curvature{}, gradient, x, rng.New(1, "start"))
	if again != got {
		t.Errorf("%v, and %v with the same stream", got, again)
	}
}

func TestCurvatureFails(t *testing.T) {
	broken := errors.New("no gradient")
	if _, err := (Curvature{}).Largest(3, func([]float64, []float64) error { return broken }, rng.New(1)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := (Curvature{}).Largest(3, func(to, _ []float64) error { to[1] = math.NaN(); return nil }, rng.New(1)); err == nil || !strings.Contains(err.Error(), "element 1") {
		t.Errorf("got %v", err)
	}
	if _, err := (Curvature{}).Largest(0, nil, rng.New(1)); err == nil {
		t.Error("a matrix without rows has no eigenvalue")
	}
}
