//go:build f64

package nn

import G "gorgonia.org/gorgonia"

// newScalar is a Gorgonia scalar of the engine's precision.
func newScalar(v Float) G.Value { return G.NewF64(v) }
