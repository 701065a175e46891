package kernels

// blockBytes bounds the packed weights that a pass over an image uses: half of a 48 KB first-level cache.
const blockBytes = 24 << 10

// groupBytes is the size of weights from which on several images share a pass over them.
const groupBytes = 512 << 10

// correlation computes each output pixel as a sum, over taps, of a source pixel times a matrix: forward convolution
// (source x) and backward data (source g, one phase for each residue of the output pixel modulo the stride).
type correlation struct {
	n, group          int // images; images a unit
	h, w, ch          int // source image
	top, left, ph, pw int // where it stands in its bordered copy
	imageLen          int // elements of the bordered copy
	direct            bool
	flat              bool // one tap, stride 1, no border: an image is one row of pixels
	oh, ow, och       int  // output image
	stride            int  // output pixels between neighbours of a phase
	ic, oc            int  // of the weights (HWIO)
	transposed        bool // the matrix is the weights' transpose: source channels are OC
	phases            []phase
	packed            []Float
	weights           []Float
	packJobs          []packJob
	packUnit          func(worker, unit int)
	micro             *microkernels
}

// phase is the output pixels (rh + i·stride, rw + j·stride), i < nh, j < nw.
type phase struct {
	rh, rw, nh, nw int
	step           int     // source pixels between the sources of neighbouring output pixels
	slide          bool    // three neighbouring taps a row, computed by slide (step 1) or slide2 (step 2)
	width          int     // kernel positions that a tap covers
	taps           []int   // byte offsets in the source
	positions      []int   // kernel positions kh·KW+kw, in the order in which the taps cover them
	panels         []panel // blocks of output channels
}

type panel struct {
	off, nv, cols int
	base          int // of its packed weights
	steps         []step
}

// step is one pass over the source: taps [tap, tap+nt) and, of each, k channels from offset a on.
type step struct {
	tap, nt, k int
	a, b       int // byte offsets of source and packed weights
}

func forwardCorrelation(s ConvShape) *correlation {
	q := &correlation{n: s.N, h: s.H, w: s.W, ch: s.IC, top: s.Pad, left: s.Pad, ph: s.H + 2*s.Pad, pw: s.W + 2*s.Pad,
		oh: s.OH(), ow: s.OW(), och: s.OC, stride: 1, ic: s.IC, oc: s.OC}
	p := phase{nh: s.OH(), nw: s.OW(), step: s.Stride}
	for kh := range s.KH {
		for kw := range s.KW {
			p.positions = append(p.positions, kh*s.KW+kw)
			p.taps = append(p.taps, (kh*s.Dilation*q.pw+kw*s.Dilation)*q.ch*elem)
		}
	}
	q.phases = []phase{p}
	q.plan(s)
	return q
}

// tapAt is a kernel row or column k that reads the source at offset o from an output pixel.
type tapAt struct{ o, k int }

// dataTaps lists the kernel rows (or columns) that reach the output pixels of residue r, with the offset of their source.
func dataTaps(r, k int, s ConvShape) (t []tapAt) {
	for i := k - 1; i >= 0; i-- {
		if v := r + s.Pad - i*s.Dilation; mod(v, s.Stride) == 0 {
			t = append(t, tapAt{(v - mod(v, s.Stride)) / s.Stride, i})
		}
	}
	return t
}

func mod(a, b int) int { return (a%b + b) % b }

func dataCorrelation(s ConvShape) *correlation {
	q := dataCorrelationBorder(s)
	for rh := range min(s.Stride, s.H) {
		for rw := range min(s.Stride, s.W) {
			p := phase{rh: rh, rw: rw, nh: ceilDiv(s.H-rh, s.Stride), nw: ceilDiv(s.W-rw, s.Stride), step: 1}
			for _, a := range dataTaps(rh, s.KH, s) {
				for _, b := range dataTaps(rw, s.KW, s) {
					p.positions = append(p.positions, a.k*s.KW+b.k)
					p.taps = append(p.taps, ((a.o+q.top)*q.pw+b.o+q.left)*q.ch*elem)
				}
			}
			q.phases = append(q.phases, p)
		}
	}
	q.plan(s)
	return q
}

