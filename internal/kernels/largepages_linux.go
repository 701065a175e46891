package kernels

import (
	"syscall"
	"unsafe"
)

// largePage is the size of the pages that adviseLargePages asks for.
const largePage = 2 << 20

// adviseLargePages asks for large pages in the place of b, as far as they fit. A system that has none goes on with small ones.
func adviseLargePages(b []Float) {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	before := int(-at & (largePage - 1))
	bytes := (len(b)*elem - before) &^ (largePage - 1)
	if bytes <= 0 {
		return
	}
	_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(&b[before/elem])), bytes), syscall.MADV_HUGEPAGE)
}
