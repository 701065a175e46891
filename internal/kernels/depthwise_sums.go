package kernels

import "unsafe"

// depthwiseSums computes each output pixel as a sum over taps: forward, and backward data with one phase for each residue
// of the pixel modulo the stride.
type depthwiseSums struct {
	source   lattice
	oh, ow   int
	stride   int // output pixels between neighbours of a phase
	rowStep  int // source rows between neighbouring rows of a phase
	reach    int // the last bordered source row that the first row of any phase reads
	phases   []dwPhase
	sparse   bool // a phase has no taps: its pixels are 0
	packed   []Float
	packSize int // of one block of channels
	kernels  *depthwiseKernels
	lanes    int
}

// dwPhase is the output pixels (rh + i·stride, rw + j·stride), i < nh, j < nw.
type dwPhase struct {
	rh, rw, nh, nw int
	lines          []dwLine
}

// dwLine is a subset of a phase's columns, j0, j0+step, … (n of them), and one group of neighbouring taps in each kernel
// row. Dilation and stride are taken apart here: with L the least common multiple of the distance of neighbouring pixels
// and of neighbouring taps in the source, the pixels j ≡ j0 and the taps k ≡ k0 that share a residue modulo L form an
// ordinary convolution on every L-th source pixel. Sets of columns of equal size, j0+1, j0+1+step, … and so on, are computed
// in turn, tile by tile, so that memory is met in order.
type dwLine struct {
	j0, step, n int
	sets        int   // of columns
	shift       int   // bytes between sets in the source
	source      int   // bytes from a source row to the first pixel
	pitch       int   // bytes between neighbours in the source
	taps        int   // neighbouring taps
	positions   []int // kernel position of each row's each tap
	rows        []int // byte offset in the source of each kernel row
	first       bool  // no line before this one has written these pixels
	pack        int   // where its weights are packed
}

// dwAxis describes one direction of a phase: kernel index k reads source pixel from·o + i·step, at offsets o that grow by
// gap from tap to tap.
type dwAxis struct {
	taps []tapAt // in order of growing offset
	step int
}

