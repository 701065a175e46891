package main

import (
	"fmt"
)

// Sizes of tiles, per number of vectors. A tile of gemm keeps mr·nv sums, nv vectors of B and up to three broadcasts in the
// 32 registers; one of slide mr·nv sums, 3·nv vectors of B and at least two broadcasts. Other widths are cut into these.
var (
	gemmSizes512   = map[int][]int{1: {1, 2, 4, 8, 16}, 2: {1, 2, 4, 6, 8, 12, 14}}
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
	table("gemm: [3][]func(*gemmArgs)", gemmSizes512, a.name512("gemm"))
	table("slide: [5][]func(*gemmArgs)", slideSizes512, a.name512("slide"))
	table("slide2: [5][]func(*gemmArgs)", slide2Sizes512, a.name512("slide2"))
	table("grad: [3][]func(*gemmArgs)", gradSizes512, a.name512("grad"))
	table("grad2: [3][]func(*gemmArgs)", gradSizes512, a.name512("grad2x"))
	a.golang("depthwise: &depthwise512,\nsum: sum512,\npeak: peak512,\npeakFlops: 24 * 32,\nscatter: scatterRows512,\n}\n\n")
	for _, nv := range []int{1, 2} {
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
	a.sumRows("sumRows512", 64)
	a.scatter512(1)
	a.scatter512(2)
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
	a.p("PCALIGN $32")
	a.label("k")
	first := 32 - nv
	for v := 0; v < nv; v++ {
		if v == nv-1 {
			a.p("VMOVUPS.Z %d(R13), K1, Z%d", 64*v, first+v)
		} else {
			a.p("VMOVUPS %d(R13), Z%d", 64*v, first+v)
		}
	}
	a.p("ADDQ R14, R13")
	a.p("PREFETCHT0 (AX)")
	a.p("ADDQ $64, AX")
	spare := min(3, first-mr*nv)
	for i := 0; i < mr; i++ {
		if nv == 1 {
			a.p("VFMADD231PS.BCST %s, Z%d, Z%d", row(i), first, i)
			continue
		}
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
	a.endTap()
	a.end(1, mr, nv)
	a.endTiles()
}

// slideTile512 is a tile of slide (stride 1) or slide2. The pixels are visited in interleaved runs, so that the three
// products of one sum are far enough apart not to wait for each other.
func (a *asm) slideTile512(mr, nv, stride int) {
	kind := "slide"
	if stride == 2 {
		kind = "slide2"
	}
	a.fn(a.name512(kind)(mr, nv), "a *gemmArgs", 8)
	a.tiles()
	a.begin(mr * nv)
	pixels := (mr-1)*stride + 3
	a.setBases(pixels)
	a.p("MOVQ %d(DI), AX", argAhead)
	a.p("ADDQ SI, AX")
	a.p("MOVQ %d(DI), CX", argK)
	a.p("PCALIGN $32")
	a.label("k")
	first := 32 - 3*nv
	for v := 0; v < 3*nv; v++ {
		a.p("VMOVUPS %d(R13), Z%d", 64*v, first+v)
	}
	a.p("ADDQ $%d, R13", 3*nv*64)
	a.p("PREFETCHT0 (AX)")
	a.p("ADDQ $64, AX")
	spare := first - mr*nv
	for n, q := range interleave(pixels, max(1, 3/nv)) {
		r := mr*nv + n%spare
		a.p("VBROADCASTSS %s, Z%d", row(q), r)
		for kw := 0; kw < 3; kw++ {
			if j := (q - kw) / stride; q >= kw && (q-kw)%stride == 0 && j < mr {
				for v := 0; v < nv; v++ {
					a.p("VFMADD231PS Z%d, Z%d, Z%d", first+kw*nv+v, r, j*nv+v)
				}
			}
		}
	}
	for b := 0; b*9 < pixels; b++ {
		a.p("ADDQ $4, %s", rowBases[b])
	}
	a.p("DECQ CX")
	a.p("JNZ k")
	a.endTap()
	a.end(1, mr, nv)
	a.endTiles()
}

// interleave orders 0…n-1 as `runs` runs visited in turn.
func interleave(n, runs int) (order []int) {
	length := (n + runs - 1) / runs
	for i := 0; i < length; i++ {
		for r := 0; r < runs; r++ {
			if q := r*length + i; q < n {
				order = append(order, q)
			}
		}
	}
	return order
}

// gradTile512 keeps 3·m·nv sums. At stride 1, A's pixel k meets B's k, k-1 and k-2 as kw = 0, 1, 2; at stride 2, A's
// pixel 2k meets B's k and k-1 as kw = 0 and 2, and A's 2k+1 meets B's k as kw = 1. The last pixels of B stand in slots of
// nv registers from first on, which take turns: the loop is unrolled until the turns repeat.
func (a *asm) gradTile512(m, nv, stride int) {
	kind, slots := "grad", 3
	if stride == 2 {
		kind, slots = "grad2x", 2
	}
	a.fn(a.name512(kind)(m, nv), "a *gemmArgs", 8)
	a.tiles()
	first := 32 - slots*nv
	spare := min(4, first-3*m*nv)
	a.begin(3 * m * nv)
	a.p("MOVQ %d(DI), CX", argK)
	// load puts B's next pixel into a slot.
	load := func(slot int) {
		for v := 0; v < nv; v++ {
			if v == nv-1 {
				a.p("VMOVUPS.Z %d(R13), K1, Z%d", 64*v, first+slot*nv+v)
			} else {
				a.p("VMOVUPS %d(R13), Z%d", 64*v, first+slot*nv+v)
			}
		}
		for v := 0; v < nv; v++ {
			a.p("PREFETCHT0 %d(R13)", gradAhead*64*nv+64*v)
		}
		a.p("PREFETCHT0 %d(SI)", gradAhead*64)
		a.p("ADDQ R14, R13")
	}
	// pixel multiplies A's next pixel with slots of B: pairs of (kw, slot).
	pixel := func(pairs ...[2]int) {
		for i := 0; i < m; i++ {
			r := 3*m*nv + i%spare
			a.p("VBROADCASTSS %d(SI), Z%d", 4*i, r)
			for _, p := range pairs {
				for v := 0; v < nv; v++ {
					a.p("VFMADD231PS Z%d, Z%d, Z%d", first+p[1]*nv+v, r, (p[0]*m+i)*nv+v)
				}
			}
		}
		a.p("ADDQ R8, SI")
	}
	// turn loads a slot and takes the pixels of A that are complete with it; before is the slots in their order of age.
	turn := func(slot int, before ...int) {
		load(slot)
		if stride == 1 {
			pixel([2]int{0, slot}, [2]int{1, before[0]}, [2]int{2, before[1]})
		} else {
			pixel([2]int{0, slot}, [2]int{2, before[0]})
			pixel([2]int{1, slot})
		}
	}
	finish := func(last, before int) {
		if stride == 1 {
			pixel([2]int{1, last}, [2]int{2, before})
		}
		pixel([2]int{2, last})
	}
	load(0)
	pixel([2]int{0, 0})
	if stride == 1 {
		a.p("DECQ CX")
		a.p("JZ single")
		load(1)
		pixel([2]int{0, 1}, [2]int{1, 0})
		a.p("DECQ CX")
		a.p("SUBQ $3, CX")
		a.p("JLT tail")
		a.p("PCALIGN $32")
		a.label("k")
		turn(2, 1, 0)
		turn(0, 2, 1)
		turn(1, 0, 2)
		a.p("SUBQ $3, CX")
		a.p("JGE k")
		a.label("tail")
		a.p("CMPQ CX, $-2")
		a.p("JLT rest0")
		a.p("JEQ rest1")
		turn(2, 1, 0)
		turn(0, 2, 1)
		finish(0, 2)
		a.p("JMP end")
		a.label("rest1")
		turn(2, 1, 0)
		finish(2, 1)
		a.p("JMP end")
		a.label("rest0")
		finish(1, 0)
		a.p("JMP end")
		a.label("single")
		pixel([2]int{1, 0})
		pixel([2]int{2, 0})
	} else {
		pixel([2]int{1, 0})
		a.p("DECQ CX")
		a.p("SUBQ $2, CX")
		a.p("JLT tail")
		a.p("PCALIGN $32")
		a.label("k")
		turn(1, 0)
		turn(0, 1)
		a.p("SUBQ $2, CX")
		a.p("JGE k")
		a.label("tail")
		a.p("CMPQ CX, $-2")
		a.p("JEQ rest0")
		turn(1, 0)
		finish(1, 0)
		a.p("JMP end")
		a.label("rest0")
		finish(0, 1)
	}
	a.label("end")
	a.endTap()
	a.end(3, m, nv)
	a.endTiles()
}

// scatter512 copies pixels of `panels` panels of v vectors each, which follow each other in src, to places in dst that
// stand panelStep bytes apart; a panel's pixels follow each other there. It reads src in order, which the processor's
// prefetching likes. The last vector of a pixel is masked.
func (a *asm) scatter512(v int) {
	a.fn(fmt.Sprintf("scatter512x%d", v), "dst, src *float32, pixels, panels, panelStep, tailBytes, mask int", 56)
	a.p("MOVQ dst+0(FP), DI")
	a.p("MOVQ src+8(FP), SI")
	a.p("MOVQ pixels+16(FP), CX")
	a.p("MOVQ panelStep+32(FP), R8")
	a.p("MOVQ tailBytes+40(FP), R9")
	a.p("MOVQ mask+48(FP), AX")
	a.p("KMOVW AX, K1")
	a.label("pixel")
	a.p("MOVQ panels+24(FP), DX")
	a.p("MOVQ DI, BX")
	a.p("DECQ DX")
	a.p("JZ last")
	a.label("panel")
	for i := 0; i < v; i++ {
		a.p("VMOVUPS %d(SI), Z%d", 64*i, i)
		a.p("VMOVUPS Z%d, %d(BX)", i, 64*i)
	}
	a.p("ADDQ $%d, SI", 64*v)
	a.p("ADDQ R8, BX")
	a.p("DECQ DX")
	a.p("JNZ panel")
	a.label("last")
	for i := 0; i < v; i++ {
		if i < v-1 {
			a.p("VMOVUPS %d(SI), Z%d", 64*i, i)
			a.p("VMOVUPS Z%d, %d(BX)", i, 64*i)
		} else {
			a.p("VMOVUPS.Z %d(SI), K1, Z%d", 64*i, i)
			a.p("VMOVUPS Z%d, %d(BX)", i, 64*i)
		}
	}
	a.p("ADDQ R9, SI")
	a.p("ADDQ $%d, DI", 64*v)
	a.p("DECQ CX")
	a.p("JNZ pixel")
	a.p("VZEROUPPER")
	a.p("RET")
}
