package kernels

import "unsafe"

// depthwiseKernels is one instruction set's way to compute depthwise convolutions, one vector of channels at a time, on
// images whose pixels stand channelBlock elements apart.
type depthwiseKernels struct {
	// sum[taps][n] computes C[i] (+)= Σ_tap Σ_k A[tap + (i+k)·Sam]·B[tap][k] for n pixels i.
	sum [8][]func(*gemmArgs)
	// grad[taps][rows] computes C[r][k] (+)= Σ_tap Σ_i A[tap + r·Sak + (i+k)·Sam]·B[i] over K pixels i; C's groups r
	// stand CRow apart.
	grad [8][4]func(*gemmArgs)
}

// Depthwise is a planned depthwise convolution: IC = OC = C, weights (KH,KW,C).
type Depthwise struct {
	ConvShape

	fwd, data       depthwiseSums
	grad            depthwiseGrad
	x, y, g, dx, dw []Float
	in              *Affine
	run             [3]func(worker, unit int)
}

// NewDepthwise plans a depthwise convolution. An impossible shape panics with what Validate says, as does IC ≠ OC.
func NewDepthwise(s ConvShape) *Depthwise {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	if s.IC != s.OC {
		panic("kernels: a depthwise convolution has as many output channels as input channels")
	}
	c := &Depthwise{ConvShape: s}
	c.planForward()
	c.planData()
	c.planGrad()
	c.run = [3]func(worker, unit int){c.forwardImage, c.dataImage, c.gradChunk}
	return c
}

// Forward writes y (N,OH,OW,C) = depthwise(in(x), w); a nil in is the identity.
func (c *Depthwise) Forward(y, x, w []Float, in *Affine) {
	check("depthwise convolution: x", len(x), c.XLen())
	check("depthwise convolution: w", len(w), c.KH*c.KW*c.IC)
	check("depthwise convolution: y", len(y), c.YLen())
	c.x, c.y, c.in = x, y, in
	c.fwd.pack(w, c.IC)
	Parallel(c.N, c.run[0])
}

func (c *Depthwise) forwardImage(worker, n int) {
	c.fwd.image(worker, c.y[n*c.OH()*c.OW()*c.IC:], c.x[n*c.H*c.W*c.IC:][:c.H*c.W*c.IC], c.in)
}

// BackwardData writes dx (N,H,W,C), the gradient at in(x), from g (N,OH,OW,C).
func (c *Depthwise) BackwardData(dx, g, w []Float) {
	check("depthwise convolution: dx", len(dx), c.XLen())
	check("depthwise convolution: w", len(w), c.KH*c.KW*c.IC)
	check("depthwise convolution: g", len(g), c.YLen())
	c.dx, c.g = dx, g
	c.data.pack(w, c.IC)
	Parallel(c.N, c.run[1])
}

func (c *Depthwise) dataImage(worker, n int) {
	size := c.OH() * c.OW() * c.IC
	c.data.image(worker, c.dx[n*c.H*c.W*c.IC:], c.g[n*size:][:size], nil)
}

// BackwardWeights writes dw (KH,KW,C) from x and g.
func (c *Depthwise) BackwardWeights(dw, x, g []Float, in *Affine) {
	check("depthwise convolution: x", len(x), c.XLen())
	check("depthwise convolution: dw", len(dw), c.KH*c.KW*c.IC)
	check("depthwise convolution: g", len(g), c.YLen())
	c.x, c.g, c.dw, c.in = x, g, dw, in
	Parallel(c.grad.chunks, c.run[2])
	micro.sum(dw[:c.KH*c.KW*c.IC], partials, c.grad.chunks, c.grad.length)
}

