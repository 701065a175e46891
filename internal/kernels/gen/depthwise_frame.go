package main

import (
	"fmt"
	"strings"
)

// macro defines a macro of the assembler, in which body prints instructions; name may have parameters. What many kernels
// share is written once this way.
func (a *asm) macro(name string, body func()) {
	before := a.text.String()
	a.text.Reset()
	body()
	lines := strings.ReplaceAll(strings.TrimSpace(a.text.String()), ":\n", ":")
	a.text.Reset()
	fmt.Fprintf(&a.text, "%s\n#define %s \\\n\t%s\n", before, name, strings.ReplaceAll(lines, "\n", "; \\\n"))
}

// dwMacros defines what depthwise kernels share:
//
//	DWTILES      begins the loops over rows and tiles; DWSUMEND and DWGRADEND end them
//	DWTAPS       begins the loop over taps; DWSUMNEXT ends it
//	DWC          points AX at C and jumps to store if C is to be overwritten; with 8 lanes, to whole if all of them count
//	DWADD(z)     adds C to z and goes on to the next pixel of C; DWPUT(z) stores z there; DWADDALL and DWPUTALL do so without a mask
//	DWAHEADn     fetches n lines
//	DWFkn(x, …)  adds x times the weights k to k+n-1, which stand from register top down, to n sums
func (a *asm) dwMacros(top int) {
	a.macro("DWTILES", a.tiles)
	a.macro("DWSUMEND", a.dwSumEnd)
	a.macro("DWGRADEND", a.endTiles)
	a.macro("DWTAPS", a.dwTaps)
	a.macro("DWSUMNEXT", func() { a.dwNext(16) })
	a.macro("DWZERO(z)", func() { a.p("VXORPS z, z, z") })
	a.macro("DWC", func() {
		if a.reg == "Y" {
			a.p("MOVQ %d(DI), CX", argTailMask)
			a.p("VMOVUPS (CX), Y15")
		}
		a.p("MOVQ %d(DI), CX", argLdc)
		a.p("MOVQ %d(DI), AX", argCurC)
		a.p("MOVQ AX, BX")
		if a.reg == "Y" {
			a.jumpIfWhole()
		}
		a.p("CMPQ %d(DI), $0", argAcc)
		a.p("JEQ store")
	})
	a.macro("DWADD(z)", func() {
		if a.reg == "Y" {
			a.p("VMASKMOVPS (AX), Y15, Y14")
			a.p("VADDPS Y14, z, z")
		} else {
			a.p("VADDPS (AX), z, K1, z")
		}
		a.p("ADDQ CX, AX")
	})
	a.macro("DWPUT(z)", func() {
		if a.reg == "Y" {
			a.p("VMASKMOVPS z, Y15, (AX)")
		} else {
			a.p("VMOVUPS z, K1, (AX)")
		}
		a.p("ADDQ CX, AX")
	})
	if a.reg == "Y" {
		a.macro("DWADDALL(z)", func() {
			a.p("VADDPS (AX), z, z")
			a.p("ADDQ CX, AX")
		})
		a.macro("DWPUTALL(z)", func() {
			a.p("VMOVUPS z, (AX)")
			a.p("ADDQ CX, AX")
		})
	}
	a.macro("DWGROUP", func() {
		a.p("ADDQ %d(DI), BX", argCRow)
		a.p("MOVQ BX, AX")
	})
	if a.reg == "Z" {
		for _, n := range dwPixels {
			a.macro(fmt.Sprintf("DWAHEAD%d", n), func() {
				a.p("MOVQ %d(DI), AX", argFetch)
				for i := 0; i < n; i++ {
					a.p("PREFETCHT0 %d(AX)", 64*i)
				}
				a.p("ADDQ $%d, %d(DI)", 64*n, argFetch)
			})
		}
	}
	most := dwTaps[len(dwTaps)-1]
	for n := 2; n <= most; n++ {
		for k := 0; k+n <= most; k++ {
			names := strings.Split("a b c d e f g", " ")[:n]
			a.macro(fmt.Sprintf("DWF%d%d(x, %s)", k, n, strings.Join(names, ", ")), func() {
				for i, sum := range names {
					a.p("VFMADD231PS %s%d, x, %s", a.reg, top-k-i, sum)
				}
			})
		}
	}
}

// dwProducts adds register x times the weights from k on, which stand from register top down, to the sums.
func (a *asm) dwProducts(top, x, k int, sums []int) {
	if len(sums) == 1 {
		a.p("VFMADD231PS %s%d, %s%d, %s%d", a.reg, top-k, a.reg, x, a.reg, sums[0])
		return
	}
	var names strings.Builder
	for _, s := range sums {
		fmt.Fprintf(&names, ", %s%d", a.reg, s)
	}
	a.p("DWF%d%d(%s%d%s)", k, len(sums), a.reg, x, names.String())
}

// dwTaps starts the loop over taps. The first field of a tap is a dwTap, the address of its row.
func (a *asm) dwTaps() {
	a.p("MOVQ %d(DI), DX", argNT)
	a.p("MOVQ DX, %d(DI)", argLeftT)
	a.p("MOVQ %d(DI), R13", argB)
	a.p("ADDQ %d(DI), R13", argBOff)
	a.label("tap")
	a.dwBase("SI", 0)
}

