package main

// dwBegin clears the sums and starts the loop over taps. The first field of a tap is a dwTap, the address of its row.
func (a *asm) dwBegin(sums int) {
	a.zero(0, sums)
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

// dwEndTiles is endTiles where each row of tiles has taps of its own, K bytes after those of the row before.
func (a *asm) dwEndTiles() {
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

// Masks of the pixels beyond the left and right edges of an image. Half of the taps reach beyond; where their number is
// even, that can be the smaller or the larger half.
const (
	maskLeft = 2 + iota
	maskRight
	maskLeft2
	maskRight2
)

// dwMask is the mask of pixel q of n+taps-1, or 0.
func dwMask(q, n, taps int) int {
	right := n + taps - 2 - q
	switch {
	case q < (taps-1)/2:
		return maskLeft
	case q < taps/2:
		return maskLeft2
	case right < (taps-1)/2:
		return maskRight
	case right < taps/2:
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
		a.p("VMOVUPS %s, Z%d", mem, z)
		return
	}
	a.p("VMOVUPS.Z %s, K%d, Z%d", mem, mask, z)
}
