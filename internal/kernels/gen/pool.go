package main

// Byte offsets of the fields of poolRun.
const (
	runY      = 0
	runX      = 8
	runPixels = 16
	runStep   = 24
	runTaps   = 32
	runCount  = 40
	runWeight = 56
	runSize   = 64
)

// Registers of the pooling kernels: the run in R8 and the runs left in R9; its output in DI, window in SI, pixels in DX,
// channels left in CX, bytes between windows in R12, taps in R10 and their number in R11; bytes of a pixel in R15. AX
// counts pixels, BX taps; R14 is the address of a tap.

// runs prints the loops over runs and vectors of channels; vector computes the pixels of a run for one vector.
func (v *simd) runs(out, in string, vector func(masked bool)) {
	v.get("runs_base", "R8", "runs_len", "R9", "c", "R15")
	v.p("SHLQ $2, R15")
	v.label("run")
	v.get(out+"_base", "DI", in+"_base", "SI", "c", "CX")
	v.p("MOVQ %d(R8), AX", runY)
	v.p("LEAQ (DI)(AX*4), DI")
	v.p("MOVQ %d(R8), AX", runX)
	v.p("LEAQ (SI)(AX*4), SI")
	v.p("MOVQ %d(R8), DX", runPixels)
	v.p("MOVQ %d(R8), R12", runStep)
	v.p("SHLQ $2, R12")
	v.p("MOVQ %d(R8), R10", runTaps)
	v.p("MOVQ %d(R8), R11", runCount)
	v.label("vector")
	v.p("CMPQ CX, $%d", v.lanes())
	v.p("JLT tail")
	vector(false)
	v.p("MOVQ R15, AX") // back to the first pixel, on to the next channels
	v.p("IMULQ DX, AX")
	v.p("SUBQ $%d, AX", v.width())
	v.p("SUBQ AX, DI")
	v.p("MOVQ R12, AX")
	v.p("IMULQ DX, AX")
	v.p("SUBQ $%d, AX", v.width())
	v.p("SUBQ AX, SI")
	v.p("SUBQ $%d, CX", v.lanes())
	v.p("JMP vector")
	v.label("tail")
	v.p("TESTQ CX, CX")
	v.p("JEQ done")
	v.mask()
	v.p("MOVQ %d(R8), R11", runCount)
	vector(true)
	v.label("done")
	v.p("ADDQ $%d, R8", runSize)
	v.p("DECQ R9")
	v.p("JNZ run")
	v.ret()
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

// eachPixel prints a loop over the pixels of a run, whose counter AX has been set.
func (v *simd) eachPixel(label string, body func()) {
	v.label(label)
	body()
	v.p("ADDQ R15, DI")
	v.p("ADDQ R12, SI")
	v.p("DECQ AX")
	v.p("JNZ %s", label)
}

// pool prints a kernel that combines taps by op, four pixels at once where there are as many. start sets register 12 up for
// a run, from which first makes the first value; last ends a pixel.
func (v *simd) pool(name, op string, start func(), first func(r int), last func(r int)) {
	v.begin(name, "y, x []float32, runs []poolRun, c int", "")
	v.runs("y", "x", func(masked bool) {
		start()
		v.p("MOVQ DX, AX")
		if !masked {
			v.p("LEAQ (R12)(R12*2), R13")
			v.p("SUBQ $4, AX")
			v.p("JLT rest")
			v.label("four")
			for u := range 4 {
				first(u)
			}
			v.taps("fourTaps", func(string) {
				for u, at := range []string{"(R14)", "(R14)(R12*1)", "(R14)(R12*2)", "(R14)(R13*1)"} {
					v.with(op, at, u, u, 8, false)
				}
			})
			v.p("LEAQ (R15)(R15*2), R14")
			for u, at := range []string{"(DI)", "(DI)(R15*1)", "(DI)(R15*2)", "(DI)(R14*1)"} {
				last(u)
				v.store(u, at, false)
			}
			v.p("LEAQ (DI)(R15*4), DI")
			v.p("LEAQ (SI)(R12*4), SI")
			v.p("SUBQ $4, AX")
			v.p("JGE four")
			v.label("rest")
			v.p("ADDQ $4, AX")
			v.p("JEQ next")
		}
		label := map[bool]string{false: "single", true: "masked"}[masked]
		v.eachPixel(label, func() {
			first(0)
			v.taps(label+"Taps", func(at string) { v.with(op, at, 0, 0, 8, masked) })
			last(0)
			v.store(0, "(DI)", masked)
		})
		if !masked {
			v.label("next")
		}
	})
}

func (v *simd) poolKernels() {
	v.pool("maxPool", "VMAXPS", v.lowest, func(r int) { v.op("VMOVAPS", 12, r) }, func(int) {})
	weight := func() { v.p("VBROADCASTSS %d(R8), %s", runWeight, v.r(12)) }
	v.pool("averagePool", "VADDPS", weight, func(r int) { v.zero(r) }, func(r int) { v.op("VMULPS", 12, r, r) })

	v.begin("averageGradient", "dx, g []float32, runs []poolRun, c int", "")
	v.runs("g", "dx", func(masked bool) {
		weight()
		v.p("MOVQ DX, AX")
		label := map[bool]string{false: "single", true: "masked"}[masked]
		v.eachPixel(label, func() {
			v.with("VMULPS", "(DI)", 12, 0, 0, masked)
			v.taps(label+"Taps", func(at string) {
				v.with("VADDPS", at, 0, 1, 1, masked)
				v.store(1, at, masked)
			})
		})
	})

	v.begin("maxGradient", "dx, x, g []float32, runs []poolRun, c int", "")
	v.get("dx_base", "R13", "x_base", "AX")
	v.p("SUBQ AX, R13")
	v.runs("g", "x", func(masked bool) {
		v.lowest()
		v.p("MOVQ DX, AX")
		label := map[bool]string{false: "single", true: "masked"}[masked]
		v.eachPixel(label, func() { v.giveToMaximum(label, masked) })
	})
}

// lowest sets register 12 to −Inf.
func (v *simd) lowest() {
	v.p("MOVL $0xff800000, AX")
	v.p("VMOVD AX, X12")
	v.p("VBROADCASTSS X12, %s", v.r(12))
}

// giveToMaximum adds the gradient at DI to the first maximum of the window at SI; dx stands R13 bytes after x. K2, or
// register 3, holds the channels whose maximum has not been met yet.
func (v *simd) giveToMaximum(label string, masked bool) {
	v.load("(DI)", 4, masked)
	v.op("VMOVAPS", 12, 0)
	v.taps(label+"Max", func(at string) { v.with("VMAXPS", at, 0, 0, 1, masked) })
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
	v.taps(label+"Give", func(at string) {
		v.load("(R14)(R13*1)", 2, masked)
		if v.wide() {
			v.p("VCMPPS $0, %s, Z0, K2, K3", at)
			v.p("KANDNW K2, K3, K2")
			v.p("VADDPS Z4, Z2, K3, Z2")
		} else {
			v.with("VCMPPS $0,", at, 0, 1, 1, masked)
			v.op("VANDPS", 1, 3, 1)
			v.op("VANDNPS", 3, 1, 3)
			v.op("VANDPS", 1, 4, 1)
			v.op("VADDPS", 1, 2, 2)
		}
		v.store(2, "(R14)(R13*1)", masked)
	})
}
