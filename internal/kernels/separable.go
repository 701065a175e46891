package kernels

import "unsafe"

// Separable is a planned depthwise convolution followed by a 1×1 convolution, both without bias (Chollet, 2017). What stands
// between them stays in the cache: it is never a tensor, and the backward pass computes it again.
type Separable struct {
	depth *Depthwise
	point *Conv

	perChunk, chunks int // images of a unit of the backward pass; units
	group            int // images that are convolved at a time
	at               int // where the scratch memory of this file begins
	arranged         int // the part of it that point.grad uses

	z, x, g, dx, dwd, dwp []Float // of the running call
	f                     ConvForward
	b                     ConvBackward
	units                 [2]func(worker, unit int)
}

// separablePixels is about how many pixels are convolved at a time.
const separablePixels = 256

// NewSeparable plans the depthwise convolution s, with s.IC = s.OC channels, and a 1×1 convolution to oc channels.
func NewSeparable(s ConvShape, oc int) *Separable {
	c := &Separable{depth: NewDepthwise(s)}
	pixels := s.OH() * s.OW()
	c.point = NewConv(ConvShape{N: s.N, H: s.OH(), W: s.OW(), IC: s.OC, OC: oc, KH: 1, KW: 1, Stride: 1, Dilation: 1})
	c.perChunk, c.chunks = c.depth.grad.perChunk, c.depth.grad.chunks
	c.group = min(c.perChunk, ceilDiv(separablePixels, pixels))
	q := c.point.grad
	q.perChunk, q.chunks, q.images = c.perChunk, c.chunks, c.group
	q.partialsAt = c.depth.grad.chunks * c.depth.grad.length
	needPartials(q.partialsAt + q.chunks*q.length)
	for _, l := range []*lattice{&c.depth.fwd.source, &c.depth.data.source, &c.depth.grad.source} {
		c.at = max(c.at, l.need())
	}
	c.arranged = q.scratch()
	needScratch(c.at + c.arranged + c.group*(s.H*s.W*s.IC+2*pixels*s.IC+pixels*oc) + 6*scratchGap)
	c.units = [2]func(worker, unit int){c.forwardGroup, c.backwardChunk}
	return c
}

// ZLen is the number of elements of the output.
func (c *Separable) ZLen() int { return c.point.YLen() }

// Forward writes z (N,OH,OW,OC) = x ⋆ wd · wp, with the fused parts that f names; wd is (KH,KW,C), wp (C,OC).
func (c *Separable) Forward(z, x, wd, wp []Float, f ConvForward) {
	c.check(z, x, wd, wp)
	c.z, c.x, c.f = z, x, f
	c.depth.fwd.pack(wd, c.depth.IC)
	c.point.fwd.pack(wp)
	Parallel(ceilDiv(c.depth.N, c.group), c.units[0])
	if f.Stats != nil {
		f.Stats.merge()
	}
	c.z, c.x = nil, nil
}

func (c *Separable) check(z, x, wd, wp []Float) {
	check("separable convolution: x", len(x), c.depth.XLen())
	check("separable convolution: z", len(z), c.ZLen())
	check("separable convolution: depthwise weights", len(wd), c.depth.KH*c.depth.KW*c.depth.IC)
	check("separable convolution: pointwise weights", len(wp), c.point.WLen())
}

// separableScratch is what the units of a Separable work in: of each, `group` images.
type separableScratch struct {
	x  []Float // In(x)
	d  []Float // between the convolutions
	dd []Float // the gradient there
	dz []Float
}

func (c *Separable) scratch(worker int) separableScratch {
	claimScratch(worker, unsafe.Pointer(c))
	at := c.at + c.arranged + scratchGap
	next := func(n int) []Float {
		v := scratchOf(worker, at, n)
		at += n + scratchGap
		return v
	}
	between := c.group * c.depth.YLen() / c.depth.N
	return separableScratch{next(c.group * c.depth.XLen() / c.depth.N), next(between), next(between), next(c.group * c.ZLen() / c.depth.N)}
}

// between computes d of the images [first, first+n), and returns the images that the depthwise convolution reads.
func (c *Separable) between(worker int, s *separableScratch, in *Affine, first, n int, soon []Float) []Float {
	size, dsize := c.depth.XLen()/c.depth.N, c.depth.YLen()/c.depth.N
	src := c.x[first*size:][:n*size]
	if in != nil {
		in.rows(s.x, src, n*c.depth.H*c.depth.W, c.depth.IC)
		src = s.x[:n*size]
	}
	for i := range n {
		c.depth.fwd.image(worker, s.d[i*dsize:][:dsize], src[i*size:][:size], nil, part(soon, i*dsize))
	}
	return src
}

