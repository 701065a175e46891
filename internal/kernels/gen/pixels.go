package main

import "fmt"

// Registers of the kernels over pixels: streams in DI, SI, BX; pixels in DX, channels in CX; bytes between pixels in R12,
// three times that in R13 (unless a kernel needs R13 for coefficients); R11 takes streams back to the next channels.

// pixels prints the loops over vectors of channels and, inside, over pixels, unroll of them at once. prologue sets a vector
// of channels up, body computes one pixel (u < unroll chooses its registers), epilogue ends the vector, adding up unroll
// sets of sums, or one in a tail. doubles are registers that advance by a vector of float64, coefs by one of float32.
type pixels struct {
	streams, coefs, doubles []string
	unroll                  int
	prologue                func(masked bool)
	body                    func(at func(reg string) string, u int, masked bool)
	epilogue                func(masked bool)
}

func (v *simd) pixels(p pixels) {
	rows := []string{"(%s)", "(%s)(R12*1)", "(%s)(R12*2)", "(%s)(R13*1)"}
	pixel := func(u int, masked bool) {
		p.body(func(reg string) string { return fmt.Sprintf(rows[u], reg) }, u, masked)
	}
	if p.unroll > 3 {
		v.p("LEAQ (R12)(R12*2), R13")
	}
	v.p("MOVQ R12, R11")
	v.p("IMULQ DX, R11")
	v.p("SUBQ $%d, R11", v.width())
	v.label("vector")
	v.p("CMPQ CX, $%d", v.lanes())
	v.p("JLT tail")
	p.prologue(false)
	v.p("MOVQ DX, AX")
	v.p("SUBQ $%d, AX", p.unroll)
	v.p("JLT rest")
	v.p("PCALIGN $32")
	v.label("loop")
	for u := range p.unroll {
		pixel(u, false)
	}
	for _, s := range p.streams {
		v.p("LEAQ (%s)(R12*%d), %s", s, p.unroll, s)
	}
	v.p("SUBQ $%d, AX", p.unroll)
	v.p("JGE loop")
	v.label("rest")
	v.p("ADDQ $%d, AX", p.unroll)
	v.p("JEQ next")
	v.label("single")
	pixel(0, false)
	for _, s := range p.streams {
		v.p("ADDQ R12, %s", s)
	}
	v.p("DECQ AX")
	v.p("JNZ single")
	v.label("next")
	if p.epilogue != nil {
		p.epilogue(false)
	}
	for _, s := range p.streams {
		v.p("SUBQ R11, %s", s)
	}
	for _, c := range p.coefs {
		v.p("ADDQ $%d, %s", v.width(), c)
	}
	for _, d := range p.doubles {
		v.p("ADDQ $%d, %s", 2*v.width(), d)
	}
	v.p("SUBQ $%d, CX", v.lanes())
	v.p("JMP vector")
	v.label("tail")
	v.p("TESTQ CX, CX")
	v.p("JEQ ret")
	v.mask()
	p.prologue(true)
	v.label("masked")
	pixel(0, true)
	for _, s := range p.streams {
		v.p("ADDQ R12, %s", s)
	}
	v.p("DECQ DX")
	v.p("JNZ masked")
	if p.epilogue != nil {
		p.epilogue(true)
	}
	v.ret()
}

// stride sets R12 to the bytes of a pixel of c channels.
func (v *simd) stride(c string) {
	v.get("pixels", "DX", "c", "CX", c, "R12")
	v.p("SHLQ $2, R12")
}

// affine is a set of coefficients in registers first, first+1 and first+2 and the lower bound in first+3.
type affine struct {
	first              int
	mean, scale, shift string
}

var affine1 = affine{8, "R8", "R9", "R10"}

func (v *simd) coefficients(a affine) func(masked bool) {
	return func(masked bool) {
		v.load("("+a.mean+")", a.first, masked)
		v.load("("+a.scale+")", a.first+1, masked)
		v.load("("+a.shift+")", a.first+2, masked)
	}
}

// apply computes affine of register x in place.
func (v *simd) apply(a affine, x int) {
	v.op("VSUBPS", a.first, x, x)
	v.op("VFMADD213PS", a.first+2, a.first+1, x)
	v.op("VMAXPS", x, a.first+3, x)
}

