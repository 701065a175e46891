package main

import "fmt"

// Byte offsets of the fields of gemmArgs; keep in step with gemm_args.go (TestGemmArgsLayout compares them).
const (
	argA = 8 * iota
	argB
	argC
	argTaps
	argNT
	argK
	argSam
	argSak
	argLdb
	argLdc
	argNM
	argAStep
	argCStep
	argNR
	argARow
	argCRow
	argBSkip
	argAcc
	argMask
	argTailMask
	argRowA
	argRowC
	argCurA
	argCurC
	argLeftM
	argLeftR
)

// Largest tiles. A tile of gemm keeps mr·nv sums, nv vectors of B and up to three broadcasts in the 32 registers; one of
// slide mr·nv sums, 3·nv vectors of B and at least two broadcasts.
var (
	gemmMax512   = map[int]int{1: 16, 2: 14}
	slideMax512  = map[int]int{1: 16, 2: 12, 4: 4}
	slide2Max512 = map[int]int{1: 8, 2: 8, 4: 4}
)

// gradMax512 is the largest m of grad for a number of vectors: 3·m·nv sums, 3·nv vectors of B, two broadcasts.
var gradMax512 = map[int]int{1: 8, 2: 4}

func gemm512() *asm {
	a := newAsm("zgemm512")
	a.golang("var micro512 = microkernels{\nlanes: 16,\n")
	table := func(kind string, sizes map[int]int, emit func(mr, nv int) string) {
		a.golang("%s{\n", kind)
		for _, nv := range []int{1, 2, 4} {
			if sizes[nv] == 0 {
				continue
			}
			a.golang("%d: {", nv)
			for mr := 1; mr <= sizes[nv]; mr++ {
				a.golang("%d: %s, ", mr, emit(mr, nv))
			}
			a.golang("},\n")
		}
		a.golang("},\n")
	}
	table("gemm: [3][]func(*gemmArgs)", gemmMax512, a.name512("gemm"))
	table("slide: [5][]func(*gemmArgs)", slideMax512, a.name512("slide"))
	table("slide2: [5][]func(*gemmArgs)", slide2Max512, a.name512("slide2"))
	table("grad: [3][]func(*gemmArgs)", gradMax512, a.name512("grad"))
	a.golang("}\n\n")
	for _, nv := range []int{1, 2} {
		for mr := 1; mr <= gemmMax512[nv]; mr++ {
			a.gemmTile512(mr, nv)
		}
	}
	for _, nv := range []int{1, 2, 4} {
		for mr := 1; mr <= slideMax512[nv]; mr++ {
			a.slideTile512(mr, nv, 1)
		}
		for mr := 1; mr <= slide2Max512[nv]; mr++ {
			a.slideTile512(mr, nv, 2)
		}
	}
	for _, nv := range []int{1, 2} {
		for m := 1; m <= gradMax512[nv]; m++ {
			a.gradTile512(m, nv)
		}
	}
	a.peak("peak512", "Z", 24)
	return a
}

func (a *asm) name512(kind string) func(mr, nv int) string {
	return func(mr, nv int) string { return fmt.Sprintf("%s512x%dx%d", kind, mr, nv) }
}

// A row address is a base register for each nine rows plus 0 to 8 times Sam, from Sam in R8, 3·Sam in R9, 5·Sam in R10
// and 7·Sam in R11.
var (
	rowBases  = []string{"SI", "BX", "DX"}
	rowScales = []string{"", "(R8*1)", "(R8*2)", "(R9*1)", "(R8*4)", "(R10*1)", "(R9*2)", "(R11*1)", "(R8*8)"}
)

func row(i int) string { return "(" + rowBases[i/9] + ")" + rowScales[i%9] }

// setBases points the bases at the rows 0, 9 and 18 of the tile that begins at SI.
func (a *asm) setBases(rows int) {
	for b := 1; b*9 < rows; b++ {
		a.p("LEAQ (%s)(R8*8), %s", rowBases[b-1], rowBases[b])
		a.p("ADDQ R8, %s", rowBases[b])
	}
}

