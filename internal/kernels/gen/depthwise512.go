package main

import "fmt"

// Numbers of neighbouring taps, and of output pixels, for which depthwise kernels exist. Other kernel sizes are cut into
// these, and so are dilation and stride (see depthwise.go), so that a tap is always one pixel step further in the source.
var (
	dwTaps   = []int{1, 2, 3, 4, 5, 7}
	dwPixels = []int{1, 4, 8, 16}
	dwRows   = []int{1, 2, 3}
)

func depthwise512() *asm {
	a := newAsm("zdepthwise512")
	a.reg = "Z"
	a.golang("var depthwise512 = depthwiseKernels{\nsum: [8][]func(*gemmArgs){\n")
	for _, taps := range dwTaps {
		a.golang("%d: {", taps)
		for _, n := range dwPixels {
			a.golang("%d: dwSum512x%dx%d, ", n, taps, n)
		}
		a.golang("},\n")
	}
	a.golang("},\ngrad: [8][4]func(*gemmArgs){\n")
	for _, taps := range dwTaps {
		a.golang("%d: {", taps)
		for _, rows := range dwRows {
			a.golang("%d: dwGrad512x%dx%d, ", rows, taps, rows)
		}
		a.golang("},\n")
	}
	a.golang("},\n}\n\n")
	for _, taps := range dwTaps {
		for _, n := range dwPixels {
			a.dwSum512(taps, n)
		}
		for _, rows := range dwRows {
			a.dwGrad512(taps, rows)
		}
	}
	return a
}

// dwSum512 computes C[i] (+)= Σ_tap Σ_k A[tap + (i+k)·Sam]·B[tap][k] for n pixels i, 16 channels at a time. Each vector of
// A is loaded once for all pixels that it belongs to.
func (a *asm) dwSum512(taps, n int) {
	a.fn(fmt.Sprintf("dwSum512x%dx%d", taps, n), "a *gemmArgs", 8)
	a.tiles()
	a.begin(n)
	a.setBases(n + taps - 1)
	for k := 0; k < taps; k++ {
		a.p("VMOVUPS %d(R13), Z%d", 64*k, 31-k)
	}
	a.p("ADDQ $%d, R13", 64*taps)
	for q := 0; q < n+taps-1; q++ {
		r := n + q%4
		a.p("VMOVUPS %s, Z%d", row(q), r)
		for k := 0; k < taps; k++ {
			if i := q - k; i >= 0 && i < n {
				a.p("VFMADD231PS Z%d, Z%d, Z%d", 31-k, r, i)
			}
		}
	}
	a.endTap()
	a.p("MOVQ %d(DI), AX", argFetch)
	for i := 0; i < n; i++ {
		a.p("PREFETCHT0 %d(AX)", 64*i)
	}
	a.p("ADDQ $%d, %d(DI)", 64*n, argFetch)
	a.end(1, n, 1)
	a.endTiles()
}

// dwGradTap points R13 at the tap's pixels of B: each tap of grad has an offset in A and one in B.
func (a *asm) dwGradTap() {
	a.p("MOVQ 8(R15), R13")
	a.p("ADDQ %d(DI), R13", argB)
	a.p("ADDQ %d(DI), R13", argBOff)
}

// dwGrad512 computes C[r][k] (+)= Σ_tap Σ_i A[tap.a + r·Sak + (i+k)·Sam]·B[tap.b + i], for K pixels i, Ldb apart in B. C's
// rows are Ldc apart, its groups r CRow.
func (a *asm) dwGrad512(taps, rows int) {
	a.fn(fmt.Sprintf("dwGrad512x%dx%d", taps, rows), "a *gemmArgs", 8)
	a.tiles()
	a.begin(rows * taps)
	a.dwGradTap()
	a.p("LEAQ (R14)(R14*2), AX")
	a.p("MOVQ %d(DI), R12", argSak)
	for r := 1; r < rows; r++ {
		a.p("LEAQ (%s)(R12*1), %s", rowBases[r-1], rowBases[r])
	}
	a.p("MOVQ %d(DI), CX", argK)
	unroll := 4
	if taps == 7 {
		unroll = 2 // an address reaches 8 pixels
	}
	pixels := []string{"", "(R14*1)", "(R14*2)", "(AX*1)"}
	body := func(n int) {
		for i := 0; i < n; i++ {
			a.p("VMOVUPS.Z (R13)%s, K1, Z%d", pixels[i], 31-i)
		}
		if n == unroll {
			a.p("MOVQ %d(DI), R12", argFetch)
			for i := 0; i < n; i++ {
				a.p("PREFETCHT0 %d(R12)", 64*i)
			}
			a.p("ADDQ $%d, %d(DI)", 64*n, argFetch)
			a.p("MOVQ %d(DI), R12", argAhead)
			a.p("ADDQ R13, R12")
			for i := 0; i < n; i++ {
				a.p("PREFETCHT0 (R12)%s", pixels[i])
			}
		}
		t := 0
		for q := 0; q < n+taps-1; q++ {
			for r := 0; r < rows; r++ {
				x := 24 + t%4
				t++
				a.p("VMOVUPS (%s)%s, Z%d", rowBases[r], rowScales[q], x)
				for i := 0; i < n; i++ {
					if k := q - i; k >= 0 && k < taps {
						a.p("VFMADD231PS Z%d, Z%d, Z%d", x, 31-i, r*taps+k)
					}
				}
			}
		}
		for r := 0; r < rows; r++ {
			a.p("LEAQ (%s)(R8*%d), %s", rowBases[r], n, rowBases[r])
		}
		a.p("LEAQ (R13)(R14*%d), R13", n)
	}
	a.p("SUBQ $%d, CX", unroll)
	a.p("JLT rest")
	a.label("many")
	body(unroll)
	a.p("SUBQ $%d, CX", unroll)
	a.p("JGE many")
	a.label("rest")
	a.p("ADDQ $%d, CX", unroll)
	a.p("JZ done")
	a.label("one")
	body(1)
	a.p("DECQ CX")
	a.p("JNZ one")
	a.label("done")
	a.p("ADDQ $16, R15")
	a.p("DECQ %d(DI)", argLeftT)
	a.p("JNZ tap")
	a.end(rows, taps, 1)
	a.endTiles()
}