// dataCorrelationBorder is the part of dataCorrelation that says where g stands in its bordered image: as far from the
// edges as the taps of any output pixel reach.
func dataCorrelationBorder(s ConvShape) *correlation {
	q := &correlation{n: s.N, h: s.OH(), w: s.OW(), ch: s.OC, oh: s.H, ow: s.W, och: s.IC, stride: s.Stride, ic: s.IC, oc: s.OC,
		transposed: true}
	reach := func(size, k, out int) (before, length int) {
		last := out - 1
		for r := range min(s.Stride, size) {
			for _, t := range dataTaps(r, k, s) {
				before, last = max(before, -t.o), max(last, ceilDiv(size-r, s.Stride)-1+t.o)
			}
		}
		return before, before + last + 1
	}
	q.top, q.ph = reach(s.H, s.KH, s.OH())
	q.left, q.pw = reach(s.W, s.KW, s.OW())
	return q
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// plan merges neighbouring taps, cuts the output channels into panels and the taps into passes, and makes room for the
// packed weights.
func (q *correlation) plan(s ConvShape) {
	q.micro = micro
	q.imageLen = q.ph * q.pw * q.ch
	q.direct = q.top == 0 && q.left == 0 && q.ph == q.h && q.pw == q.w
	q.flat = q.direct && len(q.phases) == 1 && len(q.phases[0].taps) == 1 && q.phases[0].step == 1 && q.oh == q.h && q.ow == q.w
	q.group = 1
	if s.WLen()*elem > groupBytes {
		q.group = max(1, min(8, q.n/16))
	}
	if q.flat {
		q.group = max(q.group, min(ceilDiv(256, q.oh*q.ow), max(1, q.n/16)))
	}
	total := 0
	for i := range q.phases {
		p := &q.phases[i]
		if len(p.taps) == 0 {
			continue
		}
		p.merge(q.ch * elem)
		table := q.micro.slide
		if p.step == 2 {
			table = q.micro.slide2
		}
		p.slide = p.width == 3 && (p.step == 1 || p.step == 2) && table[1] != nil
		// Panels of four vectors read narrow rows, and pixels that one panel may complete, fewer times.
		wide := p.slide && p.nw <= 4 && table[4] != nil
		if q.flat && q.micro.gemm[4] != nil {
			wide = q.ch*4*q.micro.lanes*elem <= blockBytes
		}
		for _, c := range q.micro.columns(q.och, wide) {
			c.base = total
			total += len(p.positions) * q.ch * c.nv * q.micro.lanes
			c.steps = p.passes(q.ch, c.nv*q.micro.lanes*elem)
			p.panels = append(p.panels, c)
			q.planPack(i, len(p.panels)-1)
		}
	}
	q.packed = Alloc(total)
	q.packUnit = q.packSome
}

// merge joins taps that follow each other in the source, as far as all rows of taps allow the same width.
func (p *phase) merge(pixel int) {
	width := 1
	for width < len(p.taps) && p.taps[width] == p.taps[width-1]+pixel {
		width++
	}
	p.width = 1
	if len(p.taps)%width != 0 {
		return
	}
	var merged []int
	for i, t := range p.taps {
		if i%width == 0 {
			merged = append(merged, t)
		} else if t != p.taps[i-1]+pixel {
			return
		}
	}
	p.taps, p.width = merged, width
}

// columns cuts n output channels into panels: of four vectors, if wide, as far as they go; of three, where there are such
// and no single one remains; of two and one.
func (m *microkernels) columns(n int, wide bool) (ps []panel) {
	for off := 0; off < n; {
		nv := ceilDiv(n-off, m.lanes)
		if m.wholeVectors {
			nv = max(1, (n-off)/m.lanes)
		}
		switch {
		case wide && nv >= 4:
			nv = 4
		case nv >= 3 && nv != 4 && m.gemm[3] != nil:
			nv = 3
		case nv > 1 && m.gemm[2] != nil:
			nv = 2
		default:
			nv = 1
		}
		cols := min(n-off, nv*m.lanes)
		ps = append(ps, panel{off: off, nv: nv, cols: cols})
		off += cols
	}
	return ps
}

// passes cuts the taps of a phase so that each pass uses at most blockBytes of packed weights, vec bytes a row.
func (p *phase) passes(ch, vec int) (steps []step) {
	row := p.width * ch * vec // packed bytes of one tap
	if row <= blockBytes || (!p.slide && p.width*ch < 8) {
		most := max(1, blockBytes/row)
		most = ceilDiv(len(p.taps), ceilDiv(len(p.taps), most))
		for t := 0; t < len(p.taps); t += most {
			k := ch
			if !p.slide {
				k *= p.width
			}
			steps = append(steps, step{tap: t, nt: min(most, len(p.taps)-t), k: k, b: t * row})
		}
		return steps
	}
	k, unit := p.width*ch, 1
	if p.slide {
		k, unit = ch, 3
	}
	most := max(1, blockBytes/(unit*vec))
	most = ceilDiv(k, ceilDiv(k, most))
	for t := range p.taps {
		for i := 0; i < k; i += most {
			steps = append(steps, step{tap: t, nt: 1, k: min(most, k-i), a: i * elem, b: t*row + i*unit*vec})
		}
	}
	return steps
}

// units is the number of units of the batch, and unit the images of one.
func (q *correlation) units() int { return ceilDiv(q.n, q.group) }
func (q *correlation) unit(i int) (first, n int) {
	return i * q.group, min(q.group, q.n-i*q.group)
}

// scratch is what a worker needs.
func (q *correlation) scratch() int { return q.group*q.imageLen + scratchGap }

// load copies one source image into the bordered scratch image dst, through in if it is not nil. The border stays as it is.
func (q *correlation) load(dst, src []Float, in *Affine) {
	row := q.w * q.ch
	for r := range q.h {
		d := dst[((r+q.top)*q.pw+q.left)*q.ch:][:row]
		if in != nil {
			in.rows(d, src[r*row:][:row], q.w, q.ch)
		} else {
			copy(d, src[r*row:][:row])
		}
	}
}

// clearBorders clears what load does not write of n scratch images.
func (q *correlation) clearBorders(dst []Float, n int) {
	clearBorders(dst, n, q.h, q.w, q.top, q.left, q.ph, q.pw, q.ch)
}

// clearBorders clears the borders of n images of (ph,pw) pixels around (h,w) pixels that begin at (top,left).
func clearBorders(dst []Float, n, h, w, top, left, ph, pw, ch int) {
	at := 0
	for i := range n {
		for r := range h {
			start := ((i*ph+r+top)*pw + left) * ch
			clear(dst[at:start])
			at = start + w*ch
		}
	}
	clear(dst[at : n*ph*pw*ch])
}
