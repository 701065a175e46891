package main

// slideTile512 is a tile of slide (stride 1) or slide2. The pixels are visited in interleaved runs, so that the three
// products of one sum are far enough apart not to wait for each other.
func (a *asm) slideTile512(mr, nv, stride int) {
	kind := "slide"
	if stride == 2 {
		kind = "slide2"
	}
	a.fn(a.name512(kind)(mr, nv), "a *gemmArgs", 8)
	a.tiles()
	a.begin(mr * nv)
	pixels := (mr-1)*stride + 3
	a.setBases(pixels)
	a.p("MOVQ %d(DI), AX", argAhead)
	a.p("ADDQ SI, AX")
	a.p("MOVQ %d(DI), CX", argK)
	a.p("PCALIGN $32")
	a.label("k")
	first := 32 - 3*nv
	for v := 0; v < 3*nv; v++ {
		a.p("VMOVUPS %d(R13), Z%d", 64*v, first+v)
	}
	a.p("ADDQ $%d, R13", 3*nv*64)
	a.p("PREFETCHT0 (AX)")
	a.p("ADDQ $64, AX")
	spare := first - mr*nv
	for n, q := range interleave(pixels, max(1, 3/nv)) {
		r := mr*nv + n%spare
		a.p("VBROADCASTSS %s, Z%d", row(q), r)
		for kw := 0; kw < 3; kw++ {
			if j := (q - kw) / stride; q >= kw && (q-kw)%stride == 0 && j < mr {
				for v := 0; v < nv; v++ {
					a.p("VFMADD231PS Z%d, Z%d, Z%d", first+kw*nv+v, r, j*nv+v)
				}
			}
		}
	}
	for b := 0; b*9 < pixels; b++ {
		a.p("ADDQ $4, %s", rowBases[b])
	}
	a.p("DECQ CX")
	a.p("JNZ k")
	a.endTap()
	a.end(1, mr, nv)
	a.endTiles()
}

// interleave orders 0…n-1 as `runs` runs visited in turn.
func interleave(n, runs int) (order []int) {
	length := (n + runs - 1) / runs
	for i := 0; i < length; i++ {
		for r := 0; r < runs; r++ {
			if q := r*length + i; q < n {
				order = append(order, q)
			}
		}
	}
	return order
}
