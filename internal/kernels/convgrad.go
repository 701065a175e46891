package kernels

// gradPixels is about how many pixels one call of a microkernel sums up.
const gradPixels = 512

// gradUnits is about how many units the gradient of a convolution's weights is cut into.
const gradUnits = 16

// weightGradient computes dw[tap][ic][oc] = Σ x·g over the pixels of the batch. Its units are pairs of a chunk of the
// batch and a block of output channels; the chunks' sums are added in order at the end.
//
// x is first copied into bordered images of channelBlock channels, one after the other, and g into panels of as many
// channels as a microkernel takes: in the tensors, neighbouring pixels of wide layers stand a power of two bytes apart,
// and would share a few lines of the cache.
type weightGradient struct {
	s                  ConvShape
	input              blockedImages
	flat               bool // see correlation
	images             int  // images that one call of a microkernel covers, at most
	chunks, blocks     int
	perChunk, perBlock int // images, panels
	panelLen           int // elements of one panel of `images` images of g
	slide              bool
	rows               []int // byte offset of the source row of each output row of `images` images
	panels             []panel
	dw                 []Float
	length             int // of dw, rounded up
	sumUnit            func(worker, unit int)
	micro              *microkernels
}

func planWeightGradient(s ConvShape, f *correlation) *weightGradient {
	q := &weightGradient{s: s, micro: micro}
	pixels := s.OH() * s.OW()
	q.panels = q.micro.columns(s.OC, false)
	q.perBlock = len(q.panels)
	if s.OC > 128 {
		q.perBlock = max(1, 128/q.panels[0].cols)
	}
	q.blocks = ceilDiv(len(q.panels), q.perBlock)
	q.perChunk = ceilDiv(s.N, min(s.N, ceilDiv(gradUnits, q.blocks)))
	q.chunks = ceilDiv(s.N, q.perChunk)
	q.images = min(q.perChunk, ceilDiv(gradPixels, pixels))
	q.slide = s.KW == 3 && s.Dilation == 1 && s.Stride <= 2 && q.micro.grad[1] != nil
	q.input = blockedImages{images: q.images, h: s.H, w: s.W, ch: s.IC, top: f.top, left: f.left, ph: f.ph, pw: f.pw, micro: q.micro}
	q.input.plan()
	q.flat = f.flat
	for i := range q.images {
		for r := range s.OH() {
			q.rows = append(q.rows, (i*f.ph+r*s.Stride)*f.pw*q.input.width*elem)
		}
	}
	q.panelLen = q.images * pixels * q.panels[0].nv * q.micro.lanes
	q.length = ceilDiv(s.WLen(), 16) * 16
	if q.chunks > 1 {
		needPartials(q.chunks * q.length)
	}
	q.sumUnit = q.sum
	return q
}

func (q *weightGradient) units() int                    { return q.chunks * q.blocks }
func (q *weightGradient) unit(i int) (chunk, block int) { return i % q.chunks, i / q.chunks }
func (q *weightGradient) chunk(i int) (from, to int) {
	return i * q.perChunk, min(q.s.N, (i+1)*q.perChunk)
}
func (q *weightGradient) begin(dw []Float) { q.dw = dw }

// scratch is what a worker needs: the input's blocks, a panel of g, a row of the input.
func (q *weightGradient) scratch() int {
	return q.input.need() + q.perBlock*q.panelLen + 2*scratchGap
}

