package main

import "fmt"

// dwRows2 is the most kernel rows that grad takes at once in 16 registers.
var dwRows2 = map[int]int{1: 3, 2: 3, 3: 3, 4: 2, 5: 2, 7: 1}

func depthwise2() *asm {
	a := newAsm("zdepthwise2")
	a.reg = "Y"
	a.dwMacros(15)
	a.golang("var depthwise2 = depthwiseKernels{\nsum: [8][]func(*gemmArgs){\n")
	for _, taps := range dwTaps {
		a.golang("%d: {", taps)
		for _, n := range dwPixels[:3] {
			a.golang("%d: dwSum2x%dx%d, ", n, taps, n)
		}
		a.golang("},\n")
	}
	a.golang("},\ngrad: [8][4]func(*gemmArgs){\n")
	for _, taps := range dwTaps {
		a.golang("%d: {", taps)
		for rows := 1; rows <= dwRows2[taps]; rows++ {
			a.golang("%d: dwGrad2x%dx%d, ", rows, taps, rows)
		}
		a.golang("},\n")
	}
	a.golang("},\n}\n\n")
	for _, taps := range dwTaps {
		for _, n := range dwPixels[:3] {
			a.dwSum2(taps, n)
		}
		for rows := 1; rows <= dwRows2[taps]; rows++ {
			a.dwGrad2(taps, rows)
		}
	}
	return a
}

// dwSum2 is dwSum512 for 8 channels.
func (a *asm) dwSum2(taps, n int) {
	a.fn(fmt.Sprintf("dwSum2x%dx%d", taps, n), "a *gemmArgs", 8)
	a.p("DWTILES")
	a.dwSumBegin(n)
	a.setBases(n + taps - 1)
	for k := 0; k < taps; k++ {
		a.p("VMOVUPS %d(R13), Y%d", 64*k, 15-k)
	}
	a.p("ADDQ $%d, R13", 64*taps)
	spare := min(3, 16-taps-n)
	for q := 0; q < n+taps-1; q++ {
		r := n + q%spare
		a.p("VMOVUPS %s, Y%d", row(q), r)
		a.dwProducts(15, r, max(0, q-n+1), downFrom(min(q, n-1), max(0, q-taps+1), 0))
	}
	a.p("DWSUMNEXT")
	a.dwStore(1, n)
	a.p("DWSUMEND")
}

// dwGrad2 is dwGrad512 for 8 channels; B is masked by Y15.
func (a *asm) dwGrad2(taps, rows int) {
	a.fn(fmt.Sprintf("dwGrad2x%dx%d", taps, rows), "a *gemmArgs", 8)
	a.p("DWTILES")
	a.dwGradBegin(rows, taps)
	a.p("MOVQ %d(DI), CX", argTailMask)
	a.p("VMOVUPS (CX), Y15")
	a.p("MOVQ %d(DI), CX", argK)
	pixels := []string{"", "(R14*1)"}
	spare := min(3, 13-rows*taps)
	body := func(n int) {
		for i := 0; i < n; i++ {
			a.p("VMASKMOVPS (R13)%s, Y15, Y%d", pixels[i], 14-i)
		}
		t := 0
		for q := 0; q < n+taps-1; q++ {
			for r := 0; r < rows; r++ {
				x := rows*taps + t%spare
				t++
				a.p("VMOVUPS (%s)%s, Y%d", rowBases[r], rowScales[q], x)
				a.dwProducts(15, x, 1+max(0, q-taps+1), downFrom(min(q, taps-1), max(0, q-n+1), r*taps))
			}
		}
		for r := 0; r < rows; r++ {
			a.p("LEAQ (%s)(R8*%d), %s", rowBases[r], n, rowBases[r])
		}
		a.p("LEAQ (R13)(R14*%d), R13", n)
	}
	a.p("SUBQ $2, CX")
	a.p("JLT rest")
	a.label("many")
	body(2)
	a.p("SUBQ $2, CX")
	a.p("JGE many")
	a.label("rest")
	a.p("ADDQ $2, CX")
	a.p("JZ done")
	body(1)
	a.label("done")
	a.dwNext(16*rows + 8)
	a.dwStore(rows, taps)
	a.p("DWGRADEND")
}
