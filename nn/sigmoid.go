package nn

import (
	"math"

	"espalier/internal/kernels"
)

// Sigmoid is 1/(1+e⁻ˣ).
type Sigmoid struct{}

// Kind is "sigmoid".
func (Sigmoid) Kind() string { return "sigmoid" }

// Out is in.
func (Sigmoid) Out(in Shape) (Shape, error) { return in, in.Validate() }

// Params is empty.
func (Sigmoid) Params(Shape) []Param { return nil }

// MACs is 0.
func (Sigmoid) MACs(Shape) int { return 0 }

// Build makes the layer.
func (Sigmoid) Build(p *Plan, in Shape) Layer {
	l := &sigmoidLayer{batch: p.Batch, image: in.Len(), run: p.Run}
	l.forwardUnit, l.backwardUnit = l.forwardImage, l.backwardImage
	return l
}

type sigmoidLayer struct {
	batch, image int // image: elements
	run          *Run

	y, x, g                   []Float // of the running call; backward, x is dx
	forwardUnit, backwardUnit func(worker, unit int)
}

func (l *sigmoidLayer) Forward(y, x []Float, _ Vectors) {
	l.y, l.x = y, x
	kernels.Parallel(l.batch, l.forwardUnit)
	l.y, l.x = nil, nil
	l.run.Lap("sigmoid", Forward)
}

func (l *sigmoidLayer) forwardImage(_, n int) {
	y := l.y[n*l.image:][:l.image]
	for i, v := range l.x[n*l.image:][:l.image] {
		y[i] = Float(1 / (1 + math.Exp(-float64(v))))
	}
}

func (l *sigmoidLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		l.y, l.x, l.g = y, dx, g
		kernels.Parallel(l.batch, l.backwardUnit)
		l.y, l.x, l.g = nil, nil, nil
	}
	l.run.Lap("sigmoid", Backward)
}

func (l *sigmoidLayer) backwardImage(_, n int) {
	dx, g := l.x[n*l.image:][:l.image], l.g[n*l.image:][:l.image]
	for i, s := range l.y[n*l.image:][:l.image] {
		dx[i] = g[i] * s * (1 - s)
	}
}

// InPlace reports that dx may be g.
func (l *sigmoidLayer) InPlace() bool { return true }

// Forgets says that the input is not read.
func (l *sigmoidLayer) Forgets() (x, y bool) { return true, false }
