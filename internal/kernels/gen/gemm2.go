package main

import "fmt"

// The AVX2 tiles: mr·nv sums, nv vectors of B and one or two broadcasts in 16 registers. A sum waits four cycles for its
// last product and two products begin in each, so that a tile needs more than eight sums to keep up; twelve do. One vector
// of columns is always masked, by Y15; two or three never are.
var gemmSizes2 = map[int][]int{1: {1, 2, 4, 8, 12}, 2: {1, 2, 3, 4, 5, 6}, 3: {1, 2, 3, 4}}

func gemm2() *asm {
	a := newAsm("zgemm2")
	a.reg = "Y"
	a.golang("var micro2 = microkernels{\nlanes: 8,\nwholeVectors: true,\ngemm: [5][]func(*gemmArgs){\n")
	for nv := 1; nv <= 3; nv++ {
		a.golang("%d: {", nv)
		for _, mr := range gemmSizes2[nv] {
			a.golang("%d: gemm2x%dx%d, ", mr, mr, nv)
		}
		a.golang("},\n")
	}
	a.golang("},\ndepthwise: &depthwise2,\nsum: sum2,\npeak: peak2,\npeakFlops: 14 * 16,\nscatter: scatterRows2,\nwindowPixels: 256,\n}\n\n")
	for nv := 1; nv <= 3; nv++ {
		for _, mr := range gemmSizes2[nv] {
			a.gemmTile2(mr, nv)
		}
	}
	for nv := 1; nv <= 3; nv++ {
		a.scatter("scatter2", nv)
	}
	a.sumRows("sumRows2", 32)
	a.peak("peak2", "Y", 14)
	return a
}

func (a *asm) gemmTile2(mr, nv int) {
	a.fn(fmt.Sprintf("gemm2x%dx%d", mr, nv), "a *gemmArgs", 8)
	a.tiles()
	a.begin(mr * nv)
	a.setBases(mr)
	a.p("MOVQ %d(DI), AX", argAhead)
	a.p("ADDQ SI, AX")
	a.p("MOVQ %d(DI), DX", argAheadStep)
	a.p("MOVQ %d(DI), CX", argK)
	a.p("PCALIGN $32")
	a.label("k")
	first := 16 - nv // B's registers; broadcasts stand before them
	for v := 0; v < nv; v++ {
		a.p("VMOVUPS %d(R13), Y%d", 32*v, first+v)
	}
	a.p("ADDQ R14, R13")
	a.p("PREFETCHT0 (AX)")
	a.p("ADDQ DX, AX")
	spare := min(2, first-mr*nv)
	for i := 0; i < mr; i++ {
		r := first - 1 - i%spare
		a.p("VBROADCASTSS %s, Y%d", row(i), r)
		for v := 0; v < nv; v++ {
			a.p("VFMADD231PS Y%d, Y%d, Y%d", first+v, r, i*nv+v)
		}
	}
	for b := 0; b*9 < mr; b++ {
		a.p("ADDQ R12, %s", rowBases[b])
	}
	a.p("DECQ CX")
	a.p("JNZ k")
	a.endTap()
	a.end2(mr, nv)
	a.endTiles()
}

// end2 adds the sums to C or stores them, like end; Y14 and Y15 are free for it.
func (a *asm) end2(rows, nv int) {
	masked := nv == 1
	if masked {
		a.p("MOVQ %d(DI), CX", argTailMask)
		a.p("VMOVUPS (CX), Y15")
	}
	a.p("MOVQ %d(DI), CX", argLdc)
	if masked {
		a.jumpIfWhole()
		a.p("CMPQ %d(DI), $0", argAcc)
		a.p("JEQ store")
		a.rowsOfC(1, rows, nv, func(y, _ int, _ bool) {
			a.p("VMASKMOVPS (AX), Y15, Y14")
			a.p("VADDPS Y14, Y%d, Y%d", y, y)
		})
		a.label("store")
		a.rowsOfC(1, rows, nv, func(y, _ int, _ bool) { a.p("VMASKMOVPS Y%d, Y15, (AX)", y) })
		a.p("JMP stored")
		a.label("whole")
	}
	a.p("CMPQ %d(DI), $0", argAcc)
	a.p("JEQ storeall")
	a.rowsOfC(1, rows, nv, func(y, at int, _ bool) { a.p("VADDPS %d(AX), Y%d, Y%d", at/2, y, y) })
	a.label("storeall")
	a.rowsOfC(1, rows, nv, func(y, at int, _ bool) { a.p("VMOVUPS Y%d, %d(AX)", y, at/2) })
	if masked {
		a.label("stored")
	}
}
