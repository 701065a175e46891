package optim

import (
	"math"

	"espalier/internal/kernels"
)

// ClipNorm scales g down so that its Euclidean norm is at most limit, and returns the norm that it had. It only measures
// if limit is 0, or if the norm is not finite: a gradient that holds NaN or Inf stays as it is for CheckFinite to find.
// The factor is limit/(norm+1e-6), as in PyTorch. The norm is a float64 sum in a fixed order.
func ClipNorm(g []kernels.Float, limit float64) (norm float64) {
	norm = math.Sqrt(kernels.Dot(g, g))
	if factor := limit / (norm + 1e-6); limit > 0 && factor < 1 && !math.IsInf(norm, 0) {
		kernels.Scale(g, kernels.Float(factor))
	}
	return norm
}
