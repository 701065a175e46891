package main

// A tile of outer keeps mr·nv sums, nv vectors of B and up to three broadcasts.
var outerSizes512 = map[int][]int{1: {1, 2, 4, 8, 16}, 2: {1, 2, 4, 6, 8, 12, 14}}

// outerAhead is the number of steps of K that outer fetches ahead.
const outerAhead = 8

// outerTile512 is a tile of outer. What it fetches besides is far from the operands, and wanted in the second-level cache.
func (a *asm) outerTile512(mr, nv int) {
	a.fn(a.name512("outer")(mr, nv), "a *gemmArgs", 8)
	a.tiles()
	a.fetchC(1, mr, nv)
	a.begin(mr * nv)
	a.p("LEAQ (R12*%d), R8", outerAhead)
	a.p("LEAQ (R14*%d), R9", outerAhead)
	a.p("MOVQ %d(DI), R10", argFetch)
	a.p("MOVQ %d(DI), R11", argFetch2)
	a.p("MOVQ %d(DI), CX", argK)
	a.p("PCALIGN $32")
	a.label("k")
	first := 32 - nv
	for v := 0; v < nv; v++ {
		a.p("VMOVUPS %d(R13), Z%d", 64*v, first+v)
	}
	a.p("PREFETCHT0 %d(SI)(R8*1)", 4*(mr-1))
	for v := 0; v < nv; v++ {
		a.p("PREFETCHT0 %d(R13)(R9*1)", 64*v)
	}
	a.p("PREFETCHT1 (R10)")
	a.p("PREFETCHT1 (R11)")
	a.p("ADDQ R14, R13")
	a.p("ADDQ $64, R10")
	a.p("ADDQ $64, R11")
	spare := min(3, first-mr*nv)
	for i := 0; i < mr; i++ {
		if nv == 1 {
			a.p("VFMADD231PS.BCST %d(SI), Z%d, Z%d", 4*i, first, i)
			continue
		}
		r := mr*nv + i%spare
		a.p("VBROADCASTSS %d(SI), Z%d", 4*i, r)
		for v := 0; v < nv; v++ {
			a.p("VFMADD231PS Z%d, Z%d, Z%d", first+v, r, i*nv+v)
		}
	}
	a.p("ADDQ R12, SI")
	a.p("DECQ CX")
	a.p("JNZ k")
	a.p("MOVQ R10, %d(DI)", argFetch)
	a.p("MOVQ R11, %d(DI)", argFetch2)
	a.endTap()
	a.end(1, mr, nv)
	a.endTiles()
}