func (a *asm) zero(first, n int) {
	for i := first; i < first+n; i++ {
		a.p("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
}

// tiles begins the loops over rows and tiles; endTiles ends them.
func (a *asm) tiles() {
	a.p("MOVQ a+0(FP), DI")
	a.p("MOVQ %d(DI), R8", argSam)
	a.p("LEAQ (R8)(R8*2), R9")
	a.p("LEAQ (R8)(R8*4), R10")
	a.p("LEAQ (R9)(R8*4), R11")
	a.p("MOVQ %d(DI), R12", argSak)
	a.p("MOVQ %d(DI), R14", argLdb)
	a.p("MOVQ %d(DI), AX", argMask)
	a.p("KMOVW AX, K1")
	a.move(argA, argRowA)
	a.move(argC, argRowC)
	a.move(argNR, argLeftR)
	a.label("rows")
	a.move(argRowA, argCurA)
	a.move(argRowC, argCurC)
	a.move(argNM, argLeftM)
	a.label("tile")
}

func (a *asm) move(from, to int) {
	a.p("MOVQ %d(DI), AX", from)
	a.p("MOVQ AX, %d(DI)", to)
}

func (a *asm) advance(by, what int) {
	a.p("MOVQ %d(DI), AX", by)
	a.p("ADDQ AX, %d(DI)", what)
}

func (a *asm) endTiles() {
	a.advance(argAStep, argCurA)
	a.advance(argCStep, argCurC)
	a.p("DECQ %d(DI)", argLeftM)
	a.p("JNZ tile")
	a.advance(argARow, argRowA)
	a.advance(argCRow, argRowC)
	a.p("DECQ %d(DI)", argLeftR)
	a.p("JNZ rows")
	a.p("VZEROUPPER")
	a.p("RET")
}

// sums moves the tile between the registers Z0… and C; the last vector of a row is masked.
func (a *asm) sums(mr, nv int, load bool) {
	a.p("MOVQ %d(DI), AX", argCurC)
	a.rowsOfC(0, mr, nv, load)
}

// rowsOfC moves rows of C, the first at AX, from or to the registers from Z`first` on.
func (a *asm) rowsOfC(first, rows, nv int, load bool) {
	a.p("MOVQ %d(DI), CX", argLdc)
	for i := 0; i < rows; i++ {
		for v := 0; v < nv; v++ {
			z := first + i*nv + v
			switch last := v == nv-1; {
			case load && last:
				a.p("VMOVUPS.Z %d(AX), K1, Z%d", 64*v, z)
			case load:
				a.p("VMOVUPS %d(AX), Z%d", 64*v, z)
			case last:
				a.p("VMOVUPS Z%d, K1, %d(AX)", z, 64*v)
			default:
				a.p("VMOVUPS Z%d, %d(AX)", z, 64*v)
			}
		}
		if i < rows-1 {
			a.p("ADDQ CX, AX")
		}
	}
}

// begin loads the sums from C, or clears them.
func (a *asm) begin(mr, nv int) {
	a.p("CMPQ %d(DI), $0", argAcc)
	a.p("JNE load")
	a.zero(0, mr*nv)
	a.p("JMP ready")
	a.label("load")
	a.sums(mr, nv, true)
	a.label("ready")
	a.p("MOVQ %d(DI), R15", argTaps)
	a.p("MOVQ %d(DI), AX", argNT)
	a.p("MOVQ %d(DI), R13", argB)
	a.label("tap")
	a.p("MOVQ (R15), SI")
	a.p("ADDQ %d(DI), SI", argCurA)
}

func (a *asm) gemmTile512(mr, nv int) {
	a.fn(a.name512("gemm")(mr, nv), "a *gemmArgs", 8)
	a.tiles()
	a.begin(mr, nv)
	a.setBases(mr)
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
	a.p("ADDQ %d(DI), R13", argBSkip)
	a.p("ADDQ $8, R15")
	a.p("DECQ AX")
	a.p("JNZ tap")
	a.sums(mr, nv, false)
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
	a.begin(mr, nv)
	pixels := (mr-1)*stride + 3
	a.setBases(pixels)
	a.p("MOVQ %d(DI), CX", argK)
	a.p("PCALIGN $32")
	a.label("k")
	first := 32 - 3*nv
	for v := 0; v < 3*nv; v++ {
		a.p("VMOVUPS %d(R13), Z%d", 64*v, first+v)
	}
	a.p("ADDQ $%d, R13", 3*nv*64)
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
	a.p("ADDQ %d(DI), R13", argBSkip)
	a.p("ADDQ $8, R15")
	a.p("DECQ AX")
	a.p("JNZ tap")
	a.sums(mr, nv, false)
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

// gradTile512 keeps 3·m·nv sums. The vectors of B of the last three pixels stand in the registers from first on, those of
// pixel k-kw at first+kw·nv; A's pixel k meets them as kw = 0, 1, 2.
func (a *asm) gradTile512(m, nv int) {
	a.fn(a.name512("grad")(m, nv), "a *gemmArgs", 8)
	a.tiles()
	first := 32 - 3*nv
	spare := min(4, first-3*m*nv)
	a.p("CMPQ %d(DI), $0", argAcc)
	a.p("JNE load")
	a.zero(0, 3*m*nv)
	a.p("JMP ready")
	a.label("load")
	a.gradSums(m, nv, true)
	a.label("ready")
	a.p("MOVQ %d(DI), R15", argTaps)
	a.p("MOVQ %d(DI), DX", argNT)
	a.p("MOVQ %d(DI), R13", argB)
	a.label("tap")
	a.p("MOVQ (R15), SI")
	a.p("ADDQ %d(DI), SI", argCurA)
	a.p("MOVQ %d(DI), CX", argK)
	shift := func(from, to int) { // pixel k-from becomes k-to
		for v := 0; v < nv; v++ {
			a.p("VMOVAPS Z%d, Z%d", first+from*nv+v, first+to*nv+v)
		}
	}
	next := func() {
		shift(1, 2)
		shift(0, 1)
		for v := 0; v < nv; v++ {
			if v == nv-1 {
				a.p("VMOVUPS.Z %d(R13), K1, Z%d", 64*v, first+v)
			} else {
				a.p("VMOVUPS %d(R13), Z%d", 64*v, first+v)
			}
		}
		a.p("ADDQ R14, R13")
	}
	products := func(from, to int) {
		for i := 0; i < m; i++ {
			r := 3*m*nv + i%spare
			a.p("VBROADCASTSS %d(SI), Z%d", 4*i, r)
			for kw := from; kw <= to; kw++ {
				for v := 0; v < nv; v++ {
					a.p("VFMADD231PS Z%d, Z%d, Z%d", first+kw*nv+v, r, (kw*m+i)*nv+v)
				}
			}
		}
		a.p("ADDQ R8, SI")
	}
	next()
	products(0, 0)
	a.p("DECQ CX")
	a.p("JZ single")
	next()
	products(0, 1)
	a.p("DECQ CX")
	a.p("JZ last")
	a.p("PCALIGN $32")
	a.label("k")
	next()
	products(0, 2)
	a.p("DECQ CX")
	a.p("JNZ k")
	a.label("last")
	shift(1, 2)
	shift(0, 1)
	products(1, 2)
	shift(1, 2)
	products(2, 2)
	a.p("JMP end")
	a.label("single")
	shift(0, 1)
	products(1, 1)
	shift(1, 2)
	products(2, 2)
	a.label("end")
	a.p("ADDQ %d(DI), R13", argBSkip)
	a.p("ADDQ $8, R15")
	a.p("DECQ DX")
	a.p("JNZ tap")
	a.gradSums(m, nv, false)
	a.endTiles()
}

func (a *asm) gradSums(m, nv int, load bool) {
	a.p("MOVQ %d(DI), BX", argCurC)
	for kw := 0; kw < 3; kw++ {
		a.p("MOVQ BX, AX")
		a.rowsOfC(kw*m*nv, m, nv, load)
		if kw < 2 {
			a.p("ADDQ %d(DI), BX", argCStep)
		}
	}
}
