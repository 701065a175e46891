package kernels

import "unsafe"

// ConvForward names what a convolution does on the way, each part optional.
type ConvForward struct {
	In    *Affine // the input is In(x) instead of x, computed as x is read
	Stats *Norm   // Stats.Gather(y) is done as y is written
}

// ConvBackward names what a convolution's gradient does on the way, each part optional. With In, dx is the gradient at
// In's output, not at x.
type ConvBackward struct {
	In         *Affine // as in the forward pass
	Out        *Norm   // g is the gradient at the output of this norm, which follows the convolution; Gradients has been called
	Z          []Float // with Out: the convolution's output, (N,OH,OW,OC)
	Sums       *Norm   // Sums(x, dx) is done as dx is written: the norm (with its ReLU) that In stands for
	Accumulate bool    // dx is added to instead of overwritten (before Sums)
	Gate       bool    // dx is the gradient at x if In is a plain ReLU; not with Accumulate
}

// Conv is a planned dense convolution. All three directions are sums of matrix products over images that are first copied
// into a bordered scratch image, where the fused transforms happen.
type Conv struct {
	ConvShape

	fwd, data *correlation
	grad      *weightGradient
	gradAt    int // where the scratch memory of grad begins

	// The operands of the running call; the closures below are made once, since a closure a call would allocate.
	x, y, g, dx []Float
	f           ConvForward
	b           ConvBackward

	forwardUnit, dataUnit, weightsUnit, bothUnit, transformUnit func(worker, unit int)
}

// NewConv plans a convolution. An impossible shape panics with what Validate says.
func NewConv(s ConvShape) *Conv {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	c := &Conv{ConvShape: s}
	c.fwd = forwardCorrelation(s)
	c.data = dataCorrelation(s)
	c.grad = planWeightGradient(s, c.fwd)
	c.forwardUnit, c.dataUnit, c.weightsUnit, c.bothUnit = c.forwardGroup, c.dataGroup, c.weightsChunk, c.bothChunk
	c.transformUnit = c.transformImage
	needScratch(c.fwd.scratch())
	needScratch(c.data.scratch())
	c.gradAt = max(max(c.data.group, c.grad.images)*c.data.imageLen, c.grad.images*c.OH()*c.OW()*c.OC) + scratchGap
	needScratch(c.gradAt + c.grad.scratch())
	return c
}

// Forward writes y (N,OH,OW,OC) = conv(x, w).
func (c *Conv) Forward(y, x, w []Float, f ConvForward) {
	check("convolution: x", len(x), c.XLen())
	check("convolution: w", len(w), c.WLen())
	check("convolution: y", len(y), c.YLen())
	c.x, c.y, c.f = x, y, f
	c.fwd.pack(w)
	Parallel(c.fwd.units(), c.forwardUnit)
	if f.Stats != nil {
		f.Stats.merge()
	}
}

func (c *Conv) forwardGroup(worker, unit int) {
	q := c.fwd
	first, n := q.unit(unit)
	x := c.x[first*c.H*c.W*c.IC:][:n*c.H*c.W*c.IC]
	src := x
	if !q.direct || c.f.In != nil {
		src = scratchOf(worker, 0, q.group*q.imageLen)
		if !claimScratch(worker, unsafe.Pointer(q)) {
			q.clearBorders(src, q.group)
		}
		for i := range n {
			q.load(src[i*q.imageLen:], x[i*c.H*c.W*c.IC:], c.f.In)
		}
	}
	size := c.OH() * c.OW() * c.OC
	y := c.y[first*size:][:n*size]
	q.run(worker, y, src, n, false, nil)
	if c.f.Stats != nil {
		for i := range n {
			c.f.Stats.gatherImage(first+i, y[i*size:][:size])
		}
	}
}

// BackwardData writes dx (N,H,W,IC), the gradient at the input, from g (N,OH,OW,OC), that at the output.
func (c *Conv) BackwardData(dx, g, w []Float) {
	check("convolution: dx", len(dx), c.XLen())
	check("convolution: w", len(w), c.WLen())
	check("convolution: g", len(g), c.YLen())
	c.dx, c.g, c.b = dx, g, ConvBackward{}
	c.data.pack(w)
	Parallel(c.data.units(), c.dataUnit)
}

func (c *Conv) dataGroup(worker, unit int) {
	q := c.data
	first, n := q.unit(unit)
	size := c.OH() * c.OW() * c.OC
	src := c.g[first*size:][:n*size]
	if !q.direct || c.b.Out != nil {
		src = scratchOf(worker, 0, q.group*q.imageLen)
		if !claimScratch(worker, unsafe.Pointer(q)) {
			q.clearBorders(src, q.group)
		}
		for i := range n {
			c.loadGradient(src[i*q.imageLen:], first+i)
		}
	}
	c.dataImages(worker, first, n, src)
}

// loadGradient puts image n of g, or of the gradient at Z, into the bordered scratch image dst, whose border is clear.
func (c *Conv) loadGradient(dst []Float, n int) {
	q := c.data
	size := c.OH() * c.OW() * c.OC
	g := c.g[n*size:][:size]
	if c.b.Out == nil {
		q.load(dst, g, nil)
		return
	}
	z := c.b.Z[n*size:][:size]
	row := q.w * q.ch
	for r := range q.h {
		c.b.Out.gradRows(dst[((r+q.top)*q.pw+q.left)*q.ch:][:row], z[r*row:][:row], g[r*row:][:row], q.w)
	}
}

