package nn

import (
	"fmt"

	"espalier/internal/kernels"
)

// Shuffle deals out the channels of Groups groups, of C/Groups channels each, in turn: the first of each, the second of each,
// and so on, so that groups that were computed apart mix (Zhang et al., "ShuffleNet", 2018).
type Shuffle struct {
	Groups int `json:"groups"` // divides C
}

// Kind is "shuffle".
func (s Shuffle) Kind() string { return "shuffle" }

// Out is the shape of the input.
func (s Shuffle) Out(in Shape) (Shape, error) {
	if s.Groups < 1 || in.C%s.Groups != 0 {
		return Shape{}, fmt.Errorf("%d channels cannot be shuffled in %d groups", in.C, s.Groups)
	}
	return in, in.Validate()
}

// Params is empty.
func (s Shuffle) Params(Shape) []Param { return nil }

// MACs is 0.
func (s Shuffle) MACs(Shape) int { return 0 }

// Build makes the layer.
func (s Shuffle) Build(p *Plan, in Shape) Layer {
	l := &shuffleLayer{groups: s.Groups, batch: p.Batch, in: in, run: p.Run}
	l.dealUnit, l.gatherUnit = l.dealImage, l.gatherImage
	return l
}

type shuffleLayer struct {
	groups, batch int
	in            Shape
	run           *Run

	x, y                 []Float // of the running call; backward, the gradients
	dealUnit, gatherUnit func(worker, unit int)
}

func (l *shuffleLayer) Forward(y, x []Float, _ Vectors) {
	l.each(x, y, l.dealUnit)
	l.run.Lap("shuffle", Forward)
}

func (l *shuffleLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		l.each(dx, g, l.gatherUnit)
	}
	l.run.Lap("shuffle", Backward)
}

func (l *shuffleLayer) each(x, y []Float, unit func(worker, unit int)) {
	l.x, l.y = x, y
	kernels.Parallel(l.batch, unit)
	l.x, l.y = nil, nil
}

func (l *shuffleLayer) dealImage(_, n int) {
	l.pairs(n, func(x, y *Float) { *y = *x })
}

func (l *shuffleLayer) gatherImage(_, n int) {
	l.pairs(n, func(x, y *Float) { *x = *y })
}

// pairs calls f for each element of the input of image n and the one of the output that it becomes.
func (l *shuffleLayer) pairs(n int, f func(x, y *Float)) {
	c := l.in.C
	x, y := l.x[n*l.in.Len():][:l.in.Len()], l.y[n*l.in.Len():][:l.in.Len()]
	for p := 0; p < len(x); p += c {
		for k := range c {
			f(&x[p+k], &y[p+k%(c/l.groups)*l.groups+k/(c/l.groups)])
		}
	}
}

// Forgets says that neither is read.
func (l *shuffleLayer) Forgets() (x, y bool) { return true, true }
