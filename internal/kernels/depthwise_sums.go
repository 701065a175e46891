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
	copied   dwLayout // of the source's bordered copy
	inPlace  dwLayout // of the image where it stands; no lines if that is impossible
	packed   []Float
	packSize int  // of one block of channels
	add      bool // to what is there
	kernels  *depthwiseKernels
	lanes    int
}

// dwPhase is the output pixels (rh + i·stride, rw + j·stride), i < nh, j < nw.
type dwPhase struct {
	rh, rw, nh, nw int
	rows, cols     dwAxis
}

// dwAxis describes one direction of a phase: tap t of output pixel i reads bordered source pixel i·step + t.o, at offsets o
// that grow by the same gap from tap to tap.
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
	q.phases = []dwPhase{{nh: q.oh, nw: q.ow, rows: axis(s.KH), cols: axis(s.KW)}}
	q.plan(s.KW)
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
			q.phases = append(q.phases, dwPhase{rh: rh, rw: rw, nh: ceilDiv(s.H-rh, s.Stride), nw: ceilDiv(s.W-rw, s.Stride),
				rows: axis(rh, s.KH, g.top), cols: axis(rw, s.KW, g.left)})
		}
	}
	q.plan(s.KW)
}

func (c *depthwiseSums) plan(kw int) {
	c.lanes = micro.lanes
	c.source.plan()
	c.copied = c.source.copied()
	c.lay(&c.copied, kw)
	if c.kernels.masks && c.source.inPlace() {
		c.inPlace = c.source.standing()
		if !c.lay(&c.inPlace, kw) {
			c.inPlace.lines = nil
		}
	}
	c.packed = Alloc(c.source.blocks * c.packSize)
	for _, p := range c.phases {
		for _, t := range p.rows.taps {
			c.reach = max(c.reach, t.o)
		}
	}
}

// pack arranges the weights of each block of channels by line, kernel row and tap.
func (c *depthwiseSums) pack(w []Float, channels int) {
	for b := range c.source.blocks {
		width := min(channelBlock, channels-b*channelBlock)
		for i := range c.copied.lines {
			l := &c.copied.lines[i]
			dst := c.packed[b*c.packSize+l.pack:]
			for t, k := range l.positions {
				copy(dst[t*channelBlock:][:width], w[k*channels+b*channelBlock:])
			}
		}
	}
}

// bandRows is the number of rows of each phase that are computed before more of the source is copied: the copies are still
// in the first-level cache then.
const bandRows = 2

// image computes one output image from x, which passes in if it is not nil. As many bytes are fetched on the way: of soon, if it is
// not nil, else of what is read or written next.
func (c *depthwiseSums) image(worker int, y, x []Float, in *Affine, soon []Float) {
	b := &c.source
	layout, src := &c.inPlace, x
	var row []Float
	if in != nil || layout.lines == nil {
		layout = &c.copied
		src, row = b.reserve(worker, 0, claimScratch(worker, unsafe.Pointer(c))), b.row(worker)
	}
	argsOf(worker).Fetch = uintptr(address(soon))
	rows, loaded, size := ceilDiv(c.oh, c.stride), 0, c.stride*c.ow*b.ch
	for r := 0; r < rows; r += bandRows {
		to := min(rows, r+bandRows)
		want := b.h
		if to < rows {
			want = min(b.h, max(loaded, (to-1)*c.rowStep+c.reach-b.top+1))
		}
		if layout == &c.copied {
			b.load(src, row, x, loaded, want, in)
		}
		loaded = want
		if soon == nil {
			argsOf(worker).Fetch = b.ahead(x, want)
		}
		if soon == nil && c.stride > 1 { // what the phases write lies further apart than what they read
			argsOf(worker).Fetch = uintptr(address(y)) + uintptr(to*size*elem)
		}
		if layout.sparse && !c.add {
			clear(y[r*size : min(to*size, c.oh*c.ow*b.ch)])
		}
		for i := range layout.lines {
			c.band(worker, y, src, layout, &layout.lines[i], r, to)
		}
	}
}

// band computes the rows [r,to) of a line's phase.
func (c *depthwiseSums) band(worker int, y, src []Float, p *dwLayout, l *dwLine, r, to int) {
	to = min(to, l.phase.nh)
	if r >= to {
		return
	}
	ch := c.source.ch
	y = y[(r*c.stride+l.phase.rh)*c.ow*ch:]
	a := argsOf(worker)
	a.NT, a.Taps, a.Sam = len(l.phase.rows.taps), &l.taps[0].offset, l.pitch
	a.Ldb, a.Ldc, a.Acc = channelBlock*elem, c.stride*l.step*ch*elem, 0
	if c.add || !l.first {
		a.Acc = 1
	}
	a.NR, a.ARow, a.CRow, a.K = to-r, c.rowStep*p.row, c.stride*c.ow*ch*elem, l.nextTaps
	for off := 0; off < ch; off += c.lanes {
		b, lane := off/channelBlock, off%channelBlock
		a.tail(min(c.lanes, ch-off), micro)
		a.B, a.BOff = address(c.packed[b*c.packSize+l.pack:]), lane*elem
		for i := range l.tiles {
			t := &l.tiles[i]
			a.A, a.AOff = address(src[b*p.block:]), r*a.ARow+t.source+lane*elem
			a.C, a.COff = address(y[off:]), t.y
			a.NM, a.AStep, a.CStep = len(t.masks), t.sourceStep, t.yStep
			a.Ahead, a.Sak = r*l.nextTaps, int(uintptr(unsafe.Pointer(&t.masks[0])))
			t.kernel(a)
		}
	}
}