// add computes one block's share of n images: x (n,H,W,IC) passes in, if it is not nil; g has images gsize apart, with
// rows of pitch pixels, of which the first OW count. It adds to the chunk's sums if acc, else it begins them.
func (q *weightGradient) add(worker, chunk, block int, x []Float, in *Affine, g []Float, n, gsize, pitch, offset int, clean, acc bool) {
	a := argsOf(worker)
	s := q.s
	gp := scratchOf(worker, offset, q.perBlock*q.panelLen)
	src, b := x, &q.input
	if in != nil || !b.inPlace() {
		offset += q.perBlock*q.panelLen + scratchGap
		src = b.reserve(worker, offset, clean)
		row, size := b.row(worker, offset), s.H*s.W*s.IC
		for i := range n {
			b.load(src, row, x[i*size:][:size], i, 0, s.H, in)
		}
	}
	dst := q.dw
	if q.chunks > 1 {
		dst = partials[chunk*q.length:][:q.length]
	}
	pixels := s.OH() * s.OW()
	a.NR, a.ARow, a.BSkip = 1, 0, 0
	a.Ldc = s.OC * elem
	panels := q.panels[block*q.perBlock : min((block+1)*q.perBlock, len(q.panels))]
	compact := pitch == s.OW() && gsize == pixels*s.OC && panels[0].cols == s.OC
	if !compact {
		q.panelGradient(gp, g, panels, n, gsize, pitch)
	}
	for j := range panels {
		c := &panels[j]
		a.tail(c.cols-(c.nv-1)*q.micro.lanes, q.micro)
		if compact {
			a.B, a.BOff, a.Ldb = address(g), 0, s.OC*elem
		} else {
			a.B, a.BOff, a.Ldb = address(gp[j*q.panelLen:]), 0, c.nv*q.micro.lanes*elem
		}
		a.Taps, a.NT, a.K = &q.rows[0], n*s.OH(), s.OW()
		if q.flat {
			a.NT, a.K = 1, n*pixels
		}
		q.kernel(a, c, src, dst, acc)
	}
}

// panelGradient arranges the panels' channels of n images of g one panel after the other, panelLen apart.
func (q *weightGradient) panelGradient(dst, g []Float, panels []panel, n, gsize, pitch int) {
	s := q.s
	for from := 0; from < len(panels); {
		width, to, channels := panels[from].nv*q.micro.lanes, from, 0
		for to < len(panels) && panels[to].nv == panels[from].nv {
			channels += panels[to].cols
			to++
		}
		for i := range n {
			for r := 0; r < s.OH(); r++ {
				rows := 1
				if pitch == s.OW() {
					rows = s.OH()
				}
				q.micro.scatter(dst[from*q.panelLen+(i*s.OH()+r)*s.OW()*width:], g[i*gsize+r*pitch*s.OC+panels[from].off:], rows*s.OW(),
					channels, width, q.panelLen, s.OC)
				r += rows - 1
			}
		}
		from = to
	}
}

// kernel visits all kernel positions.
func (q *weightGradient) kernel(a *gemmArgs, c *panel, src, dst []Float, acc bool) {
	a.Acc = 0
	if acc {
		a.Acc = 1
	}
	table := q.micro.gemm[c.nv]
	kernels := q.s.KW
	if q.slide {
		kernels = 1
		table = q.micro.grad[c.nv]
		if q.s.Stride == 2 {
			table = q.micro.grad2[c.nv]
		}
	}
	for b := 0; b < q.s.IC; b += q.input.width {
		for kh := range q.s.KH {
			for kw := range kernels {
				q.tap(a, c, table, src, dst, b, kh, kw)
			}
		}
	}
}

// tap computes the rows of dw of kernel position (kh,kw), or of the kernel row kh if the table slides, from the block of
// input channels that begins with b.
func (q *weightGradient) tap(a *gemmArgs, c *panel, table []func(*gemmArgs), src, dst []Float, b, kh, kw int) {
	s := q.s
	width := min(q.input.width, s.IC-b)
	a.A, a.AOff = address(src), (b/q.input.width*q.input.blockLen+(kh*q.input.pw+kw)*s.Dilation*q.input.width)*elem
	a.C, a.COff = address(dst[((kh*s.KW+kw)*s.IC+b)*s.OC+c.off:]), 0
	if q.slide {
		a.Sam, a.Sak, a.CRow = q.input.width*elem, 0, s.IC*a.Ldc
	} else {
		a.Sam, a.Sak, a.CRow, a.Ahead = elem, s.Stride*q.input.width*elem, 0, 512
	}
	for width > 0 {
		m := tile(width, table)
		a.NM, a.AStep, a.CStep = width/m, m*elem, m*a.Ldc
		table[m](a)
		a.AOff, a.COff = a.AOff+a.NM*a.AStep, a.COff+a.NM*a.CStep
		width %= m
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
