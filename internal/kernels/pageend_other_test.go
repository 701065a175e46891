//go:build !linux

package kernels

import "testing"

// pageEnd returns n elements that end where their allocation ends, and a function that frees them.
func pageEnd(_ testing.TB, n int) (x []Float, free func()) { return make([]Float, n), func() {} }
