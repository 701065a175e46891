package kernels

import "unsafe"

// depthwiseGrad computes dw[kh][kw][c] = Σ x·g over the pixels of the batch, in chunks that are added in order.
type depthwiseGrad struct {
	shape            ConvShape // on the lattice
	source           lattice
	chunks, perChunk int
	length           int // of dw, rounded up
	rows             []dwGradRow
	together         int // elements of rows for each output row
	calls            []dwGradCall
	kernels          *depthwiseKernels
	lanes            int
}

// gradBandRows is bandRows for the gradient of the weights.
const gradBandRows = 8

// dwGradRow is where the pixels of a kernel's tap begin, in bytes: in the source, and in the band's rows of g.
type dwGradRow struct{ a, b int }

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
	q := &c.grad
	q.kernels, q.lanes = micro.depthwise, micro.lanes
	q.shape, q.source = c.lattice()
	q.source.plan()
	s := q.shape
	oh, ow := c.OH(), c.OW()
	q.perChunk = ceilDiv(s.N, min(s.N, gradUnits))
	q.chunks = ceilDiv(s.N, q.perChunk)
	q.length = ceilDiv(s.KH*s.KW*s.IC, 16) * 16
	needPartials(q.chunks * q.length)
	l := s.Stride * s.Dilation // they have no common divisor
	jstep, groups := min(s.Dilation, ow), s.Stride
	q.together = 1
	if ow%jstep == 0 {
		q.together = jstep
	}
	for r := range oh {
		for j := range q.together {
			q.rows = append(q.rows, dwGradRow{(r*q.source.pw + j) * s.Stride * channelBlock * elem, (r%gradBandRows*ow + j) * s.IC * elem})
		}
	}
	for j0 := 0; j0 < jstep; j0 += q.together {
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
					q.calls = append(q.calls, dwGradCall{kh: kh, rows: rows, kw: k, taps: taps, kstep: groups, j0: j0, jstep: jstep,
						n: ceilDiv(ow-j0, jstep), pitch: l * channelBlock * elem, first: j0 == 0,
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
	s := &q.shape
	oh, ow := c.OH(), c.OW()
	a := argsOf(worker)
	size := oh * ow * s.IC
	dst := partials[unit*q.length:][:q.length]
	b := &q.source
	src := b.reserve(worker, 0, claimScratch(worker, unsafe.Pointer(q)))
	row := b.row(worker)
	a.NM, a.NR, a.ARow, a.AStep, a.CStep = 1, 1, 0, 0, 0
	a.Sak = s.Dilation * b.pw * channelBlock * elem
	for n := unit * q.perChunk; n < min(s.N, (unit+1)*q.perChunk); n++ {
		x, g := c.x[n*c.H*c.W*c.IC:][:c.H*c.W*c.IC], c.g[n*size:][:size]
		loaded := 0
		for r := 0; r < oh; r += gradBandRows {
			to := min(oh, r+gradBandRows)
			want := b.h
			if to < oh {
				want = min(b.h, max(loaded, (to-1)*s.Stride+(s.KH-1)*s.Dilation-b.top+1))
			}
			b.load(src, row, x, loaded, want, c.in)
			loaded = want
			a.NT, a.Taps = (to-r)*q.together, &q.rows[r*q.together].a
			a.Fetch, a.Ahead = b.ahead(x, want), ow*s.IC*elem
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
					a.Ldc, a.CRow = k.kstep*s.IC*elem, s.KW*s.IC*elem
					a.A, a.AOff = address(src[off/channelBlock*b.blockLen:]), k.source+off%channelBlock*elem
					a.B, a.BOff = address(g[(r*ow+k.j0)*s.IC+off:]), 0
					a.C, a.COff = address(dst[(k.kh*s.KW+k.kw)*s.IC+off:]), 0
					q.kernels.grad[k.taps][k.rows](a)
				}
			}
		}
	}
}
