package kernels

import (
	"fmt"
	"unsafe"
)

// Scratch memory belongs to the workers, not to the plans: a plan states its need when it is made, and all plans share
// one buffer a worker, which therefore stays in that worker's cache.
var scratch struct {
	need int
	buf  [][]Float
	args []*gemmArgs
	user []unsafe.Pointer // who arranged the worker's buffer last
}

// partials holds the sums of the chunks of one operation, chunk after chunk.
var partials []Float

func needPartials(n int) {
	if n > len(partials) {
		partials = Alloc(n)
	}
}

// claimScratch is true if user was the last to claim the worker's scratch memory: then the borders that it has cleared there
// are still clear. Whoever uses scratch memory claims it first.
func claimScratch(worker int, user unsafe.Pointer) bool {
	same := scratch.user[worker] == user
	scratch.user[worker] = user
	return same
}

// scratchGap is what an operation adds to its need for each part of scratch after the first.
const scratchGap = 32

// scratchOf is part of a worker's scratch memory, from the first 64-byte boundary at or after offset on.
func scratchOf(worker, offset, n int) []Float {
	offset = (offset + 15) &^ 15
	return scratch.buf[worker][offset:][:n]
}

func argsOf(worker int) *gemmArgs { return scratch.args[worker] }

func check(what string, have, want int) {
	if have < want {
		panic(fmt.Sprintf("kernels: %s has %d elements, the shape needs %d", what, have, want))
	}
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
		scratch.args = append(scratch.args, new(gemmArgs))
		scratch.user = append(scratch.user, nil)
	}
	for i := range scratch.buf {
		if len(scratch.buf[i]) < scratch.need {
			scratch.buf[i], scratch.user[i] = Alloc(scratch.need), nil
		}
	}
}

// Alloc returns n zeroed elements that begin on a 64-byte boundary. Where there are many, it asks for large pages, whose addresses
// the processor need not look up so often.
func Alloc(n int) []Float {
	const line = 64
	size := int(unsafe.Sizeof(Float(0)))
	b := make([]Float, n+line/size)
	adviseLargePages(b)
	o := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b)))&(line-1)) / size
	return b[o : o+n : o+n]
}
