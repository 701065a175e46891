package main

// The register-only loop that measures the machine's own peak: so many independent sums, two factors, no memory.
func (a *asm) peak(name, bits string, sums int) {
	a.fn(name, "n int", 8)
	a.p("MOVQ n+0(FP), CX")
	for i := 0; i < sums+2; i++ {
		a.p("VXORPS %s%d, %s%d, %s%d", bits, i, bits, i, bits, i)
	}
	a.p("PCALIGN $32")
	a.label("loop")
	for i := 0; i < sums; i++ {
		a.p("VFMADD231PS %s%d, %s%d, %s%d", bits, sums, bits, sums+1, bits, i)
	}
	a.p("DECQ CX")
	a.p("JNZ loop")
	a.p("VZEROUPPER")
	a.p("RET")
}