// dataImages computes n images of dx from their gradients in src.
func (c *Conv) dataImages(worker, first, n int, src []Float) {
	size := c.H * c.W * c.IC
	dx := c.dx[first*size:][:n*size]
	c.data.run(worker, dx, src, n, c.b.Accumulate, nil)
	if c.b.Gate {
		vector.reluGradient(dx, c.x[first*size:][:n*size], dx)
	}
	if c.b.Sums != nil {
		for i := range n {
			c.b.Sums.sumsImage(first+i, c.x[(first+i)*size:][:size], dx[i*size:][:size])
		}
	}
}

// BackwardWeights writes dw (KH,KW,IC,OC), the gradient at the weights, from the input x and g.
func (c *Conv) BackwardWeights(dw, x, g []Float) {
	check("convolution: x", len(x), c.XLen())
	check("convolution: dw", len(dw), c.WLen())
	check("convolution: g", len(g), c.YLen())
	c.x, c.g, c.b = x, g, ConvBackward{}
	c.grad.begin(dw)
	Parallel(c.grad.units(), c.weightsUnit)
	c.grad.finish()
}

// weightsChunk adds one chunk of the batch to one block of channels.
func (c *Conv) weightsChunk(worker, unit int) {
	q := c.grad
	chunk, block := q.unit(unit)
	from, to := q.chunk(chunk)
	size, gsize := c.H*c.W*c.IC, c.OH()*c.OW()*c.OC
	clean := claimScratch(worker, unsafe.Pointer(q))
	for first := from; first < to; first += q.images {
		n := min(q.images, to-first)
		q.add(worker, chunk, block, block+1, c.x[first*size:][:n*size], nil, c.g[first*gsize:][:n*gsize], n, gsize, c.OW(), c.gradAt,
			clean, first > from)
		clean = true
	}
}

// Backward does both in one pass over the images, so that g is read (and turned into the gradient at z) once. A nil dx or
// dw is not computed.
func (c *Conv) Backward(dx, dw, x, g, w []Float, b ConvBackward) {
	check("convolution: x", len(x), c.XLen())
	check("convolution: g", len(g), c.YLen())
	if b.Out != nil {
		check("convolution: Z", len(b.Z), c.YLen())
	}
	c.x, c.g, c.dx, c.b = x, g, dx, b
	if dx != nil {
		check("convolution: dx", len(dx), c.XLen())
		check("convolution: w", len(w), c.WLen())
		c.data.pack(w)
	}
	switch {
	case dw != nil:
		check("convolution: dw", len(dw), c.WLen())
		c.grad.begin(dw)
		c.both()
		c.grad.finish()
	case dx != nil:
		Parallel(c.data.units(), c.dataUnit)
	}
	if dx != nil && b.Sums != nil {
		b.Sums.mergeSums()
	}
}

// both runs both directions of a backward pass, or that of the weights alone.
func (c *Conv) both() {
	if c.grad.together() {
		Parallel(c.grad.chunks, c.bothUnit)
		return
	}
	c.transform()
	if c.dx != nil {
		Parallel(c.data.units(), c.dataUnit)
	}
	if c.b.In != nil {
		c.x = transformed.x
	}
	Parallel(c.grad.units(), c.weightsUnit)
}

// transformed is memory that all plans share for In(x) and the gradient at Z, where units would compute them repeatedly.
var transformed struct{ x, g []Float }

// transform writes what the fused transforms of the running backward pass make of x and g to transformed, and has g stand
// there.
func (c *Conv) transform() {
	if c.b.In != nil && len(transformed.x) < c.XLen() {
		transformed.x = Alloc(c.XLen())
	}
	if c.b.Out != nil && len(transformed.g) < c.YLen() {
		transformed.g = Alloc(c.YLen())
	}
	if c.b.In != nil || c.b.Out != nil {
		Parallel(c.N, c.transformUnit)
	}
	if c.b.Out != nil {
		c.g, c.b.Out = transformed.g, nil
	}
}

func (c *Conv) transformImage(_, n int) {
	if c.b.In != nil {
		size := c.H * c.W * c.IC
		c.b.In.rows(transformed.x[n*size:], c.x[n*size:], c.H*c.W, c.IC)
	}
	if c.b.Out != nil {
		size := c.OH() * c.OW() * c.OC
		c.b.Out.gradRows(transformed.g[n*size:], c.b.Z[n*size:], c.g[n*size:], c.OH()*c.OW())
	}
}

// bothChunk is one chunk of the batch: the gradient at z goes into bordered scratch images that both directions read.
func (c *Conv) bothChunk(worker, unit int) {
	q, d := c.grad, c.data
	from, to := q.chunk(unit)
	size, gsize := c.H*c.W*c.IC, c.OH()*c.OW()*c.OC
	clean := claimScratch(worker, unsafe.Pointer(c))
	for first := from; first < to; first += q.images {
		n := min(q.images, to-first)
		g := c.g[first*gsize:][:n*gsize]
		pitch, origin, step := c.OW(), 0, gsize
		if !d.direct || c.b.Out != nil {
			g = scratchOf(worker, 0, q.images*d.imageLen)
			if !clean {
				d.clearBorders(g, q.images)
			}
			for i := range n {
				c.loadGradient(g[i*d.imageLen:], first+i)
			}
			pitch, origin, step = d.pw, (d.top*d.pw+d.left)*c.OC, d.imageLen
		}
		q.add(worker, unit, 0, q.blocks, c.x[first*size:][:n*size], c.b.In, g[origin:], n, step, pitch, c.gradAt, clean, first > from)
		clean = true
		if c.dx != nil {
			c.dataImages(worker, first, n, g)
		}
	}
}
