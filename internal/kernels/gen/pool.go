package main

// Byte offsets of the fields of poolRun.
const (
	runY      = 0
	runX      = 8
	runPixels = 16
	runStep   = 24
	runRow    = 32
	runTaps   = 40
	runCount  = 48
	runWeight = 64
	runSize   = 72
)

// Registers of the pooling kernels: the run in R8 and the runs left in R9; the output in DI, the window in SI, pixels left in
// AX, bytes of a pixel in R15 and of its channels left in CX, bytes from a window's end to the next in R12. Windows of any
// form: taps in R10, their number in R11, counted in BX, and the address of one in R14. Windows of 3×3: bytes between rows in
// R10.

// runs prints the loops over runs, pixels and vectors of channels. begin sets a run up; any and square compute a vector of one
// pixel, with windows of any form and of 3×3.
func (v *simd) runs(out, in string, begin func(), any, square func(masked bool)) {
	v.get("c", "CX", "c", "R15", "runs_base", "R8", "runs_len", "R9")
	v.p("SHLQ $2, R15")
	v.p("ANDQ $%d, CX", v.lanes()-1)
	v.mask()
	v.label("run")
	v.get(out+"_base", "DI", in+"_base", "SI")
	v.p("MOVQ %d(R8), AX", runY)
	v.p("LEAQ (DI)(AX*4), DI")
	v.p("MOVQ %d(R8), AX", runX)
	v.p("LEAQ (SI)(AX*4), SI")
	v.p("MOVQ %d(R8), R12", runStep)
	v.p("SHLQ $2, R12")
	v.p("SUBQ R15, R12")
	begin()
	v.p("MOVQ %d(R8), AX", runPixels)
	v.p("MOVQ %d(R8), R10", runRow)
	v.p("SHLQ $2, R10")
	v.p("JNE square")
	v.p("MOVQ %d(R8), R10", runTaps)
	v.p("MOVQ %d(R8), R11", runCount)
	v.pixels("any", any)
	v.p("JMP done")
	v.pixels("square", square)
	v.label("done")
	v.p("ADDQ $%d, R8", runSize)
	v.p("DECQ R9")
	v.p("JNZ run")
	v.ret()
}

// pixels prints the loops over the pixels of a run and their vectors.
func (v *simd) pixels(name string, vector func(masked bool)) {
	v.label(name)
	v.p("MOVQ R15, CX")
	v.p("SUBQ $%d, CX", v.width())
	v.p("JLT %sTail", name)
	v.label(name + "Vector")
	vector(false)
	v.p("ADDQ $%d, DI", v.width())
	v.p("ADDQ $%d, SI", v.width())
	v.p("SUBQ $%d, CX", v.width())
	v.p("JGE %sVector", name)
	v.label(name + "Tail")
	v.p("ADDQ $%d, CX", v.width())
	v.p("JEQ %sNext", name)
	vector(true)
	v.p("ADDQ CX, DI")
	v.p("ADDQ CX, SI")
	v.label(name + "Next")
	v.p("ADDQ R12, SI")
	v.p("DECQ AX")
	v.p("JNZ %s", name)
}

// taps prints a loop over the taps of the window at SI; at is the address of the tap.
func (v *simd) taps(label string, body func(at string)) {
	v.p("XORL BX, BX")
	v.label(label)
	v.p("MOVQ (R10)(BX*8), R14")
	v.p("LEAQ (SI)(R14*4), R14")
	body("(R14)")
	v.p("INCQ BX")
	v.p("CMPQ BX, R11")
	v.p("JLT %s", label)
}

// square prints the nine taps of the window at SI. It moves BX, and R14 with it.
func (v *simd) square(body func(column string)) {
	v.p("MOVQ SI, BX")
	for row := range 3 {
		for _, column := range []string{"", "(R15*1)", "(R15*2)"} {
			body(column)
		}
		if row < 2 {
			v.p("ADDQ R10, BX")
			v.p("ADDQ R10, R14")
		}
	}
}

