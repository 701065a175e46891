package main

import "fmt"

// flat prints a loop over slices of one length, that of the first: streams pairs a slice with its register, and body
// computes one vector, whose element of each stream stands at at(register), with one of two sets of registers, u = 0 or 1.
func (v *simd) flat(streams []string, body func(at func(reg string) string, u int, masked bool)) {
	for i := 0; i < len(streams); i += 2 {
		v.get(streams[i]+"_base", streams[i+1])
	}
	v.get(streams[0]+"_len", "CX")
	vector := func(u int, masked bool) {
		body(func(reg string) string {
			if u == 0 {
				return fmt.Sprintf("(%s)(R12*1)", reg)
			}
			return fmt.Sprintf("%d(%s)(R12*1)", u*v.width(), reg)
		}, u, masked)
	}
	v.p("XORL R12, R12")
	v.p("SUBQ $%d, CX", 2*v.lanes())
	v.p("JLT rest")
	v.p("PCALIGN $32")
	v.label("loop")
	vector(0, false)
	vector(1, false)
	v.p("ADDQ $%d, R12", 2*v.width())
	v.p("SUBQ $%d, CX", 2*v.lanes())
	v.p("JGE loop")
	v.label("rest")
	v.p("ADDQ $%d, CX", v.lanes())
	v.p("JLT tail")
	vector(0, false)
	v.p("ADDQ $%d, R12", v.width())
	v.p("SUBQ $%d, CX", v.lanes())
	v.label("tail")
	v.p("ADDQ $%d, CX", v.lanes())
	v.p("JEQ end")
	v.mask()
	vector(0, true)
	v.label("end")
}

func (v *simd) flatKernels() {
	dab := []string{"dst", "DI", "a", "SI", "b", "BX"}
	v.begin("add", "dst, a, b []float32", "")
	v.flat(dab, func(at func(string) string, u int, m bool) {
		v.load(at("SI"), u, m)
		v.with("VADDPS", at("BX"), u, u, 2, m)
		v.store(u, at("DI"), m)
	})
	v.ret()

	v.begin("mul", "dst, a, b []float32", "")
	v.flat(dab, func(at func(string) string, u int, m bool) {
		v.load(at("SI"), u, m)
		v.with("VMULPS", at("BX"), u, u, 2, m)
		v.store(u, at("DI"), m)
	})
	v.ret()

	v.begin("addReLU", "dst, a, b []float32", "")
	v.zero(3)
	v.flat(dab, func(at func(string) string, u int, m bool) {
		v.load(at("SI"), u, m)
		v.with("VADDPS", at("BX"), u, u, 2, m)
		v.op("VMAXPS", u, 3, u)
		v.store(u, at("DI"), m)
	})
	v.ret()

	v.begin("relu", "dst, src []float32", "")
	v.zero(3)
	v.flat([]string{"dst", "DI", "src", "SI"}, func(at func(string) string, u int, m bool) {
		v.with("VMAXPS", at("SI"), 3, u, u, m)
		v.store(u, at("DI"), m)
	})
	v.ret()

	v.begin("reluGradient", "dst, y, g []float32", "")
	v.zero(4)
	v.flat([]string{"dst", "DI", "y", "SI", "g", "BX"}, func(at func(string) string, u int, m bool) {
		v.load(at("SI"), u, m)
		v.gated(at("BX"), u, 4, 2+u, m)
		v.store(2+u, at("DI"), m)
	})
	v.ret()

	v.begin("axpy", "dst, x []float32, s float32", "")
	v.broadcast("s", 3)
	v.flat([]string{"dst", "DI", "x", "SI"}, func(at func(string) string, u int, m bool) {
		v.load(at("DI"), u, m)
		v.with("VFMADD231PS", at("SI"), 3, u, 2, m)
		v.store(u, at("DI"), m)
	})
	v.ret()

	v.begin("scale", "dst []float32, s float32", "")
	v.broadcast("s", 3)
	v.flat([]string{"dst", "DI"}, func(at func(string) string, u int, m bool) {
		v.with("VMULPS", at("DI"), 3, u, u, m)
		v.store(u, at("DI"), m)
	})
	v.ret()

	v.begin("lerp", "dst, x []float32, t float32", "")
	v.broadcast("t", 4)
	v.flat([]string{"dst", "DI", "x", "SI"}, func(at func(string) string, u int, m bool) {
		v.load(at("DI"), u, m)
		v.load(at("SI"), 2+u, m)
		v.op("VSUBPS", u, 2+u, 2+u)
		v.op("VFMADD231PS", 2+u, 4, u)
		v.store(u, at("DI"), m)
	})
	v.ret()

	v.begin("finite", "x []float32", "bool")
	v.zero(4, 5)
	v.flat([]string{"x", "SI"}, func(at func(string) string, u int, m bool) {
		v.load(at("SI"), u, m)
		v.op("VSUBPS", u, u, u) // 0, or NaN where x is not finite
		v.op("VORPS", u, 4+u, 4+u)
	})
	v.op("VORPS", 4, 5, 4)
	if v.wide() {
		v.p("VPTESTMD Z4, Z4, K2")
		v.p("KORTESTW K2, K2")
	} else {
		v.p("VPTEST Y4, Y4")
	}
	v.p("SETEQ %s", v.arg("ret"))
	v.ret()

	v.optimizers()
	v.dot()
}