func (v *simd) pixelKernels() {
	v.begin("affine", "dst, src, mean, scale, shift []float32, low float32, pixels, c int", "")
	v.get("dst_base", "DI", "src_base", "SI", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10")
	v.broadcast("low", 11)
	v.stride("c")
	v.pixels(pixels{
		streams: []string{"DI", "SI"}, coefs: []string{"R8", "R9", "R10"}, unroll: 2,
		prologue: v.coefficients(affine1),
		body: func(at func(string) string, u int, m bool) {
			v.load(at("SI"), u, m)
			v.apply(affine1, u)
			v.store(u, at("DI"), m)
		},
	})

	v.begin("addAffine", "dst, a, mean, scale, shift []float32, low float32, b []float32, pixels, c int", "")
	v.get("dst_base", "DI", "a_base", "SI", "b_base", "BX", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10")
	v.broadcast("low", 11)
	v.zero(4)
	v.stride("c")
	v.pixels(pixels{
		streams: []string{"DI", "SI", "BX"}, coefs: []string{"R8", "R9", "R10"}, unroll: 2,
		prologue: v.coefficients(affine1),
		body: func(at func(string) string, u int, m bool) {
			v.load(at("SI"), u, m)
			v.apply(affine1, u)
			v.with("VADDPS", at("BX"), u, u, 2, m)
			v.op("VMAXPS", u, 4, u)
			v.store(u, at("DI"), m)
		},
	})

	affine2 := affine{4, "R13", "R14", "R15"}
	v.begin("addAffines", "dst, a, mean, scale, shift []float32, low float32, b, mean2, scale2, shift2 []float32, low2 float32, pixels, c int", "")
	v.get("dst_base", "DI", "a_base", "SI", "b_base", "BX", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10",
		"mean2_base", "R13", "scale2_base", "R14", "shift2_base", "R15")
	v.broadcast("low", 11)
	v.broadcast("low2", 7)
	v.zero(12)
	v.stride("c")
	v.pixels(pixels{
		streams: []string{"DI", "SI", "BX"}, coefs: []string{"R8", "R9", "R10", "R13", "R14", "R15"}, unroll: 2,
		prologue: func(m bool) {
			v.coefficients(affine1)(m)
			v.coefficients(affine2)(m)
		},
		body: func(at func(string) string, u int, m bool) {
			v.load(at("SI"), u, m)
			v.load(at("BX"), 2+u, m)
			v.apply(affine1, u)
			v.apply(affine2, 2+u)
			v.op("VADDPS", 2+u, u, u)
			v.op("VMAXPS", u, 12, u)
			v.store(u, at("DI"), m)
		},
	})

	v.begin("gradient", "dst, x, g, mean, scale, shift []float32, low float32, coef []float32, pixels, c int", "")
	v.get("dst_base", "DI", "x_base", "SI", "g_base", "BX", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10",
		"coef_base", "R13")
	v.broadcast("low", 11)
	v.stride("c")
	v.pixels(pixels{
		streams: []string{"DI", "SI", "BX"}, coefs: []string{"R8", "R9", "R10", "R13"}, unroll: 2,
		prologue: func(m bool) {
			v.coefficients(affine1)(m)
			v.load("(R13)", 12, m)
			v.load("(R13)(R12*1)", 13, m)
			v.load("(R13)(R12*2)", 14, m)
		},
		body: func(at func(string) string, u int, m bool) {
			d, y, q := 3*u, 3*u+1, 3*u+2
			v.gate(affine1, at, d, y, q, m)
			v.op("VFMADD213PS", 14, 13, d)
			v.op("VFMADD231PS", q, 12, d)
			v.store(d, at("DI"), m)
		},
	})

	v.sums()
}

// gate leaves x−mean in register d and the gradient that passes in q, from the streams SI (x) and BX (g).
func (v *simd) gate(a affine, at func(string) string, d, y, q int, masked bool) {
	v.load(at("SI"), d, masked)
	v.op("VSUBPS", a.first, d, d)
	v.op("VMOVAPS", a.first+2, y)
	v.op("VFMADD231PS", d, a.first+1, y)
	v.gated(at("BX"), y, a.first+3, q, masked)
}

func (v *simd) sums() {
	// total adds the sums in the four registers from first on and puts them where mem points.
	total := func(first int, mem string, masked bool) {
		if !masked {
			v.op("VADDPS", first+1, first, first)
			v.op("VADDPS", first+3, first+2, first+2)
			v.op("VADDPS", first+2, first, first)
		}
		v.addDoubles(first, mem, masked)
	}
	v.begin("sumPixels", "dst []float64, x []float32, pixels, c, step int", "")
	v.get("dst_base", "DI", "x_base", "SI")
	v.stride("step")
	v.pixels(pixels{
		streams: []string{"SI"}, doubles: []string{"DI"}, unroll: 4,
		prologue: func(m bool) { v.zero(0, 1, 2, 3) },
		body: func(at func(string) string, u int, m bool) {
			v.with("VADDPS", at("SI"), u, u, 4, m)
		},
		epilogue: func(m bool) { total(0, "(DI)", m) },
	})

	v.begin("moments", "dst []float64, x, shift []float32, pixels, c int", "")
	v.get("dst_base", "DI", "x_base", "SI", "shift_base", "R8")
	v.stride("c")
	v.p("LEAQ (DI)(CX*8), BX")
	v.pixels(pixels{
		streams: []string{"SI"}, coefs: []string{"R8"}, doubles: []string{"DI", "BX"}, unroll: 4,
		prologue: func(m bool) {
			v.load("(R8)", 8, m)
			v.zero(0, 1, 2, 3, 4, 5, 6, 7)
		},
		body: func(at func(string) string, u int, m bool) {
			d := 9 + u
			v.load(at("SI"), d, m)
			v.op("VSUBPS", 8, d, d)
			v.op("VADDPS", d, u, u)
			v.op("VFMADD231PS", d, d, 4+u)
		},
		epilogue: func(m bool) {
			total(0, "(DI)", m)
			total(4, "(BX)", m)
		},
	})

	v.begin("gradientSums", "dst []float64, x, g, mean, scale, shift []float32, low float32, pixels, c int", "")
	v.get("dst_base", "DI", "x_base", "SI", "g_base", "BX", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10")
	v.broadcast("low", 11)
	v.stride("c")
	v.p("LEAQ (DI)(CX*8), R14")
	v.pixels(pixels{
		streams: []string{"SI", "BX"}, coefs: []string{"R8", "R9", "R10"}, doubles: []string{"DI", "R14"}, unroll: 4,
		prologue: func(m bool) {
			v.coefficients(affine1)(m)
			v.zero(0, 1, 2, 3, 4, 5, 6, 7)
		},
		body: func(at func(string) string, u int, m bool) {
			d, y, q := 12, 13, 14
			if v.wide() {
				d, y, q = 12+3*u, 13+3*u, 14+3*u
			}
			v.gate(affine1, at, d, y, q, m)
			v.op("VADDPS", q, u, u)
			v.op("VFMADD231PS", q, d, 4+u)
		},
		epilogue: func(m bool) {
			total(0, "(DI)", m)
			total(4, "(R14)", m)
		},
	})
}
