package kernels

import (
	"fmt"
	"math"
	"testing"
)

// unpaddedShapes have no border that could stand between what is not finite and the other products of a row.
var unpaddedShapes = []ConvShape{
	{2, 6, 7, 9, 20, 3, 3, 1, 0, 1},
	{9, 8, 8, 16, 16, 3, 3, 1, 0, 1},
	{2, 9, 9, 16, 33, 3, 3, 2, 0, 1},
	{2, 9, 8, 5, 16, 3, 3, 1, 0, 2},
	{2, 7, 7, 3, 16, 5, 5, 1, 0, 1},
}

// NaN and infinities, in whichever operand, reach every result that they are a factor of, and no other. Padding counts as
// zeros that are multiplied: an infinite factor beside it gives NaN.
func TestConvNotFinite(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range append(unpaddedShapes, convShapes...) {
			c := NewConv(s)
			eachPoured(t, place(i%4), uint64(i), s, s.WLen(), func(h *harness, what string, x, w, g []Float) {
				y, dx, dw, both := h.out("y", s.YLen()), h.out("dx", s.XLen()), h.out("dw", s.WLen()), h.out("dw", s.WLen())
				c.Forward(y, x, w, ConvForward{})
				c.BackwardWeights(dw, x, g)
				c.Backward(dx, both, x, g, w, ConvBackward{})
				want := make([]float64, len(y))
				s.padded(func(py, pw, px int) {
					for i := range s.IC {
						v := pixel(x, px, i, s.IC)
						for o, u := range w[(pw*s.IC+i)*s.OC:][:s.OC] {
							want[py*s.OC+o] += v * float64(u)
						}
					}
				})
				sameKind(t, what+" y", y, want)
				want = make([]float64, len(dw))
				s.padded(func(py, pw, px int) {
					for i := range s.IC {
						v := pixel(x, px, i, s.IC)
						for o, u := range g[py*s.OC:][:s.OC] {
							want[(pw*s.IC+i)*s.OC+o] += v * float64(u)
						}
					}
				})
				sameKind(t, what+" dw", dw, want)
				sameKind(t, what+" dw beside dx", both, want)
				want = make([]float64, len(dx))
				s.scattered(func(px, pw, py int) {
					for o := range s.OC {
						v := pixel(g, py, o, s.OC)
						for i := range s.IC {
							want[px*s.IC+i] += v * float64(w[(pw*s.IC+i)*s.OC+o])
						}
					}
				})
				sameKind(t, what+" dx", dx, want)
			})
		}
	})
}

// As TestConvNotFinite, of depthwise convolutions.
func TestDepthwiseNotFinite(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range append(depthwiseShapes(), latticeShapes...) {
			c, n := NewDepthwise(s), s.KH*s.KW*s.IC
			eachPoured(t, place(i%4), uint64(i), s, n, func(h *harness, what string, x, w, g []Float) {
				y, dx, dw := h.out("y", s.YLen()), h.out("dx", s.XLen()), h.out("dw", n)
				c.Forward(y, x, w, nil)
				c.BackwardData(dx, g, w)
				c.BackwardWeights(dw, x, g, nil)
				wantY, wantX, wantW := make([]float64, len(y)), make([]float64, len(dx)), make([]float64, n)
				s.padded(func(py, pw, px int) {
					for k := range s.IC {
						v := pixel(x, px, k, s.IC)
						wantY[py*s.IC+k] += v * float64(w[pw*s.IC+k])
						wantW[pw*s.IC+k] += v * float64(g[py*s.IC+k])
					}
				})
				s.scattered(func(px, pw, py int) {
					for k := range s.IC {
						wantX[px*s.IC+k] += pixel(g, py, k, s.IC) * float64(w[pw*s.IC+k])
					}
				})
				sameKind(t, what+" y", y, wantY)
				sameKind(t, what+" dw", dw, wantW)
				sameKind(t, what+" dx", dx, wantX)
			})
		}
	})
}

