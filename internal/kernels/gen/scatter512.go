package main

import "fmt"

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
