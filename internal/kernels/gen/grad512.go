package main

// gradTile512 keeps 3·m·nv sums. At stride 1, A's pixel k meets B's k, k-1 and k-2 as kw = 0, 1, 2; at stride 2, A's
// pixel 2k meets B's k and k-1 as kw = 0 and 2, and A's 2k+1 meets B's k as kw = 1. The last pixels of B stand in slots of
// nv registers from first on, which take turns: the loop is unrolled until the turns repeat.
func (a *asm) gradTile512(m, nv, stride int) {
	kind, slots := "grad", 3
	if stride == 2 {
		kind, slots = "grad2x", 2
	}
	a.fn(a.name512(kind)(m, nv), "a *gemmArgs", 8)
	a.tiles()
	first := 32 - slots*nv
	spare := min(4, first-3*m*nv)
	a.fetchC(3, m, nv)
	a.begin(3 * m * nv)
	a.p("MOVQ %d(DI), CX", argK)
	a.p("LEAQ (R14)(R14*2), BX")
	// The pixels of A and B since SI and R13, which move in few steps: a scalar addition takes the place of a product.
	var atA, atB int
	move := func() {
		if atA > 0 {
			a.p("LEAQ (SI)%s, SI", rowScales[atA])
		}
		if atB > 0 {
			a.p("LEAQ (R13)%s, R13", []string{"", "(R14*1)", "(R14*2)", "(BX*1)"}[atB])
		}
		atA, atB = 0, 0
	}
	// load puts B's next pixel into a slot.
	load := func(slot int) {
		at := "(R13)" + []string{"", "(R14*1)", "(R14*2)"}[atB]
		for v := 0; v < nv; v++ {
			a.p("VMOVUPS %d%s, Z%d", 64*v, at, first+slot*nv+v)
		}
		for v := 0; v < nv; v++ {
			a.p("PREFETCHT0 %d%s", gradAhead*64*nv+64*v, at)
		}
		a.p("PREFETCHT0 %d(SI)%s", gradAhead*64, rowScales[atA])
		atB++
	}
	// pixel multiplies A's next pixel with slots of B: pairs of (kw, slot).
	pixel := func(pairs ...[2]int) {
		for i := 0; i < m; i++ {
			r := 3*m*nv + i%spare
			a.p("VBROADCASTSS %d(SI)%s, Z%d", 4*i, rowScales[atA], r)
			for _, p := range pairs {
				for v := 0; v < nv; v++ {
					a.p("VFMADD231PS Z%d, Z%d, Z%d", first+p[1]*nv+v, r, (p[0]*m+i)*nv+v)
				}
			}
		}
		atA++
	}
	// turn loads a slot and takes the pixels of A that are complete with it; before is the slots in their order of age.
	turn := func(slot int, before ...int) {
		load(slot)
		if stride == 1 {
			pixel([2]int{0, slot}, [2]int{1, before[0]}, [2]int{2, before[1]})
		} else {
			pixel([2]int{0, slot}, [2]int{2, before[0]})
			pixel([2]int{1, slot})
		}
	}
	finish := func(last, before int) {
		if stride == 1 {
			pixel([2]int{1, last}, [2]int{2, before})
		}
		pixel([2]int{2, last})
	}
	load(0)
	pixel([2]int{0, 0})
	if stride == 1 {
		move()
		a.p("DECQ CX")
		a.p("JZ single")
		load(1)
		pixel([2]int{0, 1}, [2]int{1, 0})
		move()
		a.p("DECQ CX")
		a.p("SUBQ $3, CX")
		a.p("JLT tail")
		a.p("PCALIGN $32")
		a.label("k")
		turn(2, 1, 0)
		turn(0, 2, 1)
		turn(1, 0, 2)
		move()
		a.p("SUBQ $3, CX")
		a.p("JGE k")
		a.label("tail")
		a.p("CMPQ CX, $-2")
		a.p("JLT rest0")
		a.p("JEQ rest1")
		turn(2, 1, 0)
		turn(0, 2, 1)
		finish(0, 2)
		move()
		a.p("JMP end")
		a.label("rest1")
		turn(2, 1, 0)
		finish(2, 1)
		move()
		a.p("JMP end")
		a.label("rest0")
		finish(1, 0)
		move()
		a.p("JMP end")
		a.label("single")
		pixel([2]int{1, 0})
		pixel([2]int{2, 0})
		move()
	} else {
		pixel([2]int{1, 0})
		move()
		a.p("DECQ CX")
		a.p("SUBQ $2, CX")
		a.p("JLT tail")
		a.p("PCALIGN $32")
		a.label("k")
		turn(1, 0)
		turn(0, 1)
		move()
		a.p("SUBQ $2, CX")
		a.p("JGE k")
		a.label("tail")
		a.p("CMPQ CX, $-2")
		a.p("JEQ rest0")
		turn(1, 0)
		finish(1, 0)
		move()
		a.p("JMP end")
		a.label("rest0")
		finish(0, 1)
		move()
	}
	a.label("end")
	a.endTap()
	a.end(3, m, nv)
	a.endTiles()
}
