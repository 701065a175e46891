package kernels

import "unsafe"

// depthwiseGrad computes dw[kh][kw][c] = Σ x·g over the pixels of the batch, in chunks that are added in order.
type depthwiseGrad struct {
	shape            ConvShape // on the lattice
	source           lattice
	chunks, perChunk int
	length           int // of dw, rounded up
	copied, inPlace  dwLayout
	calls            []dwGradCall // on the source's bordered copy
	standing         []dwGradCall // on the image where it stands; nil if that is impossible
	kernels          *depthwiseKernels
	lanes            int
}

// gradBandRows is bandRows for the gradient of the weights.
const gradBandRows = 8

// dwGradCall is one call of a grad kernel: kernel rows kh … kh+rows-1, columns kw, kw+kstep, … (width of them), over the
// output pixels j0, j0+jstep, … (n of them) of each row. Like those of a dwLine, sets of equal size are visited in turn.
type dwGradCall struct {
	kh, rows         int
	kw, width, kstep int
	j0, jstep, n     int
	sets             int
	source, pitch    int   // bytes
	taps             []int // for each row and set of pixels, a dwTap for each kernel row and the offset in g
	nextTaps         int   // from an output row's taps to the next one's
	masks            dwEdges
	first            bool
}

func (c *Depthwise) planGrad() {
	q := &c.grad
	q.kernels, q.lanes = micro.depthwise, micro.lanes
	q.shape, q.source = c.lattice()
	q.source.plan()
	q.perChunk = ceilDiv(c.N, min(c.N, gradUnits))
	q.chunks = ceilDiv(c.N, q.perChunk)
	q.length = ceilDiv(c.KH*c.KW*c.IC, 16) * 16
	needPartials(q.chunks * q.length)
	q.copied = q.source.copied()
	q.calls, _ = q.lay(&q.copied, c.OH(), c.OW())
	if q.kernels.masks && q.source.inPlace() {
		q.inPlace = q.source.standing()
		if calls, ok := q.lay(&q.inPlace, c.OH(), c.OW()); ok {
			q.standing = calls
		}
	}
}

// lay works out the calls. It is false if the edges of the image meet the kernels' steps in a way that masks cannot express.
func (q *depthwiseGrad) lay(p *dwLayout, oh, ow int) (calls []dwGradCall, ok bool) {
	s := q.shape
	apart := s.Stride * s.Dilation // they have no common divisor
	jstep, groups, sets := min(s.Dilation, ow), s.Stride, 1
	if ow%jstep == 0 {
		sets = jstep
	}
	ok = true
	for j0 := 0; j0 < jstep; j0 += sets {
		for k0 := range min(groups, s.KW) {
			for k := k0; k < s.KW; {
				width := q.kernels.supported(ceilDiv(s.KW-k, groups))
				for kh := 0; kh < s.KH; {
					rows := min(3, s.KH-kh)
					if s.KH-kh == 4 {
						rows = 2
					}
					for q.kernels.grad[width][rows] == nil {
						rows--
					}
					l := dwGradCall{kh: kh, rows: rows, kw: k, width: width, kstep: groups, j0: j0, jstep: jstep, sets: sets,
						n: ceilDiv(ow-j0, jstep), pitch: apart * p.pixel, first: j0 == 0,
						source: p.origin + kh*s.Dilation*p.row + (k*s.Dilation+j0*s.Stride)*p.pixel}
					q.pixelTaps(p, &l, oh, ow)
					ok = q.edges(p, &l, apart) && ok
					calls = append(calls, l)
					kh += rows
				}
				k += width * groups
			}
		}
	}
	return calls, ok
}

// pixelTaps says where the pixels of each output row and set begin.
func (q *depthwiseGrad) pixelTaps(p *dwLayout, l *dwGradCall, oh, ow int) {
	s := q.shape
	zeros := 0
	if p.standing {
		zeros = p.zeroRow((l.n + l.width) * l.pitch / elem)
	}
	for r := range oh {
		for k := range l.sets {
			for i := range l.rows {
				at := r*s.Stride + (l.kh+i)*s.Dilation - q.source.top
				if p.standing && (at < 0 || at >= q.source.h) {
					l.taps = append(l.taps, zeros, 0)
				} else {
					l.taps = append(l.taps, (r*s.Stride+i*s.Dilation)*p.row+k*s.Stride*p.pixel, -1)
				}
			}
			l.taps = append(l.taps, (r%gradBandRows*ow+k)*s.IC*elem)
		}
	}
	l.nextTaps = len(l.taps) / oh
}

