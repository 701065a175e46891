//go:build f64

package kernels

// Float is the element type of every tensor: float64 in this build (tag f64), float32 otherwise.
type Float = float64
