package kernels

// productPixels is about how many pixels of x and g are multiplied at a time: few enough that a panel of columns stays in
// the first-level cache, many enough that adding to dw costs little.
const productPixels = 128

// productColumns bounds the columns of a block of a product.
const productColumns = 64

// planProduct decides which of x and g gives the rows of the product, read element by element, and which the columns, read
// in vectors.
func (q *weightGradient) planProduct() {
	columns := q.s.OC
	if q.flat && q.s.OC <= q.micro.lanes && q.s.IC > q.s.OC {
		q.swapped, columns = true, q.s.IC
	}
	q.columns, q.panels = columns, q.micro.columns(columns, false)
	q.perBlock = max(1, min(len(q.panels), productColumns/q.panels[0].cols))
}

// arranged says that the columns must be copied into whole vectors first.
func (q *weightGradient) arranged() bool { return q.columns%q.micro.lanes != 0 }

// multiply adds the products of n images of x and g, read where they stand if they are whole vectors.
func (q *weightGradient) multiply(a *gemmArgs, panels []panel, x, g, scratch, dst []Float, n int) {
	s := q.s
	rows, columns := s.IC, s.OC
	if q.swapped {
		rows, columns, x, g = columns, rows, g, x
	}
	kernels := &q.micro.gemm
	if q.micro.outer[1] != nil {
		kernels = &q.micro.outer
	}
	a.Sam, a.Sak, a.Ldc = elem, s.Stride*rows*elem, columns*elem
	a.NR, a.ARow, a.CRow, a.BSkip, a.Ahead = 1, 0, 0, 0, 0
	n *= s.OH() * s.OW()
	step := productPixels
	if !q.flat {
		step = max(1, productPixels/s.OW()) * s.OW()
	}
	for from := 0; from < n; from += step {
		k := min(step, n-from)
		var at int // of the first pixel of x, which its tap may add to
		if q.flat {
			at = from * rows * elem
			a.Taps, a.NT, a.K = &q.rows[0], 1, k
		} else {
			a.Taps, a.NT, a.K = &q.rows[from/s.OW()], k/s.OW(), s.OW()
		}
		// While the kernels multiply these pixels they fetch the next, a line of each matrix a step.
		a.Fetch = uintptr(address(x)) + uintptr(at+k*a.Sak)
		a.Fetch2 = uintptr(address(g)) + uintptr((from+k)*columns*elem)
		if q.arranged() {
			q.arrange(scratch, g[from*columns:], panels, 0, k, columns)
		}
		steps := 0
		for j := range panels {
			c := &panels[j]
			table := kernels[c.nv]
			a.tail(c.cols-(c.nv-1)*q.micro.lanes, q.micro)
			a.A, a.AOff = address(x), at
			a.B, a.BOff, a.Ldb = address(g), (from*columns+c.off)*elem, columns*elem
			if q.arranged() {
				a.B, a.BOff, a.Ldb = address(scratch[j*q.panelLen:]), 0, c.nv*q.micro.lanes*elem
			}
			a.C, a.COff = address(dst), c.off*elem
			const line = 64
			if steps*line >= k*rows*elem {
				a.Fetch = uintptr(address(x)) + uintptr(at)
			}
			if steps*line >= k*columns*elem {
				a.Fetch2 = uintptr(address(g)) + uintptr(from*columns*elem)
			}
			for left := rows; left > 0; {
				m, count := tiles(left, table)
				a.NM, a.AStep, a.CStep = count, m*elem, m*a.Ldc
				table[m](a)
				a.AOff, a.COff = a.AOff+a.NM*a.AStep, a.COff+a.NM*a.CStep
				steps += k * count
				left -= m * count
			}
		}
		a.Acc = 1
	}
}

// tiles is tile and the number of tiles of that size, so many that the others can be of the next smaller size.
func tiles(n int, table []func(*gemmArgs)) (size, count int) {
	size = tile(n, table)
	smaller := size - 1
	for smaller > 0 && table[smaller] == nil {
		smaller--
	}
	least := ceilDiv(n, len(table)-1)
	if size*least < n || smaller*least > n {
		return size, n / size
	}
	return size, max(1, (n-smaller*least)/(size-smaller))
}