// edges works out the masks of a call, which are for the first and last few pixels of each row.
func (q *depthwiseGrad) edges(p *dwLayout, l *dwGradCall, apart int) bool {
	if !p.standing {
		l.masks, _ = edgesOf(l.width, 1, 0, 0)
		return true
	}
	s := q.shape
	from := l.kw*s.Dilation + l.j0*s.Stride
	left, right := q.source.beyond(from, apart, l.n+l.width-1)
	for k := 1; k < l.sets; k++ {
		if a, b := q.source.beyond(from+k*s.Stride, apart, l.n+l.width-1); a != left || b != right {
			return false
		}
	}
	e, ok := edgesOf(l.width, 1, left, right)
	l.masks = e
	return ok && l.n%gradPixelStep == 0
}

// gradPixelStep is the pixels that grad computes at a time where it has masks.
const gradPixelStep = 4

func (c *Depthwise) gradChunk(worker, unit int) {
	q := &c.grad
	dst := partials[unit*q.length:][:q.length]
	from := unit * q.perChunk
	for n := from; n < min(c.N, from+q.perChunk); n++ {
		size, gsize := c.H*c.W*c.IC, c.OH()*c.OW()*c.IC
		c.gradImage(worker, dst, c.x[n*size:][:size], c.g[n*gsize:][:gsize], c.in, n > from, nil)
	}
}

// gradImage writes one image's share of the gradient to dst, or adds it. For soon see depthwiseSums.image.
func (c *Depthwise) gradImage(worker int, dst, x, g []Float, in *Affine, add bool, soon []Float) {
	q := &c.grad
	oh, ow, ch := c.OH(), c.OW(), c.IC
	a := argsOf(worker)
	b := &q.source
	layout, calls := &q.inPlace, q.standing
	var copies, row []Float
	if in != nil || calls == nil {
		layout, calls = &q.copied, q.calls
		copies, row = b.reserve(worker, 0, claimScratch(worker, unsafe.Pointer(q))), b.row(worker)
	}
	a.NM, a.NR, a.ARow, a.AStep, a.CStep = 1, 1, 0, 0, 0
	a.Fetch = uintptr(address(soon))
	loaded := 0
	for r := 0; r < oh; r += gradBandRows {
		to := min(oh, r+gradBandRows)
		want := b.h
		if to < oh {
			want = min(b.h, max(loaded, (to-1)*q.shape.Stride+(c.KH-1)*q.shape.Dilation-b.top+1))
		}
		src := x
		if copies != nil {
			b.load(copies, row, x, loaded, want, in)
			src = copies
		}
		loaded = want
		if soon == nil {
			a.Fetch = b.ahead(x, want)
		}
		a.Ahead = ow * ch * elem
		for off := 0; off < ch; off += q.lanes {
			a.tail(min(q.lanes, ch-off), micro)
			for i := range calls {
				k := &calls[i]
				a.Acc = 0
				if add || r > 0 || !k.first {
					a.Acc = 1
				}
				a.NT, a.Taps, a.Sak = (to-r)*k.sets, &k.taps[r*k.nextTaps], int(k.masks)
				a.K, a.Sam, a.Ldb = k.n, k.pitch, k.jstep*ch*elem
				a.Ldc, a.CRow = k.kstep*ch*elem, c.KW*ch*elem
				a.A, a.AOff = address(src[off/channelBlock*layout.block:]), k.source+off%channelBlock*elem
				a.B, a.BOff = address(g[(r*ow+k.j0)*ch+off:]), 0
				a.C, a.COff = address(dst[(k.kh*c.KW+k.kw)*ch+off:]), 0
				q.kernels.grad[k.width][k.rows](a)
			}
		}
	}
}
