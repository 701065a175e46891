package kernels

import "unsafe"

// gradUnits is about how many units the gradient of a convolution's weights is cut into.
const gradUnits = 16

// channelBlock is the number of channels that stand together in the scratch images of weightGradient.
const channelBlock = 16

// weightGradient computes dw[tap][ic][oc] = Σ x·g over the pixels of the batch. Its units are pairs of a chunk of the
// batch and a block of output channels; the chunks' sums are added in order at the end.
//
// x is first copied into bordered images of channelBlock channels, one after the other, and g into panels of as many
// channels as a microkernel takes: in the tensors, neighbouring pixels of wide layers stand a power of two bytes apart,
// and would share a few lines of the cache.
type weightGradient struct {
	s                  ConvShape
	f                  *correlation // the geometry of the bordered input
	images             int          // images that one call of a microkernel covers, at most
	chunks, blocks     int
	perChunk, perBlock int // images, panels
	width              int // of a block of input channels
	blockLen           int // elements of one block of `images` bordered images
	inputLen           int // elements of all blocks
	slide              bool
	rows               []int // byte offset of the source row of each output row of `images` images
	panels             []panel
	dw                 []Float
	length             int // of dw, rounded up
	sumUnit            func(worker, unit int)
	micro              *microkernels
}

func planWeightGradient(s ConvShape, f *correlation) *weightGradient {
	q := &weightGradient{s: s, f: f, micro: micro}
	pixels := s.OH() * s.OW()
	q.images = max(1, min(8, ceilDiv(128, pixels)))
	q.panels = q.micro.columns(s.OC, false)
	q.perBlock = len(q.panels)
	if s.OC > 64 {
		q.perBlock = max(1, 64/q.panels[0].cols)
	}
	q.blocks = ceilDiv(len(q.panels), q.perBlock)
	q.chunks = max(1, min(ceilDiv(gradUnits, q.blocks), ceilDiv(s.N, q.images)))
	q.perChunk = ceilDiv(s.N, q.chunks)
	q.chunks = ceilDiv(s.N, q.perChunk)
	q.slide = s.KW == 3 && s.Dilation == 1 && s.Stride <= 2 && q.micro.grad[1] != nil
	q.width = min(channelBlock, s.IC)
	q.blockLen = q.images * f.ph * f.pw * q.width
	q.inputLen = ceilDiv(s.IC, q.width) * q.blockLen
	for i := range q.images {
		for r := range s.OH() {
			q.rows = append(q.rows, (i*f.ph+r*s.Stride)*f.pw*q.width*elem)
		}
	}
	if f.flat {
		q.rows = q.rows[:1]
	}
	q.length = ceilDiv(s.WLen(), 16) * 16
	if q.chunks > 1 {
		needPartials(q.chunks * q.length)
	}
	q.sumUnit = q.sum
	return q
}

func (q *weightGradient) units() int                    { return q.chunks * q.blocks }
func (q *weightGradient) unit(i int) (chunk, block int) { return i % q.chunks, i / q.chunks }
func (q *weightGradient) chunk(i int) (from, to int)    { return i * q.perChunk, min(q.s.N, (i+1)*q.perChunk) }
func (q *weightGradient) begin(dw []Float)              { q.dw = dw }

// scratch is what a worker needs: the input's blocks, a panel of g, a row of the input.
func (q *weightGradient) scratch() int {
	return q.inputLen + q.panelLen() + q.s.W*q.s.IC + 3*scratchGap
}

func (q *weightGradient) panelLen() int {
	return q.images * q.s.OH() * q.s.OW() * 2 * q.micro.lanes
}

// load copies n images of x, through in if it is not nil, into blocks of channels in dst.
func (q *weightGradient) load(dst, row, x []Float, n int, in *Affine) {
	f, s, width := q.f, q.s, q.width
	if !f.direct {
		q.border(dst, n)
	}
	for i := range n {
		for r := range s.H {
			src := x[(i*s.H+r)*s.W*s.IC:][:s.W*s.IC]
			at := ((i*f.ph+r+f.top)*f.pw + f.left) * width
			if width == s.IC {
				if in != nil {
					in.rows(dst[at:][:len(src)], src, s.W, s.IC)
				} else {
					copy(dst[at:], src)
				}
				continue
			}
			if in != nil {
				in.rows(row, src, s.W, s.IC)
				src = row
			}
			for c := 0; c < s.IC; c += width {
				q.micro.pieces(dst[at:], src[c:], s.W, min(width, s.IC-c), width, s.IC)
				at += q.blockLen
			}
		}
	}
}

// border clears what load does not write of n images.
func (q *weightGradient) border(dst []Float, n int) {
	f := q.f
	for b := 0; b < q.inputLen; b += q.blockLen {
		block := dst[b:][:n*f.ph*f.pw*q.width]
		at := 0
		for i := range n {
			for r := range f.h {
				start := ((i*f.ph+r+f.top)*f.pw + f.left) * q.width
				clear(block[at:start])
				at = start + f.w*q.width
			}
		}
		clear(block[at:])
	}
}

