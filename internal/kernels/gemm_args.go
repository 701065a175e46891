package kernels

import "unsafe"

const elem = int(unsafe.Sizeof(Float(0))) // bytes of an element

// gemmArgs is the argument block of the matrix microkernels. They compute, for r in [0,NR), t in [0,NM) and each of a
// kernel's MR rows i and NV vectors of output columns,
//
//	C[r·CRow + t·CStep + i·Ldc] (+)= Σ_tap Σ_k A[r·ARow + t·AStep + Taps[tap] + i·Sam + k·Sak] · B[…]
//
// B is read once from its start for every tile: K vectors Ldb apart for each tap, and BSkip further after each tap. All
// strides and offsets are in bytes. Acc ≠ 0 adds to C. Tail is the number of live elements in the last vector of columns; B
// must be readable to that vector's end, since a masked load would take a multiplier's time.
// The fields in small letters are the kernel's own: addresses that it advances, which must not be pointers.
//
// The layout is known to the generator (gen/gemm512.go, gen/gemm2.go).
type gemmArgs struct {
	A, B, C             unsafe.Pointer
	Taps                *int
	NT, K               int
	Sam, Sak, Ldb, Ldc  int
	NM, AStep, CStep    int
	NR, ARow, CRow      int
	BSkip, Acc          int
	Mask                int            // the low Tail bits set
	TailMask            unsafe.Pointer // 8 int32, the first Tail of them -1 (AVX2)
	AOff, BOff, COff    int            // where A, B and C begin: the pointers themselves must stay inside their slices, for the collector
	Ahead               int            // from a tile of A to one that is wanted soon
	Fetch               uintptr        // memory that is wanted soon; depthwise kernels fetch a line of it for each pixel, and advance
	rowA, rowC          uintptr
	curA, curC          uintptr
	leftM, leftR, leftT int
	Fetch2              uintptr // like Fetch; outer fetches a line of both for each step of K, and advances
	FetchStep           int     // gemm fetches a line of Fetch for each step of K, gemm[4] two, and advances by this
	AheadStep           int     // AVX2's gemm fetches a line at A+Ahead for each step of K, and advances by this
}

// microkernels is one instruction set's way to compute gemmArgs.
type microkernels struct {
	lanes int // elements of a vector
	// wholeVectors says that gemm[2] and gemm[3] cannot mask their last vector: only gemm[1] has a tail.
	wholeVectors bool
	// gemm[nv][mr] has mr rows and nv vectors of columns.
	gemm [5][]func(*gemmArgs)
	// slide[nv][mr] convolves along a row: MR output pixels, Sam apart in A, each the sum over three neighbours of
	// A[i+kw]·B[k][kw], so that a pixel is read once for three products. B holds (k, kw, nv vectors). nil if there is none.
	// slide2 reads output pixel i's neighbours at 2i+kw.
	slide, slide2 [5][]func(*gemmArgs)
	// grad[nv][m] sums A[i][k+kw]·B[k] over K pixels, Ldb apart in B and Sam apart in A, for kw in 0..2 and m neighbours
	// i in A. C holds (kw, i) rows, CRow between kw and Ldc between i. NR must be 1. nil if there is none.
	// grad2 reads pixel k's neighbours at 2k+kw.
	grad, grad2 [3][]func(*gemmArgs)
	// windowPixels is how many pixels the gradient of the weights sums up before it goes on to the next: so many that their
	// part of a block of x and a panel of g stays in the first-level cache. Pointwise weights are no exception. 0: all that a
	// call of add covers, and pointwise weights as products.
	windowPixels int
	// outer is gemm for rows of A that are neighbours, Sam = elem, so that it is K that strides through memory. nil if there
	// is none.
	outer     [5][]func(*gemmArgs)
	depthwise *depthwiseKernels
	// peak is n rounds of the loop behind PeakFlops, peakFlops the operations of a round.
	peak      func(n int)
	peakFlops float64
	// sum adds count rows, stride elements apart in src, in order.
	sum func(dst, src []Float, count, stride int)
	// scatter copies pixels of `channels` elements, srcStep apart, into panels of width elements that stand panelStep apart
	// in dst. A panel's pixels follow each other, width apart; what the last panel's pixels leave over is undefined.
	scatter func(dst, src []Float, pixels, channels, width, panelStep, srcStep int)
}

// micro is the implementation in use.
var micro = &microGo

// tail states how many elements of the last vector are live.
func (a *gemmArgs) tail(n int, m *microkernels) {
	a.Mask = 1<<n - 1
	a.TailMask = unsafe.Pointer(&tailMasks[8-min(n, 8)])
}

// tailMasks[8-n:] begins with n times -1.
var tailMasks = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

func address(s []Float) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }
