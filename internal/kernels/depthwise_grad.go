package kernels

import "unsafe"

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
