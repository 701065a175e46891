package main

import (
	"fmt"
)

// Sizes of tiles, per number of vectors. A tile of gemm keeps mr·nv sums, nv vectors of B and up to eight broadcasts in the
// 32 registers; one of slide mr·nv sums, 3·nv vectors of B and at least two broadcasts. Other widths are cut into these.
var (
	gemmSizes512   = map[int][]int{1: {1, 2, 4, 8, 16}, 2: {1, 2, 4, 6, 8, 12, 14}, 4: {1, 2, 4, 6}}
	slideSizes512  = map[int][]int{1: {1, 2, 4, 7, 8, 14, 16}, 2: {1, 2, 4, 7, 8}, 4: {1, 2, 4}}
	slide2Sizes512 = map[int][]int{1: {1, 2, 4, 8}, 2: {1, 2, 4, 7, 8}}
)

// Tiles of grad keep 3·m·nv sums, up to 3·nv vectors of B and at least two broadcasts.
const gradAhead = 6 // pixels that grad fetches ahead

var gradSizes512 = map[int][]int{1: {1, 3, 8}, 2: {1, 3, 4}}

func gemm512() *asm {
	a := newAsm("zgemm512")
	a.reg = "Z"
	a.checkOffsets()
	a.golang("var micro512 = microkernels{\nlanes: 16,\n")
	table := func(kind string, sizes map[int][]int, emit func(mr, nv int) string) {
		a.golang("%s{\n", kind)
		for _, nv := range []int{1, 2, 4} {
			if sizes[nv] == nil {
				continue
			}
			a.golang("%d: {", nv)
			for _, mr := range sizes[nv] {
				a.golang("%d: %s, ", mr, emit(mr, nv))
			}
			a.golang("},\n")
		}
		a.golang("},\n")
	}
	table("gemm: [5][]func(*gemmArgs)", gemmSizes512, a.name512("gemm"))
	table("slide: [5][]func(*gemmArgs)", slideSizes512, a.name512("slide"))
	table("slide2: [5][]func(*gemmArgs)", slide2Sizes512, a.name512("slide2"))
	table("grad: [3][]func(*gemmArgs)", gradSizes512, a.name512("grad"))
	table("grad2: [3][]func(*gemmArgs)", gradSizes512, a.name512("grad2x"))
	table("outer: [5][]func(*gemmArgs)", outerSizes512, a.name512("outer"))
	a.golang("depthwise: &depthwise512,\nsum: sum512,\npeak: peak512,\npeakFlops: 24 * 32,\nscatter: scatterRows512,\n}\n\n")
	for _, nv := range []int{1, 2, 4} {
		for _, mr := range gemmSizes512[nv] {
			a.gemmTile512(mr, nv)
		}
	}
	for _, nv := range []int{1, 2, 4} {
		for _, mr := range slideSizes512[nv] {
			a.slideTile512(mr, nv, 1)
		}
		for _, mr := range slide2Sizes512[nv] {
			a.slideTile512(mr, nv, 2)
		}
	}
	for _, nv := range []int{1, 2} {
		for _, m := range gradSizes512[nv] {
			a.gradTile512(m, nv, 1)
			a.gradTile512(m, nv, 2)
		}
	}
	for _, nv := range []int{1, 2} {
		for _, mr := range outerSizes512[nv] {
			a.outerTile512(mr, nv)
		}
	}
	a.sumRows("sumRows512", 64)
	a.scatter("scatter512", 1)
	a.scatter("scatter512", 2)
	a.peak("peak512", "Z", 24)
	return a
}

func (a *asm) name512(kind string) func(mr, nv int) string {
	return func(mr, nv int) string { return fmt.Sprintf("%s512x%dx%d", kind, mr, nv) }
}

// end adds the sums to C or stores them; groups of rows of C stand CRow apart.
func (a *asm) end(groups, rows, nv int) {
	a.p("MOVQ %d(DI), CX", argLdc)
	a.p("CMPQ %d(DI), $0", argAcc)
	a.p("JEQ store")
	a.rowsOfC(groups, rows, nv, func(z, at int, last bool) {
		mask := ""
		if last {
			mask = "K1, "
		}
		a.p("VADDPS %d(AX), Z%d, %sZ%d", at, z, mask, z)
	})
	a.label("store")
	a.rowsOfC(groups, rows, nv, func(z, at int, last bool) {
		mask := ""
		if last {
			mask = "K1, "
		}
		a.p("VMOVUPS Z%d, %s%d(AX)", z, mask, at)
	})
}

// rowsOfC visits the sums Z0… and their places in C; the last vector of a row is masked.
func (a *asm) rowsOfC(groups, rows, nv int, visit func(z, at int, last bool)) {
	a.p("MOVQ %d(DI), AX", argCurC)
	if groups > 1 {
		a.p("MOVQ AX, BX")
	}
	for g := 0; g < groups; g++ {
		for i := 0; i < rows; i++ {
			for v := 0; v < nv; v++ {
				visit((g*rows+i)*nv+v, 64*v, v == nv-1)
			}
			if i < rows-1 {
				a.p("ADDQ CX, AX")
			}
		}
		if g < groups-1 {
			a.p("ADDQ %d(DI), BX", argCRow)
			a.p("MOVQ BX, AX")
		}
	}
}

// fetchC fetches what end adds to, while the sums are computed.
func (a *asm) fetchC(groups, rows, nv int) {
	a.p("MOVQ %d(DI), CX", argLdc)
	a.rowsOfC(groups, rows, nv, func(_, at int, _ bool) { a.p("PREFETCHT0 %d(AX)", at) })
}

func (a *asm) gemmTile512(mr, nv int) {
	a.fn(a.name512("gemm")(mr, nv), "a *gemmArgs", 8)
	a.tiles()
	a.begin(mr * nv)
	a.setBases(mr)
	// What the next tile reads is fetched while this one is computed: a line a step of k, which is the whole tile where
	// pixels follow each other.
	a.p("MOVQ %d(DI), AX", argAhead)
	a.p("ADDQ SI, AX")
	a.p("MOVQ %d(DI), CX", argK)
	a.p("MOVQ %d(DI), DX", argFetch)
	a.p("PCALIGN $32")
	a.label("k")
	first := 32 - nv
	for v := 0; v < nv; v++ {
		a.p("VMOVUPS %d(R13), Z%d", 64*v, first+v)
	}
	a.p("ADDQ R14, R13")
	a.p("PREFETCHT0 (AX)")
	a.p("PREFETCHT1 (DX)")
	if nv < 4 {
		a.p("ADDQ $64, AX")
	} else {
		a.p("ADDQ $%d, AX", 4*mr)
		a.p("PREFETCHT1 64(DX)")
	}
	a.p("ADDQ %d(DI), DX", argFetchStep)
	spare := min(8, first-mr*nv)
	for i := 0; i < mr; i++ {
		r := mr*nv + i%spare
		a.p("VBROADCASTSS %s, Z%d", row(i), r)
		for v := 0; v < nv; v++ {
			a.p("VFMADD231PS Z%d, Z%d, Z%d", first+v, r, i*nv+v)
		}
	}
	for b := 0; b*9 < mr; b++ {
		a.p("ADDQ R12, %s", rowBases[b])
	}
	a.p("DECQ CX")
	a.p("JNZ k")
	a.p("MOVQ DX, %d(DI)", argFetch)
	a.endTap()
	a.end(1, mr, nv)
	a.endTiles()
}
