package kernels

import "unsafe"

// Scratch memory belongs to the workers, not to the plans: a plan states its need when it is made, and all plans share
// one buffer a worker, which therefore stays in that worker's cache.
var scratch struct {
	need int
	buf  [][]Float
}

// needScratch makes sure that every worker has n elements.
func needScratch(n int) {
	if n > scratch.need {
		scratch.need = n
		growScratch(len(scratch.buf))
	}
}

func growScratch(threads int) {
	for len(scratch.buf) < threads {
		scratch.buf = append(scratch.buf, nil)
	}
	for i := range scratch.buf {
		if len(scratch.buf[i]) < scratch.need {
			scratch.buf[i] = Alloc(scratch.need)
		}
	}
}

// Alloc returns n zeroed elements that begin on a 64-byte boundary.
func Alloc(n int) []Float {
	const line = 64
	size := int(unsafe.Sizeof(Float(0)))
	b := make([]Float, n+line/size)
	o := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b)))&(line-1)) / size
	return b[o : o+n : o+n]
}
