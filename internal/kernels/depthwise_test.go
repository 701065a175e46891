package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// latticeShapes are those whose stride and dilation take different ways: with and without a common divisor, widths that the
// sets of columns divide and that they do not, borders wider than the image, pixels that no tap reads.
var latticeShapes = []ConvShape{
	{2, 9, 32, 16, 16, 3, 3, 1, 2, 2},
	{2, 5, 24, 16, 16, 5, 5, 1, 4, 2},
	{2, 4, 40, 20, 20, 7, 7, 1, 6, 2},
	{2, 5, 12, 16, 16, 3, 3, 1, 3, 3},
	{2, 6, 33, 16, 16, 3, 3, 1, 2, 2},
	{2, 32, 32, 16, 16, 3, 3, 2, 2, 2},
	{2, 11, 34, 16, 16, 5, 5, 2, 4, 2},
	{2, 8, 8, 40, 40, 7, 7, 2, 6, 2},
	{2, 9, 9, 16, 16, 3, 3, 2, 1, 2},
	{2, 10, 9, 5, 5, 3, 3, 2, 3, 2},
	{2, 16, 16, 16, 16, 3, 3, 4, 3, 2},
	{2, 17, 16, 16, 16, 3, 3, 2, 5, 4},
	{2, 19, 22, 33, 33, 3, 3, 6, 4, 4},
	{2, 12, 12, 16, 16, 2, 2, 3, 1, 3},
	{3, 1, 1, 16, 16, 3, 3, 3, 5, 3},
	{2, 2, 1, 7, 7, 3, 3, 2, 3, 2},
	{18, 6, 16, 16, 16, 3, 3, 2, 0, 2},
}

func TestDepthwiseLattice(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range latticeShapes {
			for _, place := range []place{place(i % 4), edge} {
				h := newHarness(t, place, uint64(i))
				c := NewDepthwise(s)
				n := s.KH * s.KW * s.IC
				in := &Affine{ReLU: true}
				x, w, g := h.normal("x", s.XLen()), h.normal("w", n), h.normal("g", s.YLen())
				active := h.out("In(x)", s.XLen())
				in.rows(active, x, s.N*s.H*s.W, s.IC)
				y, fused, dx := h.out("y", s.YLen()), h.out("fused y", s.YLen()), h.out("dx", s.XLen())
				dw, fusedDW := h.out("dw", n), h.out("fused dw", n)
				run := func() {
					c.Forward(y, x, w, nil)
					c.Forward(fused, x, w, in)
					c.BackwardData(dx, g, w)
					c.BackwardWeights(dw, x, g, nil)
					c.BackwardWeights(fusedDW, x, g, in)
				}
				run()
				for _, d := range []struct {
					name string
					got  []Float
					twin func(out, a, b []float64, s ConvShape)
					a, b []Float
				}{
					{"y", y, twinDepthwiseForward[float64], x, w},
					{"fused y", fused, twinDepthwiseForward[float64], active, w},
					{"dx", dx, twinDepthwiseData[float64], g, w},
					{"dw", dw, twinDepthwiseWeights[float64], x, g},
					{"fused dw", fusedDW, twinDepthwiseWeights[float64], active, g},
				} {
					value, terms := make([]float64, len(d.got)), make([]float64, len(d.got))
					d.twin(value, widen(d.a), widen(d.b), s)
					d.twin(terms, absolute(d.a), absolute(d.b), s)
					h.close(fmt.Sprint(s, " ", d.name), d.got, value, terms, convRoundings)
				}
				if place != edge {
					sameBits(t, fmt.Sprint(s), func() [][]Float {
						run()
						return [][]Float{taken(y), taken(fused), taken(dx), taken(dw), taken(fusedDW)}
					})
					noAllocations(t, fmt.Sprint(s), run)
				}
				h.done()
			}
		}
	})
}

// The lattice of a convolution reads the pixels that the convolution reads.
func TestLattice(t *testing.T) {
	for _, s := range append(latticeShapes, depthwiseShapes()...) {
		p, l := s.lattice()
		for k := range s.KH {
			for o := range s.OH() {
				want := o*s.Stride - s.Pad + k*s.Dilation
				i := o*p.Stride - p.Pad + k*p.Dilation
				if got := l.at + i*l.step; got != want {
					t.Fatalf("%v: output %d, tap %d: pixel %d, want %d", s, o, k, got, want)
				}
				if inside := i >= 0 && i < p.H; p.H > 0 && inside != (want >= 0 && want < s.H) || l.top+i < 0 || l.top+i >= l.ph {
					t.Fatalf("%v: output %d, tap %d: row %d of %d, border %d of %d", s, o, k, i, p.H, l.top, l.ph)
				}
			}
		}
	}
}

// An image that is read where it stands gives the bits that its bordered copy gives, padding times infinity included.
func TestDepthwiseStanding(t *testing.T) {
	bits := func(x []Float) []uint64 {
		b := make([]uint64, len(x))
		for i, v := range x {
			b[i] = bitsOf(v)
			if math.IsNaN(float64(v)) {
				b[i] = bitsOf(Float(math.NaN())) // whose payload is nobody's promise
			}
		}
		return b
	}
	eachISA(t, func(t *testing.T) {
		standing := 0
		for i, s := range append(depthwiseShapes(), latticeShapes...) {
			h := newHarness(t, place(i%4), uint64(i))
			c := NewDepthwise(s)
			n := s.KH * s.KW * s.IC
			x, w, g := h.normal("x", s.XLen()), h.normal("w", n), h.normal("g", s.YLen())
			if c.fwd.inPlace.lines != nil && c.data.inPlace.lines != nil && c.grad.standing != nil {
				standing++
			}
			h.pour(x)
			h.pour(w)
			h.pour(g)
			same := &Affine{}
			y, yCopied := h.out("y", s.YLen()), h.out("y", s.YLen())
			dw, dwCopied := h.out("dw", n), h.out("dw", n)
			c.Forward(y, x, w, nil)
			c.Forward(yCopied, x, w, same)
			c.BackwardWeights(dw, x, g, nil)
			c.BackwardWeights(dwCopied, x, g, same)
			if !slices.Equal(bits(y), bits(yCopied)) {
				t.Errorf("%v: y differs", s)
			}
			if !slices.Equal(bits(dw), bits(dwCopied)) {
				t.Errorf("%v: dw differs", s)
			}
			h.done()
		}
		if micro.depthwise.masks && standing < 5 {
			t.Errorf("all directions of only %d shapes are read where they stand", standing)
		}
	})
}
