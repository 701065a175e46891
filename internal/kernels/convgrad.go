package kernels

// gradPixels is about how many pixels one call of add sums up.
const gradPixels = 512

// gradUnits is about how many units the gradient of a convolution's weights is cut into.
const gradUnits = 16

// chunkPixels is about how many pixels a chunk of the batch has, or more, where that leaves gradUnits/2 chunks: to add up the
// sums of smaller ones takes some per cent of the time.
const chunkPixels = 1024

// weightGradient computes dw[tap][ic][oc] = Σ x·g over the pixels of the batch. Its units are pairs of a chunk of the
// batch and a block of channels of x and g; the chunks' sums are added in order at the end.
//
// With one kernel position and no border that is a product of matrices, which convgrad_product.go computes where vectors are
// long; the rest is in convgrad_window.go.
type weightGradient struct {
	s              ConvShape
	images         int // images that one call of add covers, at most
	chunks, blocks int
	perChunk       int     // images
	inBlock        int     // channels of x of a block; all, or a divisor
	perBlock       int     // panels of g of a block
	panels         []panel // of g's channels (of x's, if swapped)
	input          blockedImages
	flat           bool // see correlation
	product        bool
	swapped        bool  // of a product: the sums are (OC,IC)
	columns        int   // of a product
	slide          bool  // of windows: grad or grad2 takes three neighbours at once
	joined         bool  // of windows: the kernel columns of few channels are neighbours, and rows of one product
	panelLen       int   // elements of one panel of what arrange copies at a time
	rows           []int // byte offset of the source row of each output row of `images` images
	dw             []Float
	length         int // of dw, rounded up
	partialsAt     int // where its partial sums begin
	sumUnit        func(worker, unit int)
	micro          *microkernels
}

func planWeightGradient(s ConvShape, f *correlation) *weightGradient {
	q := &weightGradient{s: s, flat: f.flat, inBlock: s.IC, length: ceilDiv(s.WLen(), 16) * 16, micro: micro}
	q.sumUnit = q.sum
	pixels := s.OH() * s.OW()
	least := max(1, min(ceilDiv(chunkPixels, pixels), s.N/(gradUnits/2))) // images of a chunk
	pointwise := s.KH == 1 && s.KW == 1 && s.Pad == 0
	if pointwise {
		least = min(s.N, ceilDiv(productPixels, pixels))
	}
	q.product = pointwise && q.micro.windowPixels == 0
	if q.product {
		q.planProduct()
	} else {
		q.planWindows()
	}
	q.blocks = s.IC / q.inBlock * ceilDiv(len(q.panels), q.perBlock)
	q.perChunk = max(least, ceilDiv(s.N, min(s.N, ceilDiv(gradUnits, q.blocks))))
	q.chunks = ceilDiv(s.N, q.perChunk)
	q.images = min(q.perChunk, ceilDiv(gradPixels, pixels))
	q.input = blockedImages{images: q.images, h: s.H, w: s.W, ch: q.inBlock, pitch: s.IC, top: f.top, left: f.left, ph: f.ph, pw: f.pw,
		plain: q.product, micro: q.micro}
	q.input.plan()
	for i := range q.images {
		for r := range s.OH() {
			q.rows = append(q.rows, (i*f.ph+r*s.Stride)*f.pw*q.input.width*elem)
		}
	}
	if !q.product {
		q.panelLen = q.images * pixels * q.panels[0].nv * q.micro.lanes
	} else if q.arranged() {
		q.panelLen = max(productPixels, s.OW()) * q.panels[0].nv * q.micro.lanes
	}
	if q.partial() {
		needPartials(q.chunks * q.length)
	}
	return q
}

func (q *weightGradient) units() int                    { return q.chunks * q.blocks }
func (q *weightGradient) unit(i int) (chunk, block int) { return i % q.chunks, i / q.chunks }
func (q *weightGradient) chunk(i int) (from, to int) {
	return i * q.perChunk, min(q.s.N, (i+1)*q.perChunk)
}
func (q *weightGradient) begin(dw []Float) { q.dw = dw }

