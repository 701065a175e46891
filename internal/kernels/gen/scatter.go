package main

import "fmt"

// scatter copies pixels of `panels` panels of v vectors each, which follow each other in src, to places in dst that stand
// panelStep bytes apart; a panel's pixels follow each other there. It reads src in order, which the processor's
// prefetching likes. A pixel's last panel is masked: AVX-512 masks its last vector by the bits of mask, AVX2 each of them
// by eight int32 of mask.
func (a *asm) scatter(name string, v int) {
	bytes, mask := 64, "mask int"
	if a.reg == "Y" {
		bytes, mask = 32, "mask *int32"
	}
	a.fn(fmt.Sprintf("%sx%d", name, v), "dst, src *float32, pixels, panels, panelStep, tailBytes int, "+mask, 56)
	a.p("MOVQ dst+0(FP), DI")
	a.p("MOVQ src+8(FP), SI")
	a.p("MOVQ pixels+16(FP), CX")
	a.p("MOVQ panelStep+32(FP), R8")
	a.p("MOVQ tailBytes+40(FP), R9")
	a.p("MOVQ mask+48(FP), AX")
	if a.reg == "Z" {
		a.p("KMOVW AX, K1")
	} else {
		for i := 0; i < v; i++ {
			a.p("VMOVUPS %d(AX), Y%d", 32*i, 15-i)
		}
	}
	a.label("pixel")
	a.p("MOVQ panels+24(FP), DX")
	a.p("MOVQ DI, BX")
	a.p("DECQ DX")
	a.p("JZ last")
	a.label("panel")
	for i := 0; i < v; i++ {
		a.p("VMOVUPS %d(SI), %s%d", bytes*i, a.reg, i)
		a.p("VMOVUPS %s%d, %d(BX)", a.reg, i, bytes*i)
	}
	a.p("ADDQ $%d, SI", bytes*v)
	a.p("ADDQ R8, BX")
	a.p("DECQ DX")
	a.p("JNZ panel")
	a.label("last")
	for i := 0; i < v; i++ {
		switch {
		case a.reg == "Y":
			a.p("VMASKMOVPS %d(SI), Y%d, Y%d", bytes*i, 15-i, i)
		case i < v-1:
			a.p("VMOVUPS %d(SI), Z%d", bytes*i, i)
		default:
			a.p("VMOVUPS.Z %d(SI), K1, Z%d", bytes*i, i)
		}
		a.p("VMOVUPS %s%d, %d(BX)", a.reg, i, bytes*i)
	}
	a.p("ADDQ R9, SI")
	a.p("ADDQ $%d, DI", bytes*v)
	a.p("DECQ CX")
	a.p("JNZ pixel")
	a.p("VZEROUPPER")
	a.p("RET")
}
