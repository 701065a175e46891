package bilevel

// Clipped is a gradient that is scaled down so that its Euclidean norm is at most limit: by limit/(norm+1e-6), as in
// PyTorch. 0: any norm. A norm that is not finite is left for the move to find.
func Clipped[T Float](g Gradient[T], limit float64) Gradient[T] {
	if limit == 0 {
		return g
	}
	return func(to []T, step int) (float64, error) {
		loss, err := g(to, step)
		if err == nil {
			clip(to, limit)
		}
		return loss, err
	}
}

// clip scales g to the limit and returns the factor, which is at most 1; a limit of 0 is none.
func clip[T Float](g []T, limit float64) (factor float64) {
	if limit == 0 {
		return 1
	}
	length := norm(g)
	factor = limit / (length + 1e-6)
	if !(factor < 1) || length-length != 0 {
		return 1
	}
	for i := range g {
		g[i] *= T(factor)
	}
	return factor
}

// Weighted is a gradient times a weight. The loss that it returns is not weighted.
func Weighted[T Float](g Gradient[T], weight float64) Gradient[T] {
	if weight == 1 {
		return g
	}
	return func(to []T, step int) (float64, error) {
		loss, err := g(to, step)
		for i := range to {
			to[i] *= T(weight)
		}
		return loss, err
	}
}

// Coupled adds, to a gradient with respect to own, that of weight/2·‖own − other‖², which pulls own to other's newest
// value. The loss that it returns is g's alone.
func Coupled[T Float](g Gradient[T], weight float64, own, other *Block[T]) Gradient[T] {
	return func(to []T, step int) (float64, error) {
		loss, err := g(to, step)
		b := T(weight)
		for i := range to {
			to[i] += b * (own.Value[i] - other.Value[i])
		}
		return loss, err
	}
}

// Sum adds up a gradient that is a by-product of other updates' passes, for an update that takes no pass of its own: those
// updates Add to it, and its Gradient hands the sum out and begins another.
type Sum[T Float] struct {
	g    []T
	loss float64
	n    int
}

// NewSum is a sum of gradients of n elements.
func NewSum[T Float](n int) *Sum[T] { return &Sum[T]{g: make([]T, n)} }

// Add adds weight times a gradient and its loss.
func (s *Sum[T]) Add(weight float64, g []T, loss float64) {
	for i, v := range g {
		s.g[i] += T(weight) * v
	}
	s.loss += weight * loss
	s.n++
}

// Gradient is the update's: what was added since the last one. It panics if nothing was.
func (s *Sum[T]) Gradient(g []T, _ int) (float64, error) {
	if s.n == 0 {
		panic("bilevel: a sum of gradients to which no update adds")
	}
	loss := s.loss
	copy(g, s.g)
	clear(s.g)
	s.loss, s.n = 0, 0
	return loss, nil
}