// partial says that the sums go through partials.
func (q *weightGradient) partial() bool { return q.chunks > 1 || q.swapped }

// together says that a chunk is a good unit for all blocks: there are enough, and the blocks share x.
func (q *weightGradient) together() bool {
	return q.blocks == 1 || q.inBlock == q.s.IC && q.chunks >= gradUnits/2
}

// scratch is what a worker needs: the input's blocks, panels of g, a row of the input.
func (q *weightGradient) scratch() int {
	return q.input.need() + q.perBlock*q.panelLen + 2*scratchGap
}

// add computes the blocks' share of n images: x (n,H,W,IC) passes in, if it is not nil; g has images gsize apart, with rows
// of pitch pixels, of which the first OW count. It adds to the chunk's sums if acc, else it begins them. The blocks have
// the same channels of x.
func (q *weightGradient) add(worker, chunk, from, to int, x []Float, in *Affine, g []Float, n, gsize, pitch, offset int, clean, acc bool) {
	a := argsOf(worker)
	s := q.s
	perInput := ceilDiv(len(q.panels), q.perBlock) // blocks that have the same channels of x
	channel := from / perInput * q.inBlock
	gp := scratchOf(worker, offset, q.perBlock*q.panelLen)
	src, b := x, &q.input
	if in != nil || !b.inPlace() {
		offset += q.perBlock*q.panelLen + scratchGap
		src = b.reserve(worker, offset, clean)
		row, size := b.row(worker, offset), s.H*s.W*s.IC
		for i := range n {
			b.load(src, row, x[i*size+channel:], i, 0, s.H, in)
		}
	}
	dst := q.dw
	if q.partial() {
		dst = partials[q.partialsAt+chunk*q.length:][:q.length]
	}
	for block := from; block < to; block++ {
		a.Acc = 0 // multiply and correlate set it
		if acc {
			a.Acc = 1
		}
		first := block % perInput * q.perBlock
		panels := q.panels[first:min(first+q.perBlock, len(q.panels))]
		if q.product {
			q.multiply(a, panels, src, g, gp, dst, n)
		} else {
			q.correlate(a, panels, src, g, gp, dst, n, gsize, pitch, channel)
		}
	}
}

// arrange copies n pixels of `channels` channels to panels of whole vectors, from pixel `at` on; the panels stand panelLen
// apart.
func (q *weightGradient) arrange(dst, g []Float, panels []panel, at, n, channels int) {
	for from := 0; from < len(panels); {
		width, to, live := panels[from].nv*q.micro.lanes, from, 0
		for to < len(panels) && panels[to].nv == panels[from].nv {
			live += panels[to].cols
			to++
		}
		q.micro.scatter(dst[from*q.panelLen+at*width:], g[panels[from].off:], n, live, width, q.panelLen, channels)
		from = to
	}
}

// sumBlock is the number of elements of dw that one unit of finish adds up.
const sumBlock = 4096

// finish adds the chunks' sums in order.
func (q *weightGradient) finish() {
	if q.partial() {
		Parallel(ceilDiv(q.s.WLen(), sumBlock), q.sumUnit)
	}
}

func (q *weightGradient) sum(_, unit int) {
	from := unit * sumBlock
	n := min(sumBlock, q.s.WLen()-from)
	src := partials[q.partialsAt+from:]
	if !q.swapped {
		q.micro.sum(q.dw[from:][:n], src, q.chunks, q.length)
		return
	}
	q.micro.sum(src[:n], src, q.chunks, q.length)
	for i, v := range src[:n] {
		oc, ic := (from+i)/q.s.IC, (from+i)%q.s.IC
		q.dw[ic*q.s.OC+oc] = v
	}
}
