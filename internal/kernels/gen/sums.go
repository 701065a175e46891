package main

import "fmt"

// reduction prints loops over vectors of channels and, inside, over pixels that add to sums in registers: with AVX-512, four
// vectors of channels as long as there are as many, so that memory is visited in order; then one vector, four pixels at once.
// Streams stand in SI and BX, the float64 sums in DI and R14, coefficients at a pointer plus R11; bytes between pixels in R12,
// three times that in R13.
type reduction struct {
	streams []string
	sums    []string
	// begin loads the coefficients of the vector of channels number g of a group.
	begin func(g int, masked bool)
	// body adds a pixel to the sums, registers u and (if there are two sums) 4+u, with the coefficients number g.
	body func(at func(reg string) string, u, g int, masked bool)
}

func (v *simd) reduce(p reduction) {
	v.p("LEAQ (R12)(R12*2), R13")
	v.p("XORL R11, R11")
	if v.wide() {
		v.p("CMPQ CX, $%d", 4*v.lanes())
		v.p("JLT vector")
		v.label("group")
		v.channels(p, 4, 1)
		v.p("CMPQ CX, $%d", 4*v.lanes())
		v.p("JGE group")
	}
	v.label("vector")
	v.p("CMPQ CX, $%d", v.lanes())
	v.p("JLT tail")
	v.channels(p, 1, 4)
	v.p("JMP vector")
	v.label("tail")
	v.p("TESTQ CX, CX")
	v.p("JEQ ret")
	v.mask()
	p.begin(0, true)
	v.clearSums(p)
	v.label("masked")
	p.body(func(reg string) string { return "(" + reg + ")" }, 0, 0, true)
	for _, s := range p.streams {
		v.p("ADDQ R12, %s", s)
	}
	v.p("DECQ DX")
	v.p("JNZ masked")
	for i, s := range p.sums {
		v.addDoubles(4*i, s, 0, true)
	}
	v.ret()
}

func (v *simd) clearSums(p reduction) {
	for i := range 4 * len(p.sums) {
		v.zero(i)
	}
}

// channels prints the loop over pixels for some vectors of channels, several pixels at once.
func (v *simd) channels(p reduction, vectors, pixels int) {
	name := map[int]string{1: "", 4: "Wide"}[vectors]
	visit := func(pixels int) {
		for u := range pixels {
			for g := range vectors {
				p.body(func(reg string) string {
					return fmt.Sprintf([]string{"%d(%s)", "%d(%s)(R12*1)", "%d(%s)(R12*2)", "%d(%s)(R13*1)"}[u], g*v.width(), reg)
				}, max(u, g), g, false)
			}
		}
		for _, s := range p.streams {
			v.p("LEAQ (%s)(R12*%d), %s", s, pixels, s)
		}
	}
	for g := range vectors {
		p.begin(g, false)
	}
	v.clearSums(p)
	v.p("MOVQ DX, AX")
	if pixels > 1 {
		v.p("SUBQ $%d, AX", pixels)
		v.p("JLT rest")
		v.p("PCALIGN $32")
		v.label("loop")
		visit(pixels)
		v.p("SUBQ $%d, AX", pixels)
		v.p("JGE loop")
		v.label("rest")
		v.p("ADDQ $%d, AX", pixels)
		v.p("JEQ next")
	}
	v.label("single" + name)
	visit(1)
	v.p("DECQ AX")
	v.p("JNZ single%s", name)
	if pixels > 1 {
		v.label("next")
	}
	for i, s := range p.sums {
		if vectors == 1 {
			v.op("VADDPS", 4*i+1, 4*i, 4*i)
			v.op("VADDPS", 4*i+3, 4*i+2, 4*i+2)
			v.op("VADDPS", 4*i+2, 4*i, 4*i)
		}
		for g := range vectors {
			v.addDoubles(4*i+g, s, g*2*v.width(), false)
		}
		v.p("ADDQ $%d, %s", vectors*2*v.width(), s)
	}
	v.p("MOVQ R12, AX") // back to the first pixel, on to the next channels
	v.p("IMULQ DX, AX")
	v.p("SUBQ $%d, AX", vectors*v.width())
	for _, s := range p.streams {
		v.p("SUBQ AX, %s", s)
	}
	v.p("ADDQ $%d, R11", vectors*v.width())
	v.p("SUBQ $%d, CX", vectors*v.lanes())
}

func (v *simd) reductions() {
	v.begin("sumPixels", "dst []float64, x []float32, pixels, c, step int", "")
	v.get("dst_base", "DI", "x_base", "SI")
	v.stride("step")
	v.reduce(reduction{
		streams: []string{"SI"}, sums: []string{"DI"},
		begin: func(int, bool) {},
		body: func(at func(string) string, u, _ int, m bool) {
			v.with("VADDPS", at("SI"), u, u, 4, m)
		},
	})

	v.begin("moments", "dst []float64, x, shift []float32, pixels, c int", "")
	v.get("dst_base", "DI", "x_base", "SI", "shift_base", "R8")
	v.stride("c")
	v.p("LEAQ (DI)(CX*8), R14")
	v.reduce(reduction{
		streams: []string{"SI"}, sums: []string{"DI", "R14"},
		begin: func(g int, m bool) { v.load(fmt.Sprintf("%d(R8)(R11*1)", g*v.width()), 8+g, m) },
		body: func(at func(string) string, u, g int, m bool) {
			d := 12 + u%3
			v.load(at("SI"), d, m)
			v.op("VSUBPS", 8+g, d, d)
			v.op("VADDPS", d, u, u)
			v.op("VFMADD231PS", d, d, 4+u)
		},
	})

	const low = 11
	v.begin("gradientSums", "dst []float64, x, g, mean, scale, shift []float32, low float32, pixels, c int", "")
	v.get("dst_base", "DI", "x_base", "SI", "g_base", "BX", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10")
	v.broadcast("low", low)
	v.stride("c")
	v.p("LEAQ (DI)(CX*8), R14")
	group := func(g int) affine { // of a group of vectors of channels
		if g == 0 {
			return first
		}
		r := 17 + 3*g
		return affine{r, r + 1, r + 2, low, first.at}
	}
	v.reduce(reduction{
		streams: []string{"SI", "BX"}, sums: []string{"DI", "R14"},
		begin: func(g int, m bool) {
			a := group(g)
			for i, r := range []int{a.mean, a.scale, a.shift} {
				v.load(fmt.Sprintf("%d(%s)(R11*1)", g*v.width(), a.at[i]), r, m)
			}
		},
		body: func(at func(string) string, u, g int, m bool) {
			d, y, q := 12, 13, 14
			if v.wide() && u%2 == 1 {
				d, y, q = 15, 16, 17
			}
			v.gate(group(g), at, d, y, q, m)
			v.op("VADDPS", q, u, u)
			v.op("VFMADD231PS", q, d, 4+u)
		},
	})
}