// What is not finite comes out of a Separable where it comes out of its two convolutions.
func TestSeparableNotFinite(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range separableShapes() {
			if testing.Short() && i%5 != 0 {
				continue
			}
			oc := s.OC + 4*(i%3)
			c, depth := NewSeparable(s, oc), NewDepthwise(s)
			p := ConvShape{N: s.N, H: s.OH(), W: s.OW(), IC: s.OC, OC: oc, KH: 1, KW: 1, Stride: 1, Dilation: 1}
			point, after := NewConv(p), NewNorm(s.N, p.H*p.W, oc, false)
			after.Fold(nil, nil, make([]Float, oc), narrow(fill(oc, 1)), 0)
			for k, name := range []string{"x", "wd", "wp", "g"} {
				h := newHarness(t, place(i%4), uint64(i))
				x, wd, wp, g := h.normal("x", s.XLen()), h.normal("wd", s.KH*s.KW*s.IC), h.normal("wp", p.WLen()), h.normal("g", p.YLen())
				h.pour([][]Float{x, wd, wp, g}[k])
				d, z, gz, gd := h.out("d", p.XLen()), h.out("z", p.YLen()), h.out("gz", p.YLen()), h.out("gd", p.XLen())
				dx, dwd, dwp := h.out("dx", s.XLen()), h.out("dwd", len(wd)), h.out("dwp", len(wp))
				depth.Forward(d, x, wd, nil)
				point.Forward(z, d, wp, ConvForward{})
				after.Sums(z, g)
				after.Gradients(nil, nil, nil)
				after.Backward(gz, z, g)
				point.BackwardData(gd, gz, wp)
				point.BackwardWeights(dwp, d, gz)
				depth.BackwardData(dx, gd, wd)
				depth.BackwardWeights(dwd, x, gd, nil)

				z2, dx2, dwd2, dwp2 := h.out("z", p.YLen()), h.out("dx", s.XLen()), h.out("dwd", len(wd)), h.out("dwp", len(wp))
				c.Forward(z2, x, wd, wp, ConvForward{})
				c.Backward(dx2, dwd2, dwp2, x, g, wd, wp, ConvBackward{Out: after, Z: z2})
				for _, r := range []struct {
					name      string
					got, want []Float
				}{{"z", z2, z}, {"dx", dx2, dx}, {"dwd", dwd2, dwd}, {"dwp", dwp2, dwp}} {
					sameKind(t, fmt.Sprintf("%v, %s not finite: %s", s, name, r.name), r.got, widen(r.want))
				}
				h.done()
			}
		}
	})
}

// eachPoured calls f with what is not finite in each of x, w, g, and in all of them.
func eachPoured(t *testing.T, p place, seed uint64, s ConvShape, weights int, f func(h *harness, what string, x, w, g []Float)) {
	for i, name := range []string{"x", "w", "g", "all"} {
		h := newHarness(t, p, 100+seed)
		operands := [][]Float{h.normal("x", s.XLen()), h.normal("w", weights), h.normal("g", s.YLen())}
		for k, operand := range operands {
			if k == i || name == "all" {
				h.pour(operand)
			}
		}
		f(h, fmt.Sprintf("%v, %s not finite:", s, name), operands[0], operands[1], operands[2])
		h.done()
	}
}

// pixel is channel k of a pixel, 0 of padding.
func pixel(x []Float, at, k, channels int) float64 {
	if at < 0 {
		return 0
	}
	return float64(x[at*channels+k])
}

// sameKind checks that NaN meets NaN, an infinity itself, and a number a number.
func sameKind(t *testing.T, what string, got []Float, want []float64) {
	t.Helper()
	for i, w := range want {
		g := float64(got[i])
		if math.IsNaN(g) != math.IsNaN(w) || (math.IsInf(g, 0) || math.IsInf(w, 0)) && g != w {
			t.Fatalf("%s: element %d is %g, want %g", what, i, g, w)
		}
	}
}
