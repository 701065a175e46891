package main

import "fmt"

// Registers of the kernels over pixels: streams in DI, SI, BX; pixels in DX, channels in CX; bytes of a pixel in R12.
// Coefficients stand at a pointer plus R11.

// elementwise prints a kernel whose streams all have c channels a pixel. load fetches a vector of coefficients, body computes
// a vector of a pixel, with one of two sets of registers, u = 0 or 1. Up to one vector of channels, coefficients stay in
// registers; with more, memory is still visited in order, and the coefficients are fetched for each pixel.
func (v *simd) elementwise(streams []string, load func(masked bool), body func(at func(reg string) string, u int, masked bool)) {
	pixel := func(u int, masked bool) {
		body(func(reg string) string { return []string{"(" + reg + ")", "(" + reg + ")(R12*1)"}[u] }, u, masked)
	}
	advance := func(by string, times int) {
		for _, s := range streams {
			if times == 1 {
				v.p("ADDQ %s, %s", by, s)
			} else {
				v.p("LEAQ (%s)(%s*%d), %s", s, by, times, s)
			}
		}
	}
	v.p("CMPQ CX, $%d", v.lanes())
	v.p("JGT wide")
	v.p("JLT narrow")
	v.p("XORL R11, R11")
	load(false)
	v.p("SUBQ $2, DX")
	v.p("JLT rest")
	v.p("PCALIGN $32")
	v.label("loop")
	pixel(0, false)
	pixel(1, false)
	advance("R12", 2)
	v.p("SUBQ $2, DX")
	v.p("JGE loop")
	v.label("rest")
	v.p("ADDQ $2, DX")
	v.p("JEQ ret")
	pixel(0, false)
	v.p("JMP ret")

	v.label("narrow")
	v.mask()
	v.p("XORL R11, R11")
	load(true)
	v.label("masked")
	pixel(0, true)
	advance("R12", 1)
	v.p("DECQ DX")
	v.p("JNZ masked")
	v.p("JMP ret")

	v.label("wide")
	v.p("MOVQ CX, R12")
	v.p("ANDQ $%d, CX", v.lanes()-1)
	v.mask()
	v.p("SUBQ CX, R12") // the channels of whole vectors
	v.p("SHLQ $2, CX")  // the bytes of the tail
	v.p("PCALIGN $32")
	v.label("pixel")
	v.p("XORL R11, R11")
	v.p("MOVQ R12, AX")
	v.label("vector")
	load(false)
	pixel(0, false)
	advance(fmt.Sprintf("$%d", v.width()), 1)
	v.p("ADDQ $%d, R11", v.width())
	v.p("SUBQ $%d, AX", v.lanes())
	v.p("JNZ vector")
	v.p("TESTQ CX, CX")
	v.p("JEQ next")
	load(true)
	pixel(0, true)
	advance("CX", 1)
	v.label("next")
	v.p("DECQ DX")
	v.p("JNZ pixel")
	v.ret()
}

// stride sets R12 to the bytes of a pixel of c channels.
func (v *simd) stride(c string) {
	v.get("pixels", "DX", "c", "CX", c, "R12")
	v.p("SHLQ $2, R12")
}

// affine is a set of coefficients: registers of mean, scale, shift and the lower bound, and where the first three stand.
type affine struct {
	mean, scale, shift, low int
	at                      [3]string
}

var first = affine{8, 9, 10, 11, [3]string{"R8", "R9", "R10"}}

func (v *simd) coefficients(a affine) func(masked bool) {
	return func(masked bool) {
		for i, r := range []int{a.mean, a.scale, a.shift} {
			v.load("("+a.at[i]+")(R11*1)", r, masked)
		}
	}
}

// apply computes affine of register x in place.
func (v *simd) apply(a affine, x int) {
	v.op("VSUBPS", a.mean, x, x)
	v.op("VFMADD213PS", a.shift, a.scale, x)
	v.op("VMAXPS", x, a.low, x)
}

