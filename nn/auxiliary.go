package nn

import (
	"fmt"

	"espalier/internal/kernels"
)

// Auxiliary passes its input on unchanged. In training, a head reads it too, whose loss, times Weight, is added to the
// network's (Szegedy et al., 2014): gradients reach the layers below it on a short way. In evaluation there is no head.
//
// The loss and the labels are those of the training program that the layer stands in; a layer that runs by itself has none,
// and its head does not learn.
type Auxiliary struct {
	Weight float64    `json:"weight"` // of the head's loss, at least 0
	Head   Sequential `json:"head"`   // ends in logits (1x1xK)
}

// Kind is "auxiliary".
func (a Auxiliary) Kind() string { return "auxiliary" }

// Out is in.
func (a Auxiliary) Out(in Shape) (Shape, error) {
	if !(a.Weight >= 0) {
		return Shape{}, fmt.Errorf("an auxiliary head of weight %v", a.Weight)
	}
	out, err := output(a.Head, in)
	if err != nil {
		return Shape{}, err
	}
	if out.H != 1 || out.W != 1 {
		return Shape{}, fmt.Errorf("the auxiliary head ends in %v, a loss needs logits (1x1xK)", out)
	}
	return in, nil
}

// Build makes the layer; in a program without gradients, one without head.
func (a Auxiliary) Build(p *Plan, in Shape) Layer {
	l := &auxiliaryLayer{run: p.Run, weight: a.Weight}
	if p.infer {
		return l
	}
	begin := forward(p.unit)
	out, err := output(a.Head, in)
	if err != nil {
		panic(err)
	}
	l.classes = out.C
	l.head = DAG{Vertices: []Vertex{{From: []int{0}, Layers: a.Head}}}.Build(p, in)
	l.logits, l.grad = p.Keep(p.Batch*out.C), p.Keep(p.Batch*out.C)
	l.dx = p.add(p.Batch*in.Len(), forward(p.unit).back(), begin.back())
	return l
}

type auxiliaryLayer struct {
	run          *Run
	weight       float64
	classes      int
	head         Layer   // nil: there is no backward pass
	logits, grad *Buffer // (N,K)
	dx           *Buffer // the head's share
}

func (l *auxiliaryLayer) Forward(y, x []Float, v Vectors) {
	copy(y, x)
	if l.head == nil || l.run.labels == nil {
		return
	}
	l.head.Forward(l.logits.Data, x, v)
	loss, _ := l.run.loss.Loss(l.grad.Data, l.logits.Data, l.run.labels, l.classes)
	l.run.auxiliary += l.weight * loss
	kernels.Scale(l.grad.Data, Float(l.weight))
	l.run.Lap("auxiliary loss", Forward)
}

func (l *auxiliaryLayer) Backward(dx, x, y, g []Float, v Vectors) {
	switch {
	case l.run.labels == nil:
		clear(v.Grads)
		copy(dx, g)
	case dx == nil:
		l.head.Backward(nil, x, l.logits.Data, l.grad.Data, v)
	default:
		l.head.Backward(l.dx.Data, x, l.logits.Data, l.grad.Data, v)
		kernels.Add(dx, g, l.dx.Data)
	}
	l.run.Lap("auxiliary loss", Backward)
}

// InPlace reports that dx may be g.
func (l *auxiliaryLayer) InPlace() bool { return true }

// Forgets says that the output is not read.
func (l *auxiliaryLayer) Forgets() (x, y bool) { return false, true }