// dwBase puts the address that the dwTap at `at` in the current tap states into a register.
func (a *asm) dwBase(register string, at int) {
	a.p("MOVQ %d(DI), %s", argCurA, register)
	if a.reg == "Z" { // others read copies alone, in which every row stands
		a.p("ANDQ %d(R15), %s", at+8, register)
	}
	a.p("ADDQ %d(R15), %s", at, register)
}

// dwNext ends the loop over taps of some bytes each.
func (a *asm) dwNext(bytes int) {
	a.p("ADDQ $%d, R15", bytes)
	a.p("DECQ %d(DI)", argLeftT)
	a.p("JNZ tap")
}

// dwSumBegin begins a tile of sum, with the taps of the current row.
func (a *asm) dwSumBegin(sums int) {
	a.dwZero(sums)
	a.p("MOVQ %d(DI), R15", argTaps)
	a.p("ADDQ %d(DI), R15", argAhead)
	a.p("DWTAPS")
}

// dwGradBegin begins grad: the taps' rows, of which DWTAPS does the first, and their pixels of B.
func (a *asm) dwGradBegin(rows, taps int) {
	a.dwZero(rows * taps)
	a.p("MOVQ %d(DI), R15", argTaps)
	a.p("DWTAPS")
	for r := 1; r < rows; r++ {
		a.dwBase(rowBases[r], 16*r)
	}
	a.p("MOVQ %d(R15), R13", 16*rows)
	a.p("ADDQ %d(DI), R13", argB)
	a.p("ADDQ %d(DI), R13", argBOff)
}

func (a *asm) dwZero(sums int) {
	for i := 0; i < sums; i++ {
		a.p("DWZERO(%s%d)", a.reg, i)
	}
}

// dwSumEnd is endTiles where each row of tiles has taps of its own, K bytes after those of the row before.
func (a *asm) dwSumEnd() {
	a.advance(argAStep, argCurA)
	a.advance(argCStep, argCurC)
	a.p("DECQ %d(DI)", argLeftM)
	a.p("JNZ tile")
	a.advance(argARow, argRowA)
	a.advance(argCRow, argRowC)
	a.advance(argK, argAhead)
	a.p("DECQ %d(DI)", argLeftR)
	a.p("JNZ rows")
	a.p("VZEROUPPER")
	a.p("RET")
}

// dwStore adds the sums to C or stores them; groups of rows of C stand CRow apart.
func (a *asm) dwStore(groups, rows int) {
	a.p("DWC")
	all := func(do string) {
		for i := 0; i < groups*rows; i++ {
			if i > 0 && i%rows == 0 {
				a.p("DWGROUP")
			}
			a.p("%s(%s%d)", do, a.reg, i)
		}
	}
	both := func(suffix, store string) {
		all("DWADD" + suffix)
		a.p("MOVQ %d(DI), AX", argCurC)
		a.p("MOVQ AX, BX")
		a.label(store)
		all("DWPUT" + suffix)
	}
	both("", "store")
	if a.reg == "Y" {
		a.p("JMP stored")
		a.label("whole")
		a.p("CMPQ %d(DI), $0", argAcc)
		a.p("JEQ storeall")
		both("ALL", "storeall")
		a.label("stored")
	}
}

// jumpIfWhole jumps to whole if the mask in Y15 lets all lanes through: on some processors a masked store takes ten times as
// long as another.
func (a *asm) jumpIfWhole() {
	a.p("VMOVMSKPS Y15, DX")
	a.p("CMPL DX, $255")
	a.p("JEQ whole")
}

// Masks of the pixels beyond the left and right edges of an image. Half of the taps reach beyond; where their number is
// even, that can be the smaller or the larger half.
const (
	maskLeft = 2 + iota
	maskRight
	maskLeft2
	maskRight2
)

// dwMask is the mask of pixel q of those that the taps read, gap apart, or 0.
func dwMask(q, pixels, taps, gap int) int {
	right, small, large := pixels-1-q, (taps-1)/2*gap, taps/2*gap
	switch {
	case q < small:
		return maskLeft
	case q < large:
		return maskLeft2
	case right < small:
		return maskRight
	case right < large:
		return maskRight2
	}
	return 0
}

// dwMasks is the masks that a number of taps uses.
func dwMasks(taps int) []int {
	switch {
	case taps == 1:
		return nil
	case taps == 2:
		return []int{maskLeft2, maskRight2}
	case taps%2 == 0:
		return []int{maskLeft, maskRight, maskLeft2, maskRight2}
	}
	return []int{maskLeft, maskRight}
}

// dwLoad loads a vector through a mask, if there is one.
func (a *asm) dwLoad(mem string, z, mask int) {
	if mask == 0 {
		a.p("VMOVUPS %s, %s%d", mem, a.reg, z)
		return
	}
	a.p("VMOVUPS.Z %s, K%d, Z%d", mem, mask, z)
}
