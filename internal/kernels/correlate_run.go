package kernels

// outputAhead is how many bytes ahead of its stores a product of four vectors fetches the lines that it will write.
const outputAhead = 6 << 10

// run computes n output images from n bordered sources, adding to what is there if acc. On the way it fetches as many bytes of
// soon, if that is not nil.
func (q *correlation) run(worker int, y, src []Float, n int, acc bool, soon []Float) {
	a := argsOf(worker)
	images, srcLen, outLen := n, q.imageLen, q.oh*q.ow*q.och
	for i := range q.phases {
		p := &q.phases[i]
		if len(p.taps) == 0 {
			if !acc {
				for j := range n {
					q.clearPhase(p, y[j*outLen:])
				}
			}
			continue
		}
		rows, pixels := p.nh, p.nw
		switch {
		case q.flat:
			images, rows, pixels = 1, 1, n*q.oh*q.ow
		case q.direct && q.stride == 1 && p.step == 1 && p.nw == q.pw && len(p.taps) == 1:
			rows, pixels = 1, p.nh*p.nw
		}
		a.NR, a.ARow, a.CRow = rows, p.step*q.pw*q.ch*elem, q.stride*q.ow*q.och*elem
		a.Sam, a.Sak, a.Ldc, a.BSkip = p.step*q.ch*elem, elem, q.stride*q.och*elem, 0
		if p.slide {
			a.Sam = q.ch * elem
		}
		a.Fetch, a.FetchStep = uintptr(address(y)), 0
		if nv := p.panels[0].nv; soon != nil {
			a.Fetch, a.FetchStep = uintptr(address(soon)), (len(q.micro.gemm[nv])-1)*nv*q.micro.lanes*elem/q.ch
		} else if q.flat && len(p.panels) == 1 && nv == 4 { // y is written in order: K steps of a tile fetch as much of it
			a.Fetch += outputAhead
			a.FetchStep = (len(q.micro.gemm[4]) - 1) * q.och * elem / q.ch
		}
		for j := range p.panels {
			c := &p.panels[j]
			a.Ldb = c.nv * q.micro.lanes * elem
			a.tail(c.cols-(c.nv-1)*q.micro.lanes, q.micro)
			table := q.micro.table(p, c.nv)
			for s := range c.steps {
				st := &c.steps[s]
				a.NT, a.K, a.Taps = st.nt, st.k, &p.taps[st.tap]
				a.B, a.BOff = address(q.packed[c.base:]), st.b
				a.Acc = 0
				if acc || s > 0 {
					a.Acc = 1
				}
				for im := range images {
					a.A, a.AOff = address(src[im*srcLen:]), st.a
					a.C, a.COff = address(y[im*outLen+(p.rh*q.ow+p.rw)*q.och+c.off:]), 0
					for n := pixels; n > 0; {
						size, count := tiles(n, table)
						a.NM, a.AStep, a.CStep = count, size*p.step*q.ch*elem, size*a.Ldc
						a.Ahead, a.AheadStep = a.AStep, size*elem
						if a.NM == 1 {
							a.Ahead = a.ARow
						}
						table[size](a)
						a.AOff, a.COff = a.AOff+a.NM*a.AStep, a.COff+a.NM*a.CStep
						n -= size * count
					}
				}
			}
		}
	}
}

// table is the microkernels for a phase and a number of vectors.
func (m *microkernels) table(p *phase, nv int) []func(*gemmArgs) {
	switch {
	case p.slide && p.step == 1:
		return m.slide[nv]
	case p.slide:
		return m.slide2[nv]
	}
	return m.gemm[nv]
}

func (q *correlation) clearPhase(p *phase, y []Float) {
	for r := p.rh; r < q.oh; r += q.stride {
		for x := p.rw; x < q.ow; x += q.stride {
			clear(y[(r*q.ow+x)*q.och:][:q.och])
		}
	}
}

// tile is the size of the next tile of n, of those for which the table has a microkernel: such that the tiles are few and
// nearly equal.
func tile(n int, table []func(*gemmArgs)) int {
	largest := len(table) - 1
	size := ceilDiv(n, ceilDiv(n, largest))
	for size < largest && table[size] == nil {
		size++
	}
	for size > n || table[size] == nil {
		size--
	}
	return size
}
