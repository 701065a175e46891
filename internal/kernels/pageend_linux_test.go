package kernels

import (
	"syscall"
	"testing"
	"unsafe"
)

// pageEnd returns n elements that end where accessible memory ends, and a function that frees them.
func pageEnd(t testing.TB, n int) (x []Float, free func()) {
	page := syscall.Getpagesize()
	size := (n*elem + page - 1) / page * page
	b, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mprotect(b[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return unsafe.Slice((*Float)(unsafe.Pointer(&b[size-n*elem])), n), func() { syscall.Munmap(b) }
}