func (v *simd) optimizers() {
	const decay, momentum, lr = 10, 11, 12
	// decayed leaves w in register u and g + decay·w in register 2+u.
	decayed := func(at func(string) string, u int, m bool) {
		v.load(at("DI"), u, m)
		v.load(at("BX"), 2+u, m)
		v.op("VFMADD231PS", u, decay, 2+u)
	}
	v.begin("descend", "w, g []float32, lr, decay float32", "")
	v.broadcast("decay", decay)
	v.broadcast("lr", lr)
	v.flat([]string{"w", "DI", "g", "BX"}, func(at func(string) string, u int, m bool) {
		decayed(at, u, m)
		v.op("VFNMADD231PS", 2+u, lr, u)
		v.store(u, at("DI"), m)
	})
	v.ret()
	for _, name := range []string{"sgd", "nesterov"} {
		v.begin(name, "w, v, g []float32, lr, momentum, decay float32", "")
		v.broadcast("decay", decay)
		v.broadcast("momentum", momentum)
		v.broadcast("lr", lr)
		v.flat([]string{"w", "DI", "v", "SI", "g", "BX"}, func(at func(string) string, u int, m bool) {
			decayed(at, u, m)
			v.load(at("SI"), 4+u, m)
			v.op("VFMADD213PS", 2+u, momentum, 4+u)
			v.store(4+u, at("SI"), m)
			step := 4 + u
			if name == "nesterov" {
				v.op("VFMADD231PS", 4+u, momentum, 2+u)
				step = 2 + u
			}
			v.op("VFNMADD231PS", step, lr, u)
			v.store(u, at("DI"), m)
		})
		v.ret()
	}
	v.begin("adam", "w, m, v, g []float32, s *adamCoefficients", "")
	const first = 6 // registers of decay, beta1, rest1, beta2, rest2, keep, rate, root, eps
	v.get("s", "AX")
	for i := range 9 {
		v.p("VBROADCASTSS %d(AX), %s", 4*i, v.r(first+i))
	}
	v.flat([]string{"w", "DI", "m", "SI", "v", "DX", "g", "BX"}, func(at func(string) string, u int, m bool) {
		w, g, mean, square := 0, 1, 2, 3
		v.load(at("DI"), w, m)
		v.load(at("BX"), g, m)
		v.op("VFMADD231PS", w, first, g)
		v.with("VMULPS", at("SI"), first+1, mean, mean, m)
		v.op("VFMADD231PS", g, first+2, mean)
		v.store(mean, at("SI"), m)
		v.op("VMULPS", g, g, g)
		v.with("VMULPS", at("DX"), first+3, square, square, m)
		v.op("VFMADD231PS", g, first+4, square)
		v.store(square, at("DX"), m)
		v.op("VSQRTPS", square, square)
		v.op("VFMADD213PS", first+8, first+7, square)
		v.op("VMULPS", mean, first+6, mean)
		v.op("VDIVPS", square, mean, mean)
		v.op("VFMSUB213PS", mean, first+5, w)
		v.store(w, at("DI"), m)
	})
	v.ret()
}

// dot converts to float64 before it multiplies; each vector of float32 has two halves with a sum each, in registers 8 to 11.
func (v *simd) dot() {
	v.begin("dot", "x, y []float32", "float64")
	v.zero(8, 9, 10, 11)
	half := map[bool]string{true: "Y", false: "X"}[v.wide()]
	v.flat([]string{"x", "SI", "y", "BX"}, func(at func(string) string, u int, m bool) {
		v.load(at("SI"), 0, m)
		v.load(at("BX"), 1, m)
		for i, sum := range []int{8 + 2*u, 9 + 2*u} {
			for j := range 2 {
				switch {
				case i == 0:
					v.p("VCVTPS2PD %s%d, %s", half, j, v.r(2+j))
				case v.wide():
					v.p("VEXTRACTF64X4 $1, Z%d, Y%d", j, 2+j)
					v.p("VCVTPS2PD Y%d, Z%d", 2+j, 2+j)
				default:
					v.p("VEXTRACTF128 $1, Y%d, X%d", j, 2+j)
					v.p("VCVTPS2PD X%d, Y%d", 2+j, 2+j)
				}
			}
			v.op("VFMADD231PD", 2, 3, sum)
		}
	})
	v.op("VADDPD", 9, 8, 8)
	v.op("VADDPD", 11, 10, 10)
	v.op("VADDPD", 10, 8, 8)
	if v.wide() {
		v.p("VEXTRACTF64X4 $1, Z8, Y9")
		v.p("VADDPD Y9, Y8, Y8")
	}
	v.p("VEXTRACTF128 $1, Y8, X9")
	v.p("VADDPD X9, X8, X8")
	v.p("VPERMILPD $1, X8, X9")
	v.p("VADDSD X9, X8, X8")
	v.p("VMOVSD X8, %s", v.arg("ret"))
	v.ret()
}
