package nn

import "fmt"

// Zero gives zeros in the shape of every Stride-th pixel of its input: the operation "none" of search spaces.
type Zero struct {
	Stride int `json:"stride,omitempty"`
}

// Kind is "zero".
func (z Zero) Kind() string { return "zero" }

// Out is ⌈H/Stride⌉×⌈W/Stride⌉×C.
func (z Zero) Out(in Shape) (Shape, error) { return everyPixel(in, z.Stride, 0) }

// Params is empty.
func (z Zero) Params(Shape) []Param { return nil }

// MACs is 0.
func (z Zero) MACs(Shape) int { return 0 }

// Build makes the layer.
func (z Zero) Build(p *Plan, in Shape) Layer { return zeroLayer{p.Run} }

type zeroLayer struct{ run *Run }

func (l zeroLayer) Forward(y, x []Float, _ Vectors) {
	clear(y)
	l.run.Lap("zero", Forward)
}

func (l zeroLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	clear(dx)
	l.run.Lap("zero", Backward)
}

// Forgets says that neither is read.
func (l zeroLayer) Forgets() (x, y bool) { return true, true }

// everyPixel is the shape of every stride-th pixel of in, the first at offset.
func everyPixel(in Shape, stride, offset int) (Shape, error) {
	k := orOne(stride)
	if k < 1 || offset < 0 || offset >= in.H || offset >= in.W {
		return Shape{}, fmt.Errorf("every %d-th pixel of %v from %d on: the stride must be positive and the first pixel in the image", k, in, offset)
	}
	return Shape{(in.H - offset + k - 1) / k, (in.W - offset + k - 1) / k, in.C}, in.Validate()
}
