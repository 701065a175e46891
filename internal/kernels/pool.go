package kernels

// MaxPool is a planned max pooling. Padding never wins; NaN does. The first maximum of a window in row order gets the
// gradient.
type MaxPool struct{ PoolShape }

// NewMaxPool plans max pooling. An impossible shape panics with what Validate says.
func NewMaxPool(s PoolShape) *MaxPool { panic("TODO") }

// Forward writes y (N,OH,OW,C).
func (p *MaxPool) Forward(y, x []Float) { panic("TODO") }

// Backward writes dx (N,H,W,C) from x and the gradient g (N,OH,OW,C).
func (p *MaxPool) Backward(dx, x, g []Float) { panic("TODO") }

// AvgPool is a planned average pooling that does not count padding.
type AvgPool struct{ PoolShape }

// NewAvgPool plans average pooling. An impossible shape panics with what Validate says.
func NewAvgPool(s PoolShape) *AvgPool { panic("TODO") }

// Forward writes y (N,OH,OW,C).
func (p *AvgPool) Forward(y, x []Float) { panic("TODO") }

// Backward writes dx (N,H,W,C) from the gradient g (N,OH,OW,C).
func (p *AvgPool) Backward(dx, g []Float) { panic("TODO") }

// GlobalAvgPool writes y (N,C), the mean of x (N,HW,C) over HW.
func GlobalAvgPool(y, x []Float, n, hw, c int) { panic("TODO") }

// GlobalAvgPoolBackward writes dx (N,HW,C) from g (N,C).
func GlobalAvgPoolBackward(dx, g []Float, n, hw, c int) { panic("TODO") }

// Subsample writes the parameter-free shortcut of a residual network (He et al., 2015, option A): y
// (N,⌈H/stride⌉,⌈W/stride⌉,OC) is x (N,H,W,IC) at every stride-th pixel, its channels in the middle and zeros on both
// sides, (OC−IC)/2 before and the rest after.
func Subsample(y, x []Float, n, h, w, ic, oc, stride int) { panic("TODO") }

// SubsampleBackward adds the gradient of Subsample to dx (N,H,W,IC), from g (N,⌈H/stride⌉,⌈W/stride⌉,OC).
func SubsampleBackward(dx, g []Float, n, h, w, ic, oc, stride int) { panic("TODO") }
