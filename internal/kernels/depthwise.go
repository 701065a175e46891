package kernels

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
