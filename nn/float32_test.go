//go:build !f64

package nn

// double says which precision is under test.
const double = false
