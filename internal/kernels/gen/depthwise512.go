package main

import "fmt"

// Numbers of neighbouring taps, and of output pixels, for which depthwise kernels exist. Other kernel sizes are cut into
// these, and so are dilation and stride (see depthwise_sums.go), so that a tap is always one pixel step further in the
// source.
var (
	dwTaps   = []int{1, 2, 3, 4, 5, 7}
	dwPixels = []int{1, 4, 8, 16}
	dwRows   = []int{1, 2, 3}
	dwApart  = []int{3} // numbers of taps that may be two pixels apart; more taps gain nothing
)

func depthwise512() *asm {
	a := newAsm("zdepthwise512")
	a.reg = "Z"
	a.dwMacros(31)
	a.golang("var depthwise512 = depthwiseKernels{\nmasks: true,\nsum: [8][]func(*gemmArgs){\n")
	for _, taps := range dwTaps {
		a.golang("%d: {", taps)
		for _, n := range dwPixels {
			a.golang("%d: dwSum512x%dx%d, ", n, taps, n)
		}
		a.golang("},\n")
	}
	a.golang("},\napart: [8]func(*gemmArgs){\n")
	for _, taps := range dwApart {
		a.golang("%d: dwApart512x%d,\n", taps, taps)
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
			a.dwSum512(fmt.Sprintf("dwSum512x%dx%d", taps, n), taps, n, 1)
		}
		for _, rows := range dwRows {
			a.dwGrad512(taps, rows)
		}
	}
	for _, taps := range dwApart {
		a.dwSum512(fmt.Sprintf("dwApart512x%d", taps), taps, 16, 2)
	}
	return a
}

// dwSum512 computes C[i] (+)= Σ_tap Σ_k A[tap + (i+k·gap)·Sam]·B[tap][k] for n pixels i, 16 channels at a time. Each vector
// of A is loaded once for all pixels that it belongs to, and is 0 where a mask says so.
func (a *asm) dwSum512(name string, taps, n, gap int) {
	pixels := n + gap*(taps-1)
	a.fn(name, "a *gemmArgs", 8)
	a.p("DWTILES")
	a.p("MOVQ %d(DI), AX", argLeftM)
	for _, k := range dwMasks(taps) {
		a.p("KMOVW %d(R12)(AX*8), K%d", 2*(k-maskLeft)-8, k)
	}
	a.dwSumBegin(n)
	a.setBases(pixels)
	for k := 0; k < taps; k++ {
		a.p("VMOVUPS %d(R13), Z%d", 64*k, 31-k)
	}
	a.p("ADDQ $%d, R13", 64*taps)
	lines := max(1, n/taps) // that each of the rows of a square kernel fetches of the n
	a.p("MOVQ %d(DI), AX", argFetch)
	a.p("ADDQ $%d, %d(DI)", 64*lines, argFetch)
	for q := 0; q < pixels; q++ {
		for i := q * lines / pixels; i < (q+1)*lines/pixels; i++ {
			a.p("PREFETCHT1 %d(AX)", 64*i)
		}
		r := n + q%4
		a.dwLoad(row(q), r, dwMask(q, pixels, taps, gap))
		first := max(0, (q-n+gap)/gap)
		var sums []int
		for k := first; k < taps && q-k*gap >= 0; k++ {
			sums = append(sums, q-k*gap)
		}
		a.dwProducts(31, r, first, sums)
	}
	a.p("DWSUMNEXT")
	a.dwStore(1, n)
	a.p("DWSUMEND")
}

// dwGrad512 computes C[r][k] (+)= Σ_tap Σ_i A[tap.a[r] + (i+k)·Sam]·B[tap.b + i], for K pixels i, Ldb apart in B. C's rows
// are Ldc apart, its groups r CRow.
func (a *asm) dwGrad512(taps, rows int) {
	const unroll = 4
	a.fn(fmt.Sprintf("dwGrad512x%dx%d", taps, rows), "a *gemmArgs", 8)
	a.p("DWTILES")
	a.dwGradBegin(rows, taps)
	a.p("LEAQ (R14)(R14*2), AX")
	for _, k := range dwMasks(taps) {
		if k == maskLeft || k == maskLeft2 {
			a.p("KMOVW %d(DI), K%d", argSak+2*(k-maskLeft), k)
		} else {
			a.p("KMOVW K1, K%d", k)
		}
	}
	a.p("MOVQ %d(DI), CX", argK)
	pixels := []string{"", "(R14*1)", "(R14*2)", "(AX*1)"}
	body := func(n int) {
		for i := 0; i < n; i++ {
			a.p("VMOVUPS.Z (R13)%s, K1, Z%d", pixels[i], 31-i)
		}
		if n == unroll {
			a.p("MOVQ %d(DI), R12", argFetch)
			lines := min(n, max(1, (n*rows+taps/2)/taps)) // that each group of rows of a square kernel fetches of the n
			for i := 0; i < lines; i++ {
				a.p("PREFETCHT1 %d(R12)", 64*i)
			}
			a.p("ADDQ $%d, %d(DI)", 64*lines, argFetch)
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
				mem, mask := "("+rowBases[r]+")", 0
				if q < len(rowScales) {
					mem += rowScales[q]
				} else { // beyond what an address reaches
					a.p("LEAQ (%s)(R8*8), R12", rowBases[r])
					mem = "(R12)" + rowScales[q-8]
				}
				if n == unroll {
					mask = dwMask(q, n+taps-1, taps, 1)
				}
				a.dwLoad(mem, x, mask)
				a.dwProducts(31, x, max(0, q-taps+1), downFrom(min(q, taps-1), max(0, q-n+1), r*taps))
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
	if taps > 1 { // the masks of the right edge are for the last pixels, those of the left one for the first
		a.p("JNZ inner")
		for _, k := range dwMasks(taps) {
			if k == maskRight || k == maskRight2 {
				a.p("KMOVW %d(DI), K%d", argSak+2*(k-maskLeft), k)
			}
		}
		a.label("inner")
	}
	body(unroll)
	for _, k := range dwMasks(taps) {
		if k == maskLeft || k == maskLeft2 {
			a.p("KMOVW K1, K%d", k)
		}
	}
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
	a.dwNext(16*rows + 8)
	a.dwStore(rows, taps)
	a.p("DWGRADEND")
}

// downFrom is base plus the numbers from first down to last.
func downFrom(first, last, base int) (n []int) {
	for i := first; i >= last; i-- {
		n = append(n, base+i)
	}
	return n
}
