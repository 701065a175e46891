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
	fore                  separableForward
	back                  separableBackward
	partialsAt            int // where the depthwise weights' partial sums stand
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
	for _, l := range []*lattice{&c.depth.fwd.source, &c.depth.data.source, &c.depth.grad.source} {
		c.at = max(c.at, l.need())
	}
	c.arranged = q.scratch()
	needScratch(c.at + c.arranged + c.group*(s.H*s.W*s.IC+2*pixels*s.IC+pixels*oc) + 6*scratchGap)
	c.fore, c.back = separableForward{c}, separableBackward{c}
	return c
}

// ZLen is the number of elements of the output.
func (c *Separable) ZLen() int { return c.point.YLen() }

// Forward writes z (N,OH,OW,OC) = x ⋆ wd · wp, with the fused parts that f names; wd is (KH,KW,C), wp (C,OC).
func (c *Separable) Forward(z, x, wd, wp []Float, f ConvForward) {
	Together(c.ForwardTask(z, x, wd, wp, f))
}

// ForwardTask is Forward as a task, which is good until the next call.
func (c *Separable) ForwardTask(z, x, wd, wp []Float, f ConvForward) Task {
	c.check(z, x, wd, wp)
	c.z, c.x, c.f = z, x, f
	c.depth.fwd.pack(wd, c.depth.IC)
	c.point.fwd.pack(wp)
	return &c.fore
}

// separableForward is the task. Its pointwise part is a slot; the depthwise one fetches what that will write.
type separableForward struct{ *Separable }

func (c *separableForward) shares() (batch, unit, group int) { return c.depth.N, c.group, c.group }
func (c *separableForward) sums() int                        { return 0 }
func (c *separableForward) begin(int)                        {}
func (c *separableForward) streams() int                     { return 0 }
func (c *separableForward) stream(int, int) []Float          { return nil }
func (c *separableForward) slots() int                       { return 1 }

func (c *separableForward) run(worker, _, first, n int, soon *[taskSlots][]Float) {
	s := c.scratch(worker)
	zsize := c.ZLen() / c.depth.N
	c.between(worker, &s, c.f.In, first, n, c.z[first*zsize:])
	c.point.fwd.run(worker, c.z[first*zsize:][:n*zsize], s.d, n, false, soon[0])
	if c.f.Stats != nil {
		for i := range n {
			c.f.Stats.gatherImage(first+i, c.z[(first+i)*zsize:][:zsize])
		}
	}
}

func (c *separableForward) end() {
	if c.f.Stats != nil {
		c.f.Stats.merge()
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

// Backward writes dx (N,H,W,C; nil: not needed), the gradient at In(x), or adds to it, and the gradients dwd and dwp at the weights, from g
// (N,OH,OW,OC); b.Out and b.Z must be given: g is the gradient at the output of the norm that reads z. A nil dwd means that
// neither is wanted.
func (c *Separable) Backward(dx, dwd, dwp, x, g, wd, wp []Float, b ConvBackward) {
	Together(c.BackwardTask(dx, dwd, dwp, x, g, wd, wp, b))
}

// BackwardTask is Backward as a task, which is good until the next call.
func (c *Separable) BackwardTask(dx, dwd, dwp, x, g, wd, wp []Float, b ConvBackward) Task {
	c.check(b.Z, x, wd, wp)
	check("separable convolution: g", len(g), c.ZLen())
	if dx != nil {
		check("separable convolution: dx", len(dx), c.depth.XLen())
	}
	c.x, c.g, c.dx, c.dwd, c.dwp, c.b = x, g, dx, dwd, dwp, b
	c.depth.data.pack(wd, c.depth.IC)
	c.point.data.pack(wp)
	if dwd != nil {
		c.depth.fwd.pack(wd, c.depth.IC)
		c.point.grad.begin(dwp)
	}
	return &c.back
}

// separableBackward is the task. Its streams are z, g, x and dx; its slots the pointwise data pass and the three depthwise ones.
type separableBackward struct{ *Separable }

func (c *separableBackward) shares() (batch, unit, group int) {
	return c.depth.N, c.perChunk, c.group
}

func (c *separableBackward) sums() int {
	return c.chunks * (c.depth.grad.length + c.point.grad.length)
}

func (c *separableBackward) begin(at int) {
	c.partialsAt, c.point.grad.partialsAt = at, at+c.chunks*c.depth.grad.length
	c.depth.data.add = c.b.Accumulate
}

func (c *separableBackward) streams() int { return 4 }

func (c *separableBackward) stream(i, image int) []Float {
	size, zsize := c.depth.XLen()/c.depth.N, c.ZLen()/c.depth.N
	switch i {
	case 0:
		return c.b.Z[image*zsize:]
	case 1:
		return c.g[image*zsize:]
	case 2:
		return c.x[image*size:]
	}
	return part(c.dx, image*size)
}

func (c *separableBackward) slots() int {
	if c.dwd == nil {
		return 2
	}
	return 4
}

func (c *separableBackward) run(worker, unit, first, n int, soon *[taskSlots][]Float) {
	s := c.scratch(worker)
	size, dsize, zsize := c.depth.XLen()/c.depth.N, c.depth.YLen()/c.depth.N, c.ZLen()/c.depth.N
	begun := first > unit*c.perChunk
	c.b.Out.gradRows(s.dz, c.b.Z[first*zsize:], c.g[first*zsize:], n*zsize/c.b.Out.C)
	c.point.data.run(worker, s.dd, s.dz, n, false, soon[0])
	if c.dwd != nil {
		q := &c.depth.grad
		partial := partials[c.partialsAt+unit*q.length:][:q.length]
		x := c.between(worker, &s, c.b.In, first, n, soon[2])
		c.point.grad.add(worker, unit, 0, c.point.grad.blocks, s.d, nil, s.dz, n, zsize, c.depth.OW(), c.at, false, begun)
		for i := range n {
			c.depth.gradImage(worker, partial, x[i*size:][:size], s.dd[i*dsize:][:dsize], nil, begun || i > 0, part(soon[3], i*dsize))
		}
	}
	if c.dx == nil {
		return
	}
	for i := range n {
		at := first + i
		dx := c.dx[at*size:][:size]
		c.depth.data.image(worker, dx, s.dd[i*dsize:][:dsize], nil, part(soon[1], i*size))
		if c.b.Gate {
			vector.reluGradient(dx, c.x[at*size:][:size], dx)
		}
		if c.b.Sums != nil {
			c.b.Sums.sumsImage(at, c.x[at*size:][:size], dx)
		}
	}
}

func (c *separableBackward) end() {
	if c.dwd != nil {
		c.point.grad.finish()
		q := &c.depth.grad
		micro.sum(c.dwd[:c.depth.KH*c.depth.KW*c.depth.IC], partials[c.partialsAt:], q.chunks, q.length)
	}
	if c.b.Sums != nil {
		c.b.Sums.mergeSums()
	}
	c.x, c.g, c.dx, c.dwd, c.dwp, c.b = nil, nil, nil, nil, nil, ConvBackward{}
}

// part is v from element i on, or nil.
func part(v []Float, i int) []Float {
	if i >= len(v) {
		return nil
	}
	return v[i:]
}
