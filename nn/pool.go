package nn

import "espalier/internal/kernels"

// MaxPool takes the maximum of each Kernel×Kernel window. Padding never wins.
type MaxPool struct {
	Kernel int `json:"kernel"`           // pixels
	Stride int `json:"stride,omitempty"` // 0: Kernel
	Pad    int `json:"pad,omitempty"`
}

// Kind is "max_pool".
func (m MaxPool) Kind() string { return "max_pool" }

// Out is the shape of the output.
func (m MaxPool) Out(in Shape) (Shape, error) {
	return poolOut(poolShape(1, in, m.Kernel, m.Stride, m.Pad))
}

// Params is empty.
func (m MaxPool) Params(Shape) []Param { return nil }

// MACs is 0.
func (m MaxPool) MACs(Shape) int { return 0 }

// Build makes the layer.
func (m MaxPool) Build(p *Plan, in Shape) Layer {
	return &maxPoolLayer{kernels.NewMaxPool(poolShape(p.Batch, in, m.Kernel, m.Stride, m.Pad)), p.Run}
}

// AvgPool takes the mean of each Kernel×Kernel window; padding is not counted.
type AvgPool struct {
	Kernel int `json:"kernel"`           // pixels
	Stride int `json:"stride,omitempty"` // 0: Kernel
	Pad    int `json:"pad,omitempty"`
}

// Kind is "avg_pool".
func (a AvgPool) Kind() string { return "avg_pool" }

// Out is the shape of the output.
func (a AvgPool) Out(in Shape) (Shape, error) {
	return poolOut(poolShape(1, in, a.Kernel, a.Stride, a.Pad))
}

// Params is empty.
func (a AvgPool) Params(Shape) []Param { return nil }

// MACs is 0.
func (a AvgPool) MACs(Shape) int { return 0 }

// Build makes the layer.
func (a AvgPool) Build(p *Plan, in Shape) Layer {
	return &avgPoolLayer{kernels.NewAvgPool(poolShape(p.Batch, in, a.Kernel, a.Stride, a.Pad)), p.Run}
}

// GlobalAvgPool takes the mean of each channel over all pixels.
type GlobalAvgPool struct{}

// Kind is "global_avg_pool".
func (GlobalAvgPool) Kind() string { return "global_avg_pool" }

// Out is 1×1×C.
func (GlobalAvgPool) Out(in Shape) (Shape, error) { return Shape{1, 1, in.C}, in.Validate() }

// Params is empty.
func (GlobalAvgPool) Params(Shape) []Param { return nil }

// MACs is 0.
func (GlobalAvgPool) MACs(Shape) int { return 0 }

// Build makes the layer.
func (GlobalAvgPool) Build(p *Plan, in Shape) Layer {
	return &globalPoolLayer{n: p.Batch, in: in, run: p.Run}
}

func poolShape(n int, in Shape, kernel, stride, pad int) kernels.PoolShape {
	if stride == 0 {
		stride = kernel
	}
	return kernels.PoolShape{N: n, H: in.H, W: in.W, C: in.C, K: kernel, Stride: stride, Pad: pad}
}

func poolOut(s kernels.PoolShape) (Shape, error) {
	if err := s.Validate(); err != nil {
		return Shape{}, err
	}
	return Shape{s.OH(), s.OW(), s.C}, nil
}

type maxPoolLayer struct {
	pool *kernels.MaxPool
	run  *Run
}

func (l *maxPoolLayer) Forward(y, x []Float, _ Vectors) {
	l.pool.Forward(y, x, nil)
	l.run.Lap("max pool", Forward)
}

func (l *maxPoolLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		l.pool.Backward(dx, x, g)
	}
	l.run.Lap("max pool", Backward)
}

// Forgets says that the output is not read.
func (l *maxPoolLayer) Forgets() (x, y bool) { return false, true }

type avgPoolLayer struct {
	pool *kernels.AvgPool
	run  *Run
}

func (l *avgPoolLayer) Forward(y, x []Float, _ Vectors) {
	l.pool.Forward(y, x, nil)
	l.run.Lap("average pool", Forward)
}

func (l *avgPoolLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		l.pool.Backward(dx, g)
	}
	l.run.Lap("average pool", Backward)
}

// Forgets says that neither is read.
func (l *avgPoolLayer) Forgets() (x, y bool) { return true, true }

type globalPoolLayer struct {
	n   int
	in  Shape
	run *Run
}

func (l *globalPoolLayer) Forward(y, x []Float, _ Vectors) {
	kernels.GlobalAvgPool(y, x, l.n, l.in.H*l.in.W, l.in.C)
	l.run.Lap("global average pool", Forward)
}

func (l *globalPoolLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		kernels.GlobalAvgPoolBackward(dx, g, l.n, l.in.H*l.in.W, l.in.C)
	}
	l.run.Lap("global average pool", Backward)
}

// Forgets says that neither is read.
func (l *globalPoolLayer) Forgets() (x, y bool) { return true, true }