// depthwiseSums computes each output pixel as a sum over taps: forward, and backward data with one phase for each residue
// of the pixel modulo the stride.
type depthwiseSums struct {
	source   blockedImages
	oh, ow   int
	stride   int // output pixels between neighbours of a phase
	rowStep  int // source rows between neighbouring rows of a phase
	reach    int // the last bordered source row that the first row of any phase reads
	phases   []dwPhase
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
// ordinary convolution on every L-th source pixel.
type dwLine struct {
	j0, step, n int
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
		sets, groups := min(l/cols.step, p.nw), l/gap
		for j0 := range sets {
			first := true
			for k0 := range min(groups, len(cols.taps)) {
				var group []tapAt
				for k := k0; k < len(cols.taps); k += groups {
					group = append(group, cols.taps[k])
				}
				for len(group) > 0 {
					n := c.kernels.supported(len(group))
					line := dwLine{j0: j0, step: sets, n: ceilDiv(p.nw-j0, sets), taps: n, first: first,
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
}

func (c *depthwiseSums) finish() {
	c.source.images, c.source.whole, c.source.micro = 1, true, micro
	c.source.plan()
	c.lanes = micro.lanes
	c.packed = Alloc(c.source.blocks * c.packSize)
	needScratch(c.source.need())
}

func (c *Depthwise) planForward() {
	s := c.ConvShape
	q := &c.fwd
	q.kernels, q.oh, q.ow, q.stride = micro.depthwise, s.OH(), s.OW(), 1
	q.source = blockedImages{h: s.H, w: s.W, ch: s.IC, top: s.Pad, left: s.Pad, ph: s.H + 2*s.Pad, pw: s.W + 2*s.Pad}
	axis := func(k int) dwAxis {
		x := dwAxis{step: s.Stride}
		for i := range k {
			x.taps = append(x.taps, tapAt{i * s.Dilation, i})
		}
		return x
	}
	q.rowStep = s.Stride
	q.addPhase(dwPhase{nh: s.OH(), nw: s.OW()}, axis(s.KH), axis(s.KW), s.KW)
	q.finish()
}

func (c *Depthwise) planData() {
	s := c.ConvShape
	q := &c.data
	q.kernels, q.oh, q.ow, q.stride = micro.depthwise, s.H, s.W, s.Stride
	q.rowStep = 1
	g := dataCorrelationBorder(s)
	q.source = blockedImages{h: s.OH(), w: s.OW(), ch: s.IC, top: g.top, left: g.left, ph: g.ph, pw: g.pw}
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
	row := b.row(worker, 0)
	rows, loaded := ceilDiv(c.oh, c.stride), 0
	for r := 0; r < rows; r += bandRows {
		to := min(rows, r+bandRows)
		want := b.h
		if to < rows {
			want = min(b.h, max(loaded, (to-1)*c.rowStep+c.reach-b.top+1))
		}
		b.load(src, row, x, 0, loaded, want, in)
		loaded = want
		argsOf(worker).Fetch = uintptr(address(x)) + uintptr(want*b.w*b.ch*elem)
		for i := range c.phases {
			c.band(worker, y, src, &c.phases[i], r, min(to, c.phases[i].nh))
		}
	}
}

// band computes the rows [r,to) of a phase.
func (c *depthwiseSums) band(worker int, y, src []Float, p *dwPhase, r, to int) {
	if r >= to {
		return
	}
	ch := c.source.ch
	y = y[(r*c.stride+p.rh)*c.ow*ch:]
	if len(p.lines) == 0 {
		for i := range to - r {
			for x := p.rw; x < c.ow; x += c.stride {
				clear(y[(i*c.stride*c.ow+x)*ch:][:ch])
			}
		}
		return
	}
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
				a.NM, a.AStep, a.CStep = n/m, m*a.Sam, m*a.Ldc
				table[m](a)
				a.AOff, a.COff = a.AOff+a.NM*a.AStep, a.COff+a.NM*a.CStep
				n %= m
			}
		}
	}
}

// depthwiseGrad computes dw[kh][kw][c] = Σ x·g over the pixels of the batch, in chunks that are added in order.
type depthwiseGrad struct {
	source           blockedImages
	chunks, perChunk int
	length           int // of dw, rounded up
	rows             []int
	calls            []dwGradCall
	kernels          *depthwiseKernels
	lanes            int
}

// gradBandRows is bandRows for the gradient of the weights.
const gradBandRows = 8

// dwGradCall is one call of a grad kernel: kernel rows kh … kh+rows-1, columns kw, kw+step, … (taps of them), over the
// output pixels j0, j0+step of each row.
type dwGradCall struct {
	kh, rows        int
	kw, taps, kstep int
	j0, jstep, n    int
	source, pitch   int // bytes
	first           bool
}

func (c *Depthwise) planGrad() {
	s := c.ConvShape
	q := &c.grad
	m := micro
	q.kernels, q.lanes = m.depthwise, m.lanes
	q.source = blockedImages{images: 1, whole: true, h: s.H, w: s.W, ch: s.IC, top: s.Pad, left: s.Pad, ph: s.H + 2*s.Pad, pw: s.W + 2*s.Pad, micro: m}
	q.source.plan()
	q.perChunk = ceilDiv(s.N, min(s.N, gradUnits))
	q.chunks = ceilDiv(s.N, q.perChunk)
	q.length = ceilDiv(s.KH*s.KW*s.IC, 16) * 16
	needPartials(q.chunks * q.length)
	needScratch(q.source.need())
	for r := range s.OH() {
		q.rows = append(q.rows, r*s.Stride*q.source.pw*channelBlock*elem)
	}
	l := s.Stride * s.Dilation / gcd(s.Stride, s.Dilation)
	sets, groups := min(l/s.Stride, s.OW()), l/s.Dilation
	for j0 := range sets {
		for k0 := range min(groups, s.KW) {
			for k := k0; k < s.KW; {
				taps := q.kernels.supported(ceilDiv(s.KW-k, groups))
				for kh := 0; kh < s.KH; {
					rows := min(3, s.KH-kh)
					if s.KH-kh == 4 {
						rows = 2
					}
					for q.kernels.grad[taps][rows] == nil {
						rows--
					}
					q.calls = append(q.calls, dwGradCall{kh: kh, rows: rows, kw: k, taps: taps, kstep: groups, j0: j0, jstep: sets,
						n: ceilDiv(s.OW()-j0, sets), pitch: l * channelBlock * elem, first: j0 == 0,
						source: ((kh*q.source.pw+k)*s.Dilation + j0*s.Stride) * channelBlock * elem})
					kh += rows
				}
				k += taps * groups
			}
		}
	}
}

func (c *Depthwise) gradChunk(worker, unit int) {
	q := &c.grad
	s := c.ConvShape
	a := argsOf(worker)
	size := s.OH() * s.OW() * s.IC
	dst := partials[unit*q.length:][:q.length]
	b := &q.source
	src := b.reserve(worker, 0, claimScratch(worker, unsafe.Pointer(q)))
	row := b.row(worker, 0)
	a.NM, a.NR, a.ARow, a.AStep, a.CStep = 1, 1, 0, 0, 0
	a.Sak = s.Dilation * b.pw * channelBlock * elem
	for n := unit * q.perChunk; n < min(s.N, (unit+1)*q.perChunk); n++ {
		x, g := c.x[n*s.H*s.W*s.IC:][:s.H*s.W*s.IC], c.g[n*size:][:size]
		loaded := 0
		for r := 0; r < s.OH(); r += gradBandRows {
			to := min(s.OH(), r+gradBandRows)
			want := b.h
			if to < s.OH() {
				want = min(b.h, max(loaded, (to-1)*s.Stride+(s.KH-1)*s.Dilation-b.top+1))
			}
			b.load(src, row, x, 0, loaded, want, c.in)
			loaded = want
			a.NT, a.Taps = to-r, &q.rows[r]
			for off := 0; off < s.IC; off += q.lanes {
				a.tail(min(q.lanes, s.IC-off), micro)
				for i := range q.calls {
					k := &q.calls[i]
					a.Acc = 0
					if n > unit*q.perChunk || r > 0 || !k.first {
						a.Acc = 1
					}
					a.K, a.Sam = k.n, k.pitch
					a.Ldb = k.jstep * s.IC * elem
					a.BSkip = s.OW()*s.IC*elem - k.n*a.Ldb
					a.Ldc, a.CRow = k.kstep*s.IC*elem, s.KW*s.IC*elem
					a.A, a.AOff = address(src[off/channelBlock*b.blockLen:]), k.source+off%channelBlock*elem
					a.B, a.BOff = address(g[(r*s.OW()+k.j0)*s.IC+off:]), 0
					a.C, a.COff = address(dst[(k.kh*s.KW+k.kw)*s.IC+off:]), 0
					a.Fetch = uintptr(address(x)) + uintptr(want*b.w*b.ch*elem)
					q.kernels.grad[k.taps][k.rows](a)
				}
			}
		}
	}
}
