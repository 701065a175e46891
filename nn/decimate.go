package nn

import "espalier/internal/kernels"

// Decimate takes the pixels Offset, Offset+Stride, Offset+2·Stride, … in both directions, and drops the others. With stride
// 2, the offsets 0 and 1 take two halves of a picture that share no pixel (factorized reduction).
type Decimate struct {
	Stride int `json:"stride,omitempty"`
	Offset int `json:"offset,omitempty"` // pixels
}

// Kind is "decimate".
func (d Decimate) Kind() string { return "decimate" }

// Out is ⌈(H−Offset)/Stride⌉×⌈(W−Offset)/Stride⌉×C.
func (d Decimate) Out(in Shape) (Shape, error) { return everyPixel(in, d.Stride, d.Offset) }

// Params is empty.
func (d Decimate) Params(Shape) []Param { return nil }

// MACs is 0.
func (d Decimate) MACs(Shape) int { return 0 }

// Build makes the layer.
func (d Decimate) Build(p *Plan, in Shape) Layer {
	out, err := d.Out(in)
	if err != nil {
		panic(err)
	}
	l := &decimateLayer{stride: orOne(d.Stride), offset: d.Offset, batch: p.Batch, in: in, out: out, run: p.Run}
	l.takeUnit, l.giveUnit = l.takeImage, l.giveImage
	return l
}

type decimateLayer struct {
	stride, offset, batch int
	in, out               Shape
	run                   *Run

	x, y               []Float // of the running call; backward, the gradients
	takeUnit, giveUnit func(worker, unit int)
}

func (l *decimateLayer) Forward(y, x []Float, _ Vectors) {
	l.each(x, y, l.takeUnit)
	l.run.Lap("decimate", Forward)
}

func (l *decimateLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		clear(dx)
		l.each(dx, g, l.giveUnit)
	}
	l.run.Lap("decimate", Backward)
}

func (l *decimateLayer) each(x, y []Float, unit func(worker, unit int)) {
	l.x, l.y = x, y
	kernels.Parallel(l.batch, unit)
	l.x, l.y = nil, nil
}

func (l *decimateLayer) takeImage(_, n int) {
	l.pixels(n, func(x, y []Float) { copy(y, x) })
}

func (l *decimateLayer) giveImage(_, n int) {
	l.pixels(n, func(x, y []Float) { copy(x, y) })
}

// pixels calls f for each pixel of the output with the one of the input that it is.
func (l *decimateLayer) pixels(n int, f func(x, y []Float)) {
	c := l.in.C
	x, y := l.x[n*l.in.Len():][:l.in.Len()], l.y[n*l.out.Len():][:l.out.Len()]
	for h := range l.out.H {
		row := x[(h*l.stride+l.offset)*l.in.W*c:]
		for w := range l.out.W {
			f(row[(w*l.stride+l.offset)*c:][:c], y[(h*l.out.W+w)*c:][:c])
		}
	}
}

// Forgets says that neither is read.
func (l *decimateLayer) Forgets() (x, y bool) { return true, true }
