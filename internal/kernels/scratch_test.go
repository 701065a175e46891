package kernels

import (
	"testing"
	"unsafe"
)

// Alloc gives zeros on a 64-byte boundary, whatever the pages.
func TestAlloc(t *testing.T) {
	for _, n := range []int{0, 1, 17, 1 << 19, 5<<19 + 3} {
		b := Alloc(n)
		if len(b) != n || cap(b) != n {
			t.Fatalf("%d elements: length %d, capacity %d", n, len(b), cap(b))
		}
		if at := uintptr(unsafe.Pointer(unsafe.SliceData(b))); n > 0 && at%64 != 0 {
			t.Errorf("%d elements begin at %#x", n, at)
		}
		for i, v := range b {
			if v != 0 {
				t.Fatalf("element %d of %d is %g", i, n, v)
			}
			b[i] = 1
		}
	}
}