func (v *simd) pixelKernels() {
	v.begin("affine", "dst, src, mean, scale, shift []float32, low float32, pixels, c int", "")
	v.get("dst_base", "DI", "src_base", "SI", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10")
	v.broadcast("low", 11)
	v.stride("c")
	v.elementwise([]string{"DI", "SI"},
		v.coefficients(first),
		func(at func(string) string, u int, m bool) {
			v.load(at("SI"), u, m)
			v.apply(first, u)
			v.store(u, at("DI"), m)
		})

	v.begin("addAffine", "dst, a, mean, scale, shift []float32, low float32, b []float32, pixels, c int", "")
	v.get("dst_base", "DI", "a_base", "SI", "b_base", "BX", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10")
	v.broadcast("low", 11)
	v.zero(4)
	v.stride("c")
	v.elementwise([]string{"DI", "SI", "BX"},
		v.coefficients(first),
		func(at func(string) string, u int, m bool) {
			v.load(at("SI"), u, m)
			v.apply(first, u)
			v.with("VADDPS", at("BX"), u, u, 2, m)
			v.op("VMAXPS", u, 4, u)
			v.store(u, at("DI"), m)
		})

	v.begin("accumulate", "dst, src, mean, scale, shift []float32, pixels, c int", "")
	v.get("dst_base", "DI", "src_base", "SI", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10")
	v.stride("c")
	v.elementwise([]string{"DI", "SI"},
		v.coefficients(first),
		func(at func(string) string, u int, m bool) {
			v.load(at("SI"), u, m)
			v.op("VSUBPS", first.mean, u, u)
			v.op("VFMADD213PS", first.shift, first.scale, u)
			v.with("VADDPS", at("DI"), u, u, 2, m)
			v.store(u, at("DI"), m)
		})

	second := affine{4, 5, 6, 7, [3]string{"R13", "R14", "R15"}}
	v.begin("addAffines", "dst, a, mean, scale, shift []float32, low float32, b, mean2, scale2, shift2 []float32, low2 float32, pixels, c int", "")
	v.get("dst_base", "DI", "a_base", "SI", "b_base", "BX", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10",
		"mean2_base", "R13", "scale2_base", "R14", "shift2_base", "R15")
	v.broadcast("low", 11)
	v.broadcast("low2", 7)
	v.zero(12)
	v.stride("c")
	v.elementwise([]string{"DI", "SI", "BX"},
		func(m bool) {
			v.coefficients(first)(m)
			v.coefficients(second)(m)
		},
		func(at func(string) string, u int, m bool) {
			v.load(at("SI"), u, m)
			v.load(at("BX"), 2+u, m)
			v.apply(first, u)
			v.apply(second, 2+u)
			v.op("VADDPS", 2+u, u, u)
			v.op("VMAXPS", u, 12, u)
			v.store(u, at("DI"), m)
		})

	v.begin("gradient", "dst, x, g, mean, scale, shift []float32, low float32, coef []float32, pixels, c int", "")
	v.get("dst_base", "DI", "x_base", "SI", "g_base", "BX", "mean_base", "R8", "scale_base", "R9", "shift_base", "R10",
		"coef_base", "R13")
	v.broadcast("low", 11)
	v.stride("c")
	v.p("LEAQ (R13)(R12*1), R14")
	v.p("LEAQ (R14)(R12*1), R15")
	v.elementwise([]string{"DI", "SI", "BX"},
		func(m bool) {
			v.coefficients(first)(m)
			v.load("(R13)(R11*1)", 12, m)
			v.load("(R14)(R11*1)", 13, m)
			v.load("(R15)(R11*1)", 14, m)
		},
		func(at func(string) string, u int, m bool) {
			d, y, q := 3*u, 3*u+1, 3*u+2
			v.gate(first, at, d, y, q, m)
			v.op("VFMADD213PS", 14, 13, d)
			v.op("VFMADD231PS", q, 12, d)
			v.store(d, at("DI"), m)
		})

}

// gate leaves x−mean in register d and the gradient that passes in q, from the streams SI (x) and BX (g).
func (v *simd) gate(a affine, at func(string) string, d, y, q int, masked bool) {
	v.load(at("SI"), d, masked)
	v.op("VSUBPS", a.mean, d, d)
	v.op("VMOVAPS", a.shift, y)
	v.op("VFMADD231PS", d, a.scale, y)
	v.gated(at("BX"), y, a.low, q, masked)
}