func (c *Separable) forwardGroup(worker, unit int) {
	s := c.scratch(worker)
	first := unit * c.group
	n := min(c.group, c.depth.N-first)
	zsize := c.ZLen() / c.depth.N
	c.between(worker, &s, c.f.In, first, n, c.z[first*zsize:])
	c.point.fwd.run(worker, c.z[first*zsize:][:n*zsize], s.d, n, false)
	if c.f.Stats != nil {
		for i := range n {
			c.f.Stats.gatherImage(first+i, c.z[(first+i)*zsize:][:zsize])
		}
	}
}

// Backward writes dx (N,H,W,C), the gradient at In(x), or adds to it, and the gradients dwd and dwp at the weights, from g
// (N,OH,OW,OC); b.Out and b.Z must be given: g is the gradient at the output of the norm that reads z. A nil dwd means that
// neither is wanted.
func (c *Separable) Backward(dx, dwd, dwp, x, g, wd, wp []Float, b ConvBackward) {
	c.check(b.Z, x, wd, wp)
	check("separable convolution: g", len(g), c.ZLen())
	check("separable convolution: dx", len(dx), c.depth.XLen())
	c.x, c.g, c.dx, c.dwd, c.dwp, c.b = x, g, dx, dwd, dwp, b
	c.depth.data.pack(wd, c.depth.IC)
	c.depth.data.add = b.Accumulate
	c.point.data.pack(wp)
	if dwd != nil {
		c.depth.fwd.pack(wd, c.depth.IC)
		c.point.grad.begin(dwp)
	}
	Parallel(c.chunks, c.units[1])
	if dwd != nil {
		c.point.grad.finish()
		q := &c.depth.grad
		micro.sum(dwd[:c.depth.KH*c.depth.KW*c.depth.IC], partials, q.chunks, q.length)
	}
	if b.Sums != nil {
		b.Sums.mergeSums()
	}
	c.depth.data.add = false
	c.x, c.g, c.dx, c.dwd, c.dwp, c.b = nil, nil, nil, nil, nil, ConvBackward{}
}

// backwardChunk is a chunk of the batch, a few images after the other.
func (c *Separable) backwardChunk(worker, unit int) {
	s := c.scratch(worker)
	size, dsize, zsize := c.depth.XLen()/c.depth.N, c.depth.YLen()/c.depth.N, c.ZLen()/c.depth.N
	from, to := unit*c.perChunk, min(c.depth.N, (unit+1)*c.perChunk)
	q := &c.depth.grad
	partial := partials[unit*q.length:][:q.length]
	for first := from; first < to; first += c.group {
		n := min(c.group, to-first)
		next := first + n
		var soon struct{ x, g, z []Float } // of the images that this worker is likely to take next
		if next < c.depth.N {
			soon.g, soon.z = c.g[next*zsize:], c.b.Z[next*zsize:]
			if c.b.In != nil {
				soon.x = c.x[next*size:]
			}
		}
		c.b.Out.gradRows(s.dz, c.b.Z[first*zsize:], c.g[first*zsize:], n*zsize/c.b.Out.C)
		c.point.data.run(worker, s.dd, s.dz, n, false)
		if c.dwd != nil {
			x := c.between(worker, &s, c.b.In, first, n, soon.x)
			c.point.grad.add(worker, unit, 0, c.point.grad.blocks, s.d, nil, s.dz, n, zsize, c.depth.OW(), c.at, false, first > from)
			for i := range n {
				c.depth.gradImage(worker, partial, x[i*size:][:size], s.dd[i*dsize:][:dsize], nil, first+i > from, part(soon.g, i*dsize))
			}
		}
		for i := range n {
			at := first + i
			dx := c.dx[at*size:][:size]
			c.depth.data.image(worker, dx, s.dd[i*dsize:][:dsize], nil, part(soon.z, i*size))
			if c.b.Sums != nil {
				c.b.Sums.sumsImage(at, c.x[at*size:][:size], dx)
			}
		}
	}
}

// part is v from element i on, or nil.
func part(v []Float, i int) []Float {
	if i >= len(v) {
		return nil
	}
	return v[i:]
}
