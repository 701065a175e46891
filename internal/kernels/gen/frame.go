package main

// Byte offsets of the fields of gemmArgs; what is generated does not compile where they differ.
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
	argAOff
	argBOff
	argCOff
	argAhead
	argFetch
	argRowA
	argRowC
	argCurA
	argCurC
	argLeftM
	argLeftR
	argLeftT
	argFetch2
	argFetchStep
	argAheadStep
)

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
		a.p("VXORPS %s%d, %s%d, %s%d", a.reg, i, a.reg, i, a.reg, i)
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
	if a.reg == "Z" {
		a.p("MOVQ %d(DI), AX", argMask)
		a.p("KMOVW AX, K1")
	}
	a.move(argA, argRowA)
	a.advance(argAOff, argRowA)
	a.move(argC, argRowC)
	a.advance(argCOff, argRowC)
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

// begin clears the sums and starts the loop over taps. C is added at the end and not loaded here, so that the products
// need not wait for it.
func (a *asm) begin(sums int) {
	a.zero(0, sums)
	a.p("MOVQ %d(DI), R15", argTaps)
	a.p("MOVQ %d(DI), DX", argNT)
	a.p("MOVQ DX, %d(DI)", argLeftT)
	a.p("MOVQ %d(DI), R13", argB)
	a.p("ADDQ %d(DI), R13", argBOff)
	a.label("tap")
	a.p("MOVQ (R15), SI")
	a.p("ADDQ %d(DI), SI", argCurA)
}

func (a *asm) endTap() {
	a.p("ADDQ %d(DI), R13", argBSkip)
	a.p("ADDQ $8, R15")
	a.p("DECQ %d(DI)", argLeftT)
	a.p("JNZ tap")
}

// sumRows adds count rows of n vectors, stride bytes apart, in order.
func (a *asm) sumRows(name string, bytes int) {
	a.fn(name, "dst, src *float32, n, count, stride int", 40)
	a.p("MOVQ dst+0(FP), DI")
	a.p("MOVQ src+8(FP), SI")
	a.p("MOVQ n+16(FP), CX")
	a.p("MOVQ stride+32(FP), R8")
	a.label("vector")
	a.p("MOVQ count+24(FP), DX")
	a.p("MOVQ SI, BX")
	a.p("VMOVUPS (BX), %s0", a.reg)
	a.p("JMP next")
	a.label("row")
	a.p("VADDPS (BX), %s0, %s0", a.reg, a.reg)
	a.label("next")
	a.p("ADDQ R8, BX")
	a.p("DECQ DX")
	a.p("JNZ row")
	a.p("VMOVUPS %s0, (DI)", a.reg)
	a.p("ADDQ $%d, SI", bytes)
	a.p("ADDQ $%d, DI", bytes)
	a.p("DECQ CX")
	a.p("JNZ vector")
	a.p("VZEROUPPER")
	a.p("RET")
}

// fields names the fields of gemmArgs at the offsets above.
var fields = []string{
	argA / 8:         "A",
	argB / 8:         "B",
	argC / 8:         "C",
	argTaps / 8:      "Taps",
	argNT / 8:        "NT",
	argK / 8:         "K",
	argSam / 8:       "Sam",
	argSak / 8:       "Sak",
	argLdb / 8:       "Ldb",
	argLdc / 8:       "Ldc",
	argNM / 8:        "NM",
	argAStep / 8:     "AStep",
	argCStep / 8:     "CStep",
	argNR / 8:        "NR",
	argARow / 8:      "ARow",
	argCRow / 8:      "CRow",
	argBSkip / 8:     "BSkip",
	argAcc / 8:       "Acc",
	argMask / 8:      "Mask",
	argTailMask / 8:  "TailMask",
	argAOff / 8:      "AOff",
	argBOff / 8:      "BOff",
	argCOff / 8:      "COff",
	argAhead / 8:     "Ahead",
	argFetch / 8:     "Fetch",
	argRowA / 8:      "rowA",
	argRowC / 8:      "rowC",
	argCurA / 8:      "curA",
	argCurC / 8:      "curC",
	argLeftM / 8:     "leftM",
	argLeftR / 8:     "leftR",
	argLeftT / 8:     "leftT",
	argFetch2 / 8:    "Fetch2",
	argFetchStep / 8: "FetchStep",
	argAheadStep / 8: "AheadStep",
}

// checkOffsets writes declarations that do not compile if a field of gemmArgs stands elsewhere.
func (a *asm) checkOffsets() {
	a.golang("import \"unsafe\"\n\n// Does not compile if a field of gemmArgs is not where the assembly expects it.\nvar _ = [...][0]struct{}{\n")
	for i, field := range fields {
		a.golang("[unsafe.Offsetof(gemmArgs{}.%s) - %d]struct{}{},\n", field, 8*i)
	}
	a.golang("}\n")
}
