package kernels

// gatherPixels is about how many pixels a product of gathered pixels sums up: so many of a block of x and a panel of g stay
// in a first-level cache, and adding to dw costs little.
const gatherPixels = 256

// gatherChannels is the least number of input channels that are gathered: fewer would leave vectors empty.
const gatherChannels = 8

// inPlaceGathered is up to how many channels g is read where it stands, see inPlaceOutputs.
const inPlaceGathered = 32

// gathered copies pixels of x so that the gradient of the weights becomes products of matrices with many pixels each: for
// each kernel column kw the pixels that it meets, those of a row one after the other, without borders between rows. Rows
// that meet the same kernel rows follow each other, whatever stride and dilation are:
//
//	dst[block][kw][row][image][OW][channelBlock]
//
// holds the padded image's rows of residue 0 modulo the stride, then those of residue 1, …, as far as kernel rows reach
// them. A piece of x is the rows that some output rows meet.
type gathered struct {
	rows                       int   // output rows of a piece, at most; pixels, if flat: then any that follow each other are a piece
	starts                     []int // kernel row: slot of the row that the piece's first output row meets there
	residues                   []residue
	width                      int // channels of a block
	slot, column, block, total int // elements of a row of all images, of a kernel column, of a block, of a piece
}

// residue is the rows r·Stride+of of the padded image, r from the piece's first output row on, that some kernel row meets.
type residue struct {
	of, slot int
	extra    int // rows besides one for each output row
}

// planPieces lays out the pieces.
func (q *weightGradient) planPieces() {
	s, p := q.s, &q.from
	pixels := s.OH() * s.OW()
	q.images = max(1, gatherPixels/pixels)
	q.images = ceilDiv(q.perChunk, ceilDiv(q.perChunk, q.images))
	p.width = channelBlock
	if q.flat {
		p.rows, p.slot = gatherPixels, p.width
		if s.IC < channelBlock {
			p.width = s.IC
		}
		q.rows, p.starts, p.column = []int{0}, []int{0}, gatherPixels*p.width
		q.panelLen = gatherPixels
	} else {
		p.rows = ceilDiv(s.OH(), ceilDiv(pixels, max(gatherPixels, s.OW())))
		p.slot = q.images * s.OW() * p.width
		p.column = p.planRows(s) * p.slot
		for r := range p.rows {
			q.rows = append(q.rows, r*p.slot*elem)
		}
		q.panelLen = q.images * p.rows * s.OW()
	}
	q.panelLen *= q.panels[0].nv * q.micro.lanes
	p.block = s.KW * p.column
	p.total = ceilDiv(q.inBlock, p.width) * p.block
}

// planRows gives each row of the padded image that a piece holds a slot, and returns their number.
func (p *gathered) planRows(s ConvShape) (slots int) {
	p.starts = make([]int, s.KH)
	for of := range s.Stride {
		extra := -1
		for kh := range s.KH {
			if kh*s.Dilation%s.Stride == of {
				extra = kh * s.Dilation / s.Stride
				p.starts[kh] = slots + extra
			}
		}
		if extra >= 0 {
			p.residues = append(p.residues, residue{of, slots, extra})
			slots += p.rows + extra
		}
	}
	return slots
}

// addGathered is add for gathered pixels.
func (q *weightGradient) addGathered(worker, from, to int, x []Float, in *Affine, g, dst []Float, n, gsize, pitch, offset, channel int) {
	s, p := q.s, &q.from
	gp := scratchOf(worker, offset, q.perBlock*q.panelLen)
	offset += q.perBlock*q.panelLen + scratchGap
	src := scratchOf(worker, offset, p.total)
	row := scratchOf(worker, offset+p.total+scratchGap, q.rowLen())
	a := argsOf(worker)
	rows := s.OH()
	if q.flat {
		rows = n * s.OH() * s.OW()
	}
	for r := 0; r < rows; r += p.rows {
		count := min(p.rows, rows-r)
		piece := src
		switch {
		case q.flat && in == nil && s.IC == p.width:
			piece = x[r*s.IC:]
		case q.flat:
			q.gatherFlat(src, row, x[r*s.IC:], count, channel, in)
		default:
			q.gatherRows(src, row, x, n, r, count, channel, in)
		}
		a.NR, a.ARow, a.BSkip = 1, 0, 0
		a.Sam, a.Sak, a.Ldc = elem, p.width*elem, s.OC*elem
		a.Ahead, a.AheadStep = 8*a.Sak, a.Sak
		a.Taps, a.NT, a.K = &q.rows[0], 1, count
		switch {
		case q.flat:
		case n == q.images:
			a.K = count * n * s.OW()
		default:
			a.NT, a.K = count, n*s.OW()
		}
		for block := from; block < to; block++ {
			q.multiplyGathered(a, q.blockPanels(block), piece, g, gp, dst, n, r, count, gsize, pitch, channel)
		}
		a.Acc = 1
	}
}

