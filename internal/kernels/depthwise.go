package kernels

// depthwiseKernels is one instruction set's way to compute depthwise convolutions, one vector of channels at a time.
type depthwiseKernels struct {
	// masks says that a kernel can read the image where it stands: pixels that a mask names, and rows that a dwTap names,
	// count as zeros. A mask has a bit for each channel; four of them, 16 bits each, are for the pixels before the left edge,
	// those after the right one, and for the middle pixel of an even number of taps on either side. Without masks, A is a
	// bordered copy.
	masks bool
	// sum[taps][n] computes C[i] (+)= Σ_tap Σ_k A[tap + (i+k)·Sam]·B[tap][k] for n pixels i. Taps are dwTaps, NT of them for
	// each of NR rows, Ahead bytes from Taps on and K bytes from row to row. Sak is the address of the masks of the NM tiles,
	// those of the last tile first.
	sum [8][]func(*gemmArgs)
	// apart[taps] is sum of apartPixels pixels for taps two pixels apart. nil if there is none.
	apart [8]func(*gemmArgs)
	// grad[taps][rows] computes C[r][k] (+)= Σ_tap Σ_i A[tap[r] + (i+k)·Sam]·B[tap.b + i] over K pixels i; C's groups r stand
	// CRow apart. A tap is a dwTap for each r, and the offset b. Sak is the masks. Memory Ahead after B is fetched.
	grad [8][4]func(*gemmArgs)
}

// apartPixels is the pixels of a tile of apart.
const apartPixels = 16

// dwTap is where a kernel row begins in A: offset bytes from the tile, or from address 0 where keep is 0 instead of -1.
type dwTap struct{ offset, keep int }

// dwEdges is the four masks of a tile: before the left edge, after the right one, the middle pixels on either side.
type dwEdges uint64

// edgesOf is the masks where, of the pixels that some taps with a gap between them read, left and right ones lie beyond the
// edges of the image. It is false if there are none such.
func edgesOf(taps, gap, left, right int) (e dwEdges, ok bool) {
	small, large := (taps-1)/2*gap, taps/2*gap
	for i, n := range [2]int{left, right} {
		if n != 0 && n != small && n != large {
			return 0, false
		}
		if n < small {
			e |= 0xffff << (16 * i)
		}
		if n < large {
			e |= 0xffff << (16 * (i + 2))
		}
	}
	return e, true
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
	c.fwd.image(worker, c.y[n*c.OH()*c.OW()*c.IC:], c.x[n*c.H*c.W*c.IC:][:c.H*c.W*c.IC], c.in, nil)
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
	c.data.image(worker, c.dx[n*c.H*c.W*c.IC:], c.g[n*size:][:size], nil, nil)
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
