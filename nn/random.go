package nn

import (
	"espalier/internal/kernels"
	"espalier/internal/rng"
)

// stream is where layers draw from.
func (r *Run) stream() *rng.Stream {
	if r.Random == nil {
		r.Random = rng.New(0, "nn")
	}
	return r.Random
}

// DropPath lets each image's branch through with probability 1−p, divided by 1−p, and otherwise replaces it by zeros
// (Larsson et al., 2016), in training steps; p is Run.DropPath. In evaluation it passes its input on.
type DropPath struct{}

// Kind is "drop_path".
func (DropPath) Kind() string { return "drop_path" }

// Out is in.
func (DropPath) Out(in Shape) (Shape, error) { return in, in.Validate() }

// Params is empty.
func (DropPath) Params(Shape) []Param { return nil }

// MACs is 0.
func (DropPath) MACs(Shape) int { return 0 }

// Build makes the layer.
func (DropPath) Build(p *Plan, in Shape) Layer {
	l := &dropPathLayer{image: in.Len(), factors: make([]Float, p.Batch), infer: p.infer, run: p.Run}
	l.unit = l.scaleImage
	return l
}

type dropPathLayer struct {
	image   int     // elements
	factors []Float // (N), of the last forward pass
	infer   bool
	run     *Run

	dst, src []Float // of the running call
	unit     func(worker, unit int)
}

func (l *dropPathLayer) Forward(y, x []Float, _ Vectors) {
	keep := 1 - l.run.DropPath
	for n := range l.factors {
		l.factors[n] = 1
		if keep == 1 || l.infer {
			continue
		}
		l.factors[n] = 0
		if l.run.stream().Bernoulli(keep) {
			l.factors[n] = Float(1 / keep)
		}
	}
	l.scale(y, x)
	l.run.Lap("drop path", Forward)
}

func (l *dropPathLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	if dx != nil {
		l.scale(dx, g)
	}
	l.run.Lap("drop path", Backward)
}

// scale writes dst = factors·src.
func (l *dropPathLayer) scale(dst, src []Float) {
	l.dst, l.src = dst, src
	kernels.Parallel(len(l.factors), l.unit)
	l.dst, l.src = nil, nil
}

func (l *dropPathLayer) scaleImage(_, n int) {
	dst, src := l.dst[n*l.image:][:l.image], l.src[n*l.image:][:l.image]
	switch f := l.factors[n]; f {
	case 0: // of a NaN too
		clear(dst)
	case 1:
		copy(dst, src)
	default:
		for i, v := range src {
			dst[i] = f * v
		}
	}
}

// InPlace reports that dx may be g.
func (l *dropPathLayer) InPlace() bool { return true }

// Forgets says that neither is read.
func (l *dropPathLayer) Forgets() (x, y bool) { return true, true }

// Noise gives normal noise of mean 0 and variance 1 in the shape of every Stride-th pixel of its input, fresh in every
// pass, in evaluation too. Nothing of its input passes: it is a candidate that a search should not choose (Zela et al.,
// 2020, space S4).
type Noise struct {
	Stride int `json:"stride,omitempty"`
}

// Kind is "noise".
func (n Noise) Kind() string { return "noise" }

// Out is ⌈H/Stride⌉×⌈W/Stride⌉×C.
func (n Noise) Out(in Shape) (Shape, error) { return everyPixel(in, n.Stride, 0) }

// Params is empty.
func (n Noise) Params(Shape) []Param { return nil }

// MACs is 0.
func (n Noise) MACs(Shape) int { return 0 }

// Build makes the layer.
func (n Noise) Build(p *Plan, in Shape) Layer { return noiseLayer{p.Run} }

type noiseLayer struct{ run *Run }

func (l noiseLayer) Forward(y, x []Float, _ Vectors) {
	r := l.run.stream()
	for i := range y {
		y[i] = Float(float32(r.NormFloat64()))
	}
	l.run.Lap("noise", Forward)
}

func (l noiseLayer) Backward(dx, x, y, g []Float, _ Vectors) {
	clear(dx)
	l.run.Lap("noise", Backward)
}

// Forgets says that neither is read.
func (l noiseLayer) Forgets() (x, y bool) { return true, true }