// gap is the distance of neighbouring taps in the source.
func (x dwAxis) gap() int {
	if len(x.taps) < 2 {
		return 1
	}
	return x.taps[1].o - x.taps[0].o
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// supported cuts a number of neighbouring taps into numbers for which there is a kernel.
func (k *depthwiseKernels) supported(n int) int {
	n = min(n, len(k.sum)-1)
	for k.sum[n] == nil {
		n--
	}
	return n
}

func (c *depthwiseSums) addPhase(p dwPhase, rows, cols dwAxis, kw int) {
	if len(rows.taps) > 0 && len(cols.taps) > 0 {
		gap := cols.gap()
		l := cols.step * gap / gcd(cols.step, gap)
		step, groups, together := min(l/cols.step, p.nw), l/gap, 1
		if p.nw%step == 0 {
			together = step
		}
		for j0 := 0; j0 < step; j0 += together {
			first := true
			for k0 := range min(groups, len(cols.taps)) {
				var group []tapAt
				for k := k0; k < len(cols.taps); k += groups {
					group = append(group, cols.taps[k])
				}
				for len(group) > 0 {
					n := c.kernels.supported(len(group))
					line := dwLine{j0: j0, step: step, n: ceilDiv(p.nw-j0, step), taps: n, first: first,
						sets: together, shift: cols.step * channelBlock * elem,
						source: (j0*cols.step + group[0].o) * channelBlock * elem, pitch: l * channelBlock * elem, pack: c.packSize}
					for _, r := range rows.taps {
						c.reach = max(c.reach, r.o)
						line.rows = append(line.rows, r.o*c.source.pw*channelBlock*elem)
						for _, t := range group[:n] {
							line.positions = append(line.positions, r.k*kw+t.k)
						}
					}
					c.packSize += len(line.positions) * channelBlock
					p.lines = append(p.lines, line)
					group, first = group[n:], false
				}
			}
		}
	}
	c.phases = append(c.phases, p)
	c.sparse = c.sparse || len(p.lines) == 0
}

func (c *depthwiseSums) finish() {
	c.source.plan()
	c.lanes = micro.lanes
	c.packed = Alloc(c.source.blocks * c.packSize)
}

func (c *Depthwise) planForward() {
	q := &c.fwd
	q.kernels, q.oh, q.ow, q.stride = micro.depthwise, c.OH(), c.OW(), 1
	s, source := c.lattice()
	q.source = source
	axis := func(k int) dwAxis {
		x := dwAxis{step: s.Stride}
		for i := range k {
			x.taps = append(x.taps, tapAt{i * s.Dilation, i})
		}
		return x
	}
	q.rowStep = s.Stride
	q.addPhase(dwPhase{nh: q.oh, nw: q.ow}, axis(s.KH), axis(s.KW), s.KW)
	q.finish()
}

func (c *Depthwise) planData() {
	s := c.ConvShape
	q := &c.data
	q.kernels, q.oh, q.ow, q.stride = micro.depthwise, s.H, s.W, s.Stride
	q.rowStep = 1
	g := dataCorrelationBorder(s)
	q.source = lattice{step: 1, pitch: s.OW() * s.IC,
		blockedImages: blockedImages{h: s.OH(), w: s.OW(), ch: s.IC, top: g.top, left: g.left, ph: g.ph, pw: g.pw}}
	axis := func(r, k, border int) dwAxis {
		x := dwAxis{step: 1}
		for _, t := range dataTaps(r, k, s) {
			x.taps = append(x.taps, tapAt{t.o + border, t.k})
		}
		return x
	}
	for rh := range min(s.Stride, s.H) {
		for rw := range min(s.Stride, s.W) {
			q.addPhase(dwPhase{rh: rh, rw: rw, nh: ceilDiv(s.H-rh, s.Stride), nw: ceilDiv(s.W-rw, s.Stride)},
				axis(rh, s.KH, g.top), axis(rw, s.KW, g.left), s.KW)
		}
	}
	q.finish()
}

// pack arranges the weights of each block of channels by line, kernel row and tap.
func (c *depthwiseSums) pack(w []Float, channels int) {
	for b := range c.source.blocks {
		width := min(channelBlock, channels-b*channelBlock)
		for i := range c.phases {
			for j := range c.phases[i].lines {
				l := &c.phases[i].lines[j]
				dst := c.packed[b*c.packSize+l.pack:]
				for t, k := range l.positions {
					copy(dst[t*channelBlock:][:width], w[k*channels+b*channelBlock:])
				}
			}
		}
	}
}

// bandRows is the number of rows of each phase that are computed before more of the source is copied: the copies are still
// in the first-level cache then.
const bandRows = 2

// image computes one output image from x, which passes in if it is not nil.
func (c *depthwiseSums) image(worker int, y, x []Float, in *Affine) {
	b := &c.source
	src := b.reserve(worker, 0, claimScratch(worker, unsafe.Pointer(c)))
	row := b.row(worker)
	rows, loaded := ceilDiv(c.oh, c.stride), 0
	for r := 0; r < rows; r += bandRows {
		to := min(rows, r+bandRows)
		want := b.h
		if to < rows {
			want = min(b.h, max(loaded, (to-1)*c.rowStep+c.reach-b.top+1))
		}
		b.load(src, row, x, loaded, want, in)
		loaded = want
		argsOf(worker).Fetch = b.ahead(x, want)
		if c.sparse {
			size := c.stride * c.ow * b.ch
			clear(y[r*size : min(to*size, c.oh*c.ow*b.ch)])
		}
		for i := range c.phases {
			c.band(worker, y, src, &c.phases[i], r, min(to, c.phases[i].nh))
		}
	}
}

// band computes the rows [r,to) of a phase.
func (c *depthwiseSums) band(worker int, y, src []Float, p *dwPhase, r, to int) {
	if r >= to || len(p.lines) == 0 {
		return
	}
	ch := c.source.ch
	y = y[(r*c.stride+p.rh)*c.ow*ch:]
	a := argsOf(worker)
	a.BSkip = 0
	a.NR, a.ARow, a.CRow = to-r, c.rowStep*c.source.pw*channelBlock*elem, c.stride*c.ow*ch*elem
	for off := 0; off < ch; off += c.lanes {
		b, lane := off/channelBlock, off%channelBlock
		a.tail(min(c.lanes, ch-off), micro)
		for j := range p.lines {
			l := &p.lines[j]
			a.NT, a.Taps, a.Sam = len(l.rows), &l.rows[0], l.pitch
			a.Ldb, a.Ldc, a.Acc = channelBlock*elem, c.stride*l.step*ch*elem, 0
			if !l.first {
				a.Acc = 1
			}
			a.B, a.BOff = address(c.packed[b*c.packSize+l.pack:]), lane*elem
			a.A, a.AOff = address(src[b*c.source.blockLen:]), r*a.ARow+l.source+lane*elem
			a.C, a.COff = address(y[(p.rw+l.j0*c.stride)*ch+off:]), 0
			table := c.kernels.sum[l.taps]
			for n := l.n; n > 0; {
				m := tile(n, table)
				done := m
				if l.sets > 1 {
					a.NM, a.AStep, a.CStep = l.sets, l.shift, c.stride*ch*elem
				} else {
					done = n / m * m
					a.NM, a.AStep, a.CStep = n/m, m*a.Sam, m*a.Ldc
				}
				table[m](a)
				a.AOff, a.COff = a.AOff+done*a.Sam, a.COff+done*a.Ldc
				n -= done
			}
		}
	}
}