// multiplyGathered adds the products of a piece, output rows [r,r+count), with panels of g.
func (q *weightGradient) multiplyGathered(a *gemmArgs, panels []panel, src, g, gp, dst []Float, n, r, count, gsize, pitch, channel int) {
	s, p := q.s, &q.from
	inPlace := s.OC <= inPlaceGathered && s.OC%q.micro.lanes == 0 && (q.flat || n == 1 && pitch == s.OW())
	at := r * pitch * s.OC // of the piece in g
	if q.flat {
		at = r * s.OC
	}
	switch {
	case inPlace:
	case q.flat:
		q.arrange(gp, g[at:], panels, 0, count, s.OC)
	case n == 1 && pitch == s.OW():
		q.arrange(gp, g[at:], panels, 0, count*s.OW(), s.OC)
	default:
		for i := range count {
			for image := range n {
				q.arrange(gp, g[at+image*gsize+i*pitch*s.OC:], panels, (i*n+image)*s.OW(), s.OW(), s.OC)
			}
		}
	}
	for j := range panels {
		c := &panels[j]
		a.tail(c.cols-(c.nv-1)*q.micro.lanes, q.micro)
		if inPlace {
			a.B, a.BOff, a.Ldb = address(g), (at+c.off)*elem, s.OC*elem
		} else {
			a.B, a.BOff, a.Ldb = address(gp[j*q.panelLen:]), 0, c.nv*q.micro.lanes*elem
		}
		for b := 0; b < q.inBlock; b += p.width {
			for kw := range s.KW {
				for kh := range s.KH {
					a.A, a.AOff = address(src), (b/p.width*p.block+kw*p.column+p.starts[kh]*p.slot)*elem
					a.C, a.COff = address(dst[((kh*s.KW+kw)*s.IC+channel+b)*s.OC+c.off:]), 0
					a.neighbours(min(p.width, q.inBlock-b), q.micro.gemm[c.nv])
				}
			}
		}
	}
}

// rowLen is how many elements of In(x) are made at a time.
func (q *weightGradient) rowLen() int {
	if q.flat {
		return gatherPixels * q.s.IC
	}
	return q.s.W * q.s.IC
}

// gatherFlat copies n pixels of x to blocks.
func (q *weightGradient) gatherFlat(dst, row, x []Float, n, channel int, in *Affine) {
	if in != nil {
		in.rows(row[:n*q.s.IC], x[:n*q.s.IC], n, q.s.IC)
		x = row
	}
	q.micro.scatter(dst, x[channel:], n, q.inBlock, q.from.width, q.from.block, q.s.IC)
}

// gatherRows copies what output rows [r,r+count) of n images meet.
func (q *weightGradient) gatherRows(dst, row, x []Float, n, r, count, channel int, in *Affine) {
	s, p := q.s, &q.from
	for _, class := range p.residues {
		for k := range count + class.extra {
			h := (r+k)*s.Stride + class.of - s.Pad
			for image := range n {
				to := dst[(class.slot+k)*p.slot+image*s.OW()*p.width:]
				if h < 0 || h >= s.H {
					q.clearGathered(to, 0, s.KW, 0, s.OW())
					continue
				}
				from := x[(image*s.H+h)*s.W*s.IC:]
				if in != nil {
					in.rows(row, from[:s.W*s.IC], s.W, s.IC)
					from = row
				}
				for kw := range s.KW {
					// Output pixel c meets column c·Stride+at.
					at := kw*s.Dilation - s.Pad
					first := min(s.OW(), ceilDiv(max(0, -at), s.Stride))
					last := max(first, min(s.OW(), ceilDiv(max(0, s.W-at), s.Stride)))
					q.clearGathered(to, kw, kw+1, 0, first)
					q.clearGathered(to, kw, kw+1, last, s.OW())
					if first < last {
						q.micro.scatter(to[kw*p.column+first*p.width:], from[(first*s.Stride+at)*s.IC+channel:], last-first, q.inBlock,
							p.width, p.block, s.Stride*s.IC)
					}
				}
			}
		}
	}
}

// clearGathered clears the pixels [first,last) of a row for kernel columns [kw,kwEnd), in all blocks.
func (q *weightGradient) clearGathered(dst []Float, kw, kwEnd, first, last int) {
	if first == last {
		return
	}
	p := &q.from
	for b := 0; b < q.inBlock; b += p.width {
		for k := kw; k < kwEnd; k++ {
			clear(dst[b/p.width*p.block+k*p.column:][first*p.width : last*p.width])
		}
	}
}
