//go:build !amd64 || noasm || f64

package kernels

// processorISAs is empty: this build has plain Go alone.
func processorISAs() []isa { return nil }
