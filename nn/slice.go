package nn

import (
	"fmt"

	"espalier/internal/kernels"
)

// Slice takes Channels channels from channel From on, and drops the others.
type Slice struct {
	From     int `json:"from,omitempty"`
	Channels int `json:"channels"`
}

// Kind is "slice".
func (s Slice) Kind() string { return "slice" }

// Out is H×W×Channels.
func (s Slice) Out(in Shape) (Shape, error) {
	if s.From < 0 || s.Channels < 1 || s.Channels > in.C-s.From {
		return Shape{}, fmt.Errorf("a slice of %d channels from %d on: want 1 or more of the %d that there are", s.Channels, s.From, in.C)
	}
	return Shape{in.H, in.W, s.Channels}, in.Validate()
}

// Params is empty.
func (s Slice) Params(Shape) []Param { return nil }

// MACs is 0.
func (s Slice) MACs(Shape) int { return 0 }

// Build makes the layer.
func (s Slice) Build(p *Plan, in Shape) Layer {
	l := &sliceLayer{Slice: s, batch: p.Batch, in: in, run: p.Run}
	l.takeUnit, l.giveUnit = l.takeImage, l.giveImage
	return l
}

type sliceLayer struct {
	Slice
	batch int
	in    Shape
	run   *Run

	x, y               []Float // of the running call; backward, the gradients
	takeUnit, giveUnit func(worker, unit int)
}

func (l *sliceLayer) Forward(y, x []Float, _ Vectors) {
	l.each(x, y, l.takeUnit)
	l.run.Lap("slice", Forward)
}

func (l *sliceLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		l.each(dx, g, l.giveUnit)
	}
	l.run.Lap("slice", Backward)
}

func (l *sliceLayer) each(x, y []Float, unit func(worker, unit int)) {
	l.x, l.y = x, y
	kernels.Parallel(l.batch, unit)
	l.x, l.y = nil, nil
}

// image is image n of both sides.
func (l *sliceLayer) image(n int) (x, y []Float) {
	pixels := l.in.H * l.in.W
	return l.x[n*l.in.Len():][:l.in.Len()], l.y[n*pixels*l.Channels:][:pixels*l.Channels]
}

func (l *sliceLayer) takeImage(_, n int) {
	x, y := l.image(n)
	for p := range l.in.H * l.in.W {
		copy(y[p*l.Channels:][:l.Channels], x[p*l.in.C+l.From:])
	}
}

func (l *sliceLayer) giveImage(_, n int) {
	dx, g := l.image(n)
	clear(dx)
	for p := range l.in.H * l.in.W {
		copy(dx[p*l.in.C+l.From:], g[p*l.Channels:][:l.Channels])
	}
}

// Forgets says that neither is read.
func (l *sliceLayer) Forgets() (x, y bool) { return true, true }