// add computes one block's share of n images: x (n,H,W,IC) passes in, if it is not nil; g has images gsize apart, with
// rows of pitch pixels, of which the first OW count. It adds to the chunk's sums if acc, else it begins them.
func (q *weightGradient) add(worker, chunk, block int, x []Float, in *Affine, g []Float, n, gsize, pitch, offset int, acc bool) {
	a := argsOf(worker)
	s := q.s
	src := scratchOf(worker, offset, q.inputLen)
	gp := scratchOf(worker, offset+q.inputLen+scratchGap, q.panelLen())
	if q.f.direct && q.width == s.IC && in == nil {
		src = x
	} else {
		q.load(src, scratchOf(worker, offset+q.inputLen+q.panelLen()+2*scratchGap, s.W*s.IC), x, n, in)
	}
	dst := q.dw
	if q.chunks > 1 {
		dst = partials[chunk*q.length:][:q.length]
	}
	pixels := s.OH() * s.OW()
	a.NR, a.ARow, a.CRow = 1, 0, 0
	a.Taps, a.NT, a.K, a.BSkip = &q.rows[0], n*s.OH(), s.OW(), 0
	if q.f.flat {
		a.NT, a.K = 1, n*pixels
	}
	a.Ldc = s.OC * elem
	a.Acc = 0
	if acc {
		a.Acc = 1
	}
	for j := block * q.perBlock; j < min((block+1)*q.perBlock, len(q.panels)); j++ {
		c := &q.panels[j]
		a.tail(c.cols-(c.nv-1)*q.micro.lanes, q.micro)
		if pitch == s.OW() && gsize == pixels*s.OC && c.cols == s.OC {
			a.B, a.Ldb = address(g), s.OC*elem
		} else {
			q.panel(gp, g[c.off:], n, gsize, pitch, c.cols)
			a.B, a.Ldb = address(gp), c.cols*elem
		}
		for kh := range s.KH {
			if q.slide {
				q.taps(a, c, src, dst, kh, 0)
				continue
			}
			for kw := range s.KW {
				q.taps(a, c, src, dst, kh, kw)
			}
		}
	}
}

// panel copies cols channels of n images of g side by side.
func (q *weightGradient) panel(dst, g []Float, n, gsize, pitch, cols int) {
	s := q.s
	for i := range n {
		for r := range s.OH() {
			src := g[i*gsize+r*pitch*s.OC:]
			for c := 0; c < cols; c += channelBlock {
				q.micro.pieces(dst[(i*s.OH()+r)*s.OW()*cols+c:], src[c:], s.OW(), min(channelBlock, cols-c), cols, s.OC)
			}
		}
	}
}

// taps computes the rows of dw of kernel position (kh,kw), or of the whole kernel row kh, for one panel.
func (q *weightGradient) taps(a *gemmArgs, c *panel, src, dst []Float, kh, kw int) {
	s := q.s
	table := q.micro.gemm[c.nv]
	switch {
	case q.slide && s.Stride == 1:
		table = q.micro.grad[c.nv]
	case q.slide:
		table = q.micro.grad2[c.nv]
	}
	for b := 0; b < s.IC; b += q.width {
		width := min(q.width, s.IC-b)
		from := unsafe.Add(address(src), (b/q.width*q.blockLen+(kh*q.f.pw+kw)*s.Dilation*q.width)*elem)
		to := address(dst[((kh*s.KW+kw)*s.IC+b)*s.OC+c.off:])
		tiles := ceilDiv(width, len(table)-1)
		m := ceilDiv(width, tiles)
		if q.slide {
			a.Sam, a.Sak, a.CStep, a.NM, a.AStep = q.width*elem, 0, s.IC*a.Ldc, 1, 0
			for i := 0; i < width; i += m {
				a.A, a.C = unsafe.Add(from, i*elem), unsafe.Add(to, i*a.Ldc)
				table[min(m, width-i)](a)
			}
			continue
		}
		full := width / m
		a.Sam, a.Sak = elem, s.Stride*q.width*elem
		a.A, a.C, a.NM, a.AStep, a.CStep = from, to, full, m*elem, m*a.Ldc
		table[m](a)
		if rest := width - full*m; rest > 0 {
			a.A, a.C, a.NM = unsafe.Add(from, full*a.AStep), unsafe.Add(to, full*a.CStep), 1
			table[rest](a)
		}
	}
}

// sumBlock is the number of elements of dw that one unit of finish adds up.
const sumBlock = 4096

// finish adds the chunks' sums in order.
func (q *weightGradient) finish() {
	if q.chunks > 1 {
		Parallel(ceilDiv(q.length, sumBlock), q.sumUnit)
	}
}

func (q *weightGradient) sum(_, unit int) {
	from := unit * sumBlock
	n := min(sumBlock, len(q.dw)-from)
	q.micro.sum(q.dw[from:][:n], partials[from:], q.chunks, q.length)
}
