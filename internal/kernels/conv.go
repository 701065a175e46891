package kernels

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
}

// Conv is a planned dense convolution.
type Conv struct {
	ConvShape
}

// NewConv plans a convolution. An impossible shape panics with what Validate says.
func NewConv(s ConvShape) *Conv { panic("TODO") }

// Forward writes y (N,OH,OW,OC) = conv(x, w).
func (c *Conv) Forward(y, x, w []Float, f ConvForward) { panic("TODO") }

// BackwardData writes dx (N,H,W,IC), the gradient at the input, from g (N,OH,OW,OC), that at the output.
func (c *Conv) BackwardData(dx, g, w []Float) { panic("TODO") }

// BackwardWeights writes dw (KH,KW,IC,OC), the gradient at the weights, from the input x and g.
func (c *Conv) BackwardWeights(dw, x, g []Float) { panic("TODO") }

// Backward does both in one pass over the images, so that g is read (and turned into the gradient at z) once. A nil dx is
// not computed.
func (c *Conv) Backward(dx, dw, x, g, w []Float, f ConvBackward) { panic("TODO") }

// Depthwise is a planned depthwise convolution: IC = OC = C, weights (KH,KW,C).
type Depthwise struct {
	ConvShape
}

// NewDepthwise plans a depthwise convolution. An impossible shape panics with what Validate says, as does IC ≠ OC.
func NewDepthwise(s ConvShape) *Depthwise { panic("TODO") }

// Forward writes y (N,OH,OW,C) = depthwise(in(x), w); a nil in is the identity.
func (c *Depthwise) Forward(y, x, w []Float, in *Affine) { panic("TODO") }

// BackwardData writes dx (N,H,W,C), the gradient at in(x), from g (N,OH,OW,C).
func (c *Depthwise) BackwardData(dx, g, w []Float) { panic("TODO") }

// BackwardWeights writes dw (KH,KW,C) from x and g.
func (c *Depthwise) BackwardWeights(dw, x, g []Float, in *Affine) { panic("TODO") }
