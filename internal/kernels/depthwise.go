package kernels

// depthwiseKernels is one instruction set's way to compute depthwise convolutions, one vector of channels at a time, on
// images whose pixels stand channelBlock elements apart.
type depthwiseKernels struct {
	// sum[taps][n] computes C[i] (+)= Σ_tap Σ_k A[tap + (i+k)·Sam]·B[tap][k] for n pixels i.
	sum [8][]func(*gemmArgs)
	// grad[taps][rows] computes C[r][k] (+)= Σ_tap Σ_i A[tap.a + r·Sak + (i+k)·Sam]·B[tap.b + i] over K pixels i; Taps are
	// dwGradRows, and C's groups r stand CRow apart.
	grad [8][4]func(*gemmArgs)
}

// Depthwise is a planned depthwise convolution: IC = OC = C, weights (KH,KW,C).
type Depthwise struct {
	ConvShape

	fwd, data       depthwiseSums
	grad            depthwiseGrad
	x, y, g, dx, dw []Float
	in              *Affine
	run             [3]func(worker, unit int)
}

// NewDepthwise plans a depthwise convolution. An impossible shape panics with what Validate says, as does IC ≠ OC.
func NewDepthwise(s ConvShape) *Depthwise {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	if s.IC != s.OC {
		panic("kernels: a depthwise convolution has as many output channels as input channels")
	}
	c := &Depthwise{ConvShape: s}
	c.planForward()
	c.planData()
	c.planGrad()
	c.run = [3]func(worker, unit int){c.forwardImage, c.dataImage, c.gradChunk}
	return c
}

// Forward writes y (N,OH,OW,C) = depthwise(in(x), w); a nil in is the identity.
func (c *Depthwise) Forward(y, x, w []Float, in *Affine) {
	check("depthwise convolution: x", len(x), c.XLen())
	check("depthwise convolution: w", len(w), c.KH*c.KW*c.IC)
	check("depthwise convolution: y", len(y), c.YLen())
	c.x, c.y, c.in = x, y, in
	c.fwd.pack(w, c.IC)
	Parallel(c.N, c.run[0])
}

func (c *Depthwise) forwardImage(worker, n int) {
	c.fwd.image(worker, c.y[n*c.OH()*c.OW()*c.IC:], c.x[n*c.H*c.W*c.IC:][:c.H*c.W*c.IC], c.in)
}

// BackwardData writes dx (N,H,W,C), the gradient at in(x), from g (N,OH,OW,C).
func (c *Depthwise) BackwardData(dx, g, w []Float) {
	check("depthwise convolution: dx", len(dx), c.XLen())
	check("depthwise convolution: w", len(w), c.KH*c.KW*c.IC)
	check("depthwise convolution: g", len(g), c.YLen())
	c.dx, c.g = dx, g
	c.data.pack(w, c.IC)
	Parallel(c.N, c.run[1])
}

func (c *Depthwise) dataImage(worker, n int) {
	size := c.OH() * c.OW() * c.IC
	c.data.image(worker, c.dx[n*c.H*c.W*c.IC:], c.g[n*size:][:size], nil)
}

// BackwardWeights writes dw (KH,KW,C) from x and g.
func (c *Depthwise) BackwardWeights(dw, x, g []Float, in *Affine) {
	check("depthwise convolution: x", len(x), c.XLen())
	check("depthwise convolution: dw", len(dw), c.KH*c.KW*c.IC)
	check("depthwise convolution: g", len(g), c.YLen())
	c.x, c.g, c.dw, c.in = x, g, dw, in
	Parallel(c.grad.chunks, c.run[2])
	micro.sum(dw[:c.KH*c.KW*c.IC], partials, c.grad.chunks, c.grad.length)
}
