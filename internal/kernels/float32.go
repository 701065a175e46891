//go:build !f64

package kernels

// Float is the element type of every tensor: float32, or float64 under the build tag f64, which exists for checking
// derivatives and uses the plain-Go kernels alone.
type Float = float32