// pool prints a kernel that combines taps by op. begin sets register 12 up for a run, first makes the first value, last
// ends a pixel.
func (v *simd) pool(name, op string, begin, first, last func()) {
	pixel := func(masked bool, taps func(masked bool)) {
		first()
		taps(masked)
		last()
		v.store(0, "(DI)", masked)
	}
	v.begin(name, "y, x []float32, runs []poolRun, c int", "")
	v.runs("y", "x", begin, func(masked bool) {
		pixel(masked, func(masked bool) {
			v.taps(label("tap", masked), func(at string) { v.with(op, at, 0, 0, 8, masked) })
		})
	}, func(masked bool) {
		pixel(masked, func(masked bool) {
			v.square(func(column string) { v.with(op, "(BX)"+column, 0, 0, 8, masked) })
		})
	})
}

func label(name string, masked bool) string {
	if masked {
		return name + "Masked"
	}
	return name
}

func (v *simd) poolKernels() {
	v.pool("maxPool", "VMAXPS", v.lowest, func() { v.op("VMOVAPS", 12, 0) }, func() {})
	weight := func() { v.p("VBROADCASTSS %d(R8), %s", runWeight, v.r(12)) }
	v.pool("averagePool", "VADDPS", weight, func() { v.zero(0) }, func() { v.op("VMULPS", 12, 0, 0) })

	v.begin("averageGradient", "dx, g []float32, runs []poolRun, c int", "")
	give := func(at string, masked bool) {
		v.with("VADDPS", at, 0, 1, 1, masked)
		v.store(1, at, masked)
	}
	v.runs("g", "dx", weight, func(masked bool) {
		v.with("VMULPS", "(DI)", 12, 0, 0, masked)
		v.taps(label("tap", masked), func(at string) { give(at, masked) })
	}, func(masked bool) {
		v.with("VMULPS", "(DI)", 12, 0, 0, masked)
		v.square(func(column string) { give("(BX)"+column, masked) })
	})

	v.begin("maxGradient", "dx, x, g []float32, runs []poolRun, c int", "")
	v.get("dx_base", "R13", "x_base", "AX")
	v.p("SUBQ AX, R13")
	v.runs("g", "x", v.lowest, func(masked bool) {
		v.beginMaximum(masked)
		v.taps(label("max", masked), func(at string) { v.with("VMAXPS", at, 0, 0, 1, masked) })
		v.taps(label("give", masked), func(at string) { v.giveMaximum(at, "(R14)(R13*1)", masked) })
	}, func(masked bool) {
		v.beginMaximum(masked)
		v.square(func(column string) { v.with("VMAXPS", "(BX)"+column, 0, 0, 1, masked) })
		v.p("LEAQ (SI)(R13*1), R14")
		v.square(func(column string) { v.giveMaximum("(BX)"+column, "(R14)"+column, masked) })
	})
}

// lowest sets register 12 to −Inf.
func (v *simd) lowest() {
	v.p("MOVL $0xff800000, AX")
	v.p("VMOVD AX, X12")
	v.p("VBROADCASTSS X12, %s", v.r(12))
}

// beginMaximum loads the gradient at DI and lets K2, or register 3, hold the channels whose maximum has not been met yet.
func (v *simd) beginMaximum(masked bool) {
	v.load("(DI)", 4, masked)
	v.op("VMOVAPS", 12, 0)
	switch {
	case v.wide() && masked:
		v.p("KMOVW K1, K2")
	case v.wide():
		v.p("KXNORW K2, K2, K2")
	case masked:
		v.op("VMOVAPS", 15, 3)
	default:
		v.op("VPCMPEQD", 3, 3, 3)
	}
}

// giveMaximum adds the gradient to dx in those channels where x is the maximum and the first.
func (v *simd) giveMaximum(x, dx string, masked bool) {
	v.load(dx, 2, masked)
	if v.wide() {
		v.p("VCMPPS $0, %s, Z0, K2, K3", x)
		v.p("KANDNW K2, K3, K2")
		v.p("VADDPS Z4, Z2, K3, Z2")
	} else {
		v.with("VCMPPS $0,", x, 0, 1, 1, masked)
		v.op("VANDPS", 1, 3, 1)
		v.op("VANDNPS", 3, 1, 3)
		v.op("VANDPS", 1, 4, 1)
		v.op("VADDPS", 1, 2, 2)
	}
	v.store(2, dx, masked)
}
