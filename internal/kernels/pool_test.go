package kernels

import (
	"fmt"
	"math"
	"testing"
)

var poolShapes = []PoolShape{
	{N: 2, H: 7, W: 9, K: 3, Stride: 1, Pad: 1},
	{N: 2, H: 8, W: 6, K: 3, Stride: 2, Pad: 1},
	{N: 1, H: 9, W: 5, K: 2, Stride: 2, Pad: 0},
	{N: 1, H: 11, W: 12, K: 5, Stride: 3, Pad: 4},
	{N: 1, H: 2, W: 1, K: 3, Stride: 1, Pad: 1},
	{N: 1, H: 6, W: 5, K: 2, Stride: 4, Pad: 1},
	{N: 1, H: 1, W: 20, K: 3, Stride: 1, Pad: 2},
}

// window calls visit with the index of y and the indices of x in its window, in row order, for every element of y.
func (s PoolShape) window(visit func(y int, xs []int)) {
	for n := range s.N {
		for oh := range s.OH() {
			for ow := range s.OW() {
				for c := range s.C {
					var xs []int
					for kh := range s.K {
						for kw := range s.K {
							h, w := oh*s.Stride-s.Pad+kh, ow*s.Stride-s.Pad+kw
							if h >= 0 && h < s.H && w >= 0 && w < s.W {
								xs = append(xs, ((n*s.H+h)*s.W+w)*s.C+c)
							}
						}
					}
					visit(((n*s.OH()+oh)*s.OW()+ow)*s.C+c, xs)
				}
			}
		}
	}
}

// argmax is the first maximum, or the first NaN if there is one.
func argmax(x []float64, at []int) int {
	best := at[0]
	for _, i := range at {
		if math.IsNaN(x[i]) {
			return i
		}
		if x[i] > x[best] {
			best = i
		}
	}
	return best
}

func TestPools(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, s := range poolShapes {
			for _, c := range channelCounts {
				s.C = c
				for i, p := range places {
					h := newHarness(t, p, uint64(c))
					x, g := h.normal("x", s.XLen()), h.normal("g", s.YLen())
					for k := range x { // ties
						if i%2 == 0 {
							x[k] = Float(math.Round(float64(x[k])))
						}
					}
					if i == 1 || i == 2 {
						h.pour(x)
					}
					what := func(op string) string { return fmt.Sprintf("%s %+v", op, s) }
					wide, wideG := widen(x), widen(g)
					largest, mean, meanTerms := make([]float64, s.YLen()), make([]float64, s.YLen()), make([]float64, s.YLen())
					dmax, maxTerms := make([]float64, s.XLen()), make([]float64, s.XLen())
					dmean, dmeanTerms := make([]float64, s.XLen()), make([]float64, s.XLen())
					s.window(func(y int, xs []int) {
						best := argmax(wide, xs)
						largest[y] = wide[best]
						dmax[best] += wideG[y]
						maxTerms[best] += math.Abs(wideG[y])
						for _, k := range xs {
							mean[y] += wide[k] / float64(len(xs))
							meanTerms[y] += math.Abs(wide[k]) / float64(len(xs))
							dmean[k] += wideG[y] / float64(len(xs))
							dmeanTerms[k] += math.Abs(wideG[y]) / float64(len(xs))
						}
					})
					mp, ap := NewMaxPool(s), NewAvgPool(s)
					y, dx := h.out("y", s.YLen()), h.out("dx", s.XLen())
					mp.Forward(y, x, nil)
					h.close(what("max"), y, largest, nil, 0)
					mp.Backward(dx, x, g)
					h.close(what("max, backward"), dx, dmax, maxTerms, 8)
					ap.Forward(y, x, nil)
					h.close(what("average"), y, mean, meanTerms, 16)
					ap.Backward(dx, g)
					h.close(what("average, backward"), dx, dmean, dmeanTerms, 16)
					h.done()
				}
			}
		}
	})
}

func TestPoolsSameBits(t *testing.T) {
	s := PoolShape{N: 9, H: 12, W: 11, C: 33, K: 3, Stride: 2, Pad: 1}
	mp, ap := NewMaxPool(s), NewAvgPool(s)
	h := newHarness(t, 0, 1)
	x, g := h.normal("x", s.XLen()), h.normal("g", s.YLen())
	y, dx, wide := h.out("y", s.YLen()), h.out("dx", s.XLen()), h.out("wide", 2*s.YLen())
	stats, want := NewNorm(s.N, s.OH()*s.OW(), s.C, false), NewNorm(s.N, s.OH()*s.OW(), s.C, false)
	for name, forward := range map[string]func(y, x []Float, stats *Norm){"max": mp.Forward, "average": ap.Forward} {
		forward(y, x, stats)
		want.Gather(y)
		equal(t, name+", mean", narrow(stats.Mean), narrow(want.Mean))
		equal(t, name+", variance", narrow(stats.Var), narrow(want.Var))
	}
	sameBits(t, "pools", func() (results [][]Float) {
		keep := func(x []Float) { results = append(results, taken(x)) }
		mp.Forward(y, x, nil)
		keep(y)
		mp.Backward(dx, x, g)
		keep(dx)
		ap.Forward(y, x, nil)
		keep(y)
		ap.Backward(dx, g)
		keep(dx)
		GlobalAvgPool(y, x, s.N, s.H*s.W, s.C)
		keep(y)
		GlobalAvgPoolBackward(dx, g, s.N, s.H*s.W, s.C)
		keep(dx)
		Subsample(wide, x, s.N, s.H, s.W, s.C, 2*s.C, 2)
		copy(dx, x)
		SubsampleBackward(dx, wide, s.N, s.H, s.W, s.C, 2*s.C, 2)
		keep(dx)
		keep(wide)
		return results
	})
	noAllocations(t, "pools", func() {
		mp.Forward(y, x, nil)
		mp.Backward(dx, x, g)
		ap.Forward(y, x, nil)
		ap.Backward(dx, g)
		GlobalAvgPool(y, x, s.N, s.H*s.W, s.C)
		GlobalAvgPoolBackward(dx, g, s.N, s.H*s.W, s.C)
		Subsample(y, x, s.N, s.H, s.W, s.C, s.C, 2)
		SubsampleBackward(dx, g, s.N, s.H, s.W, s.C, s.C, 2)
	})
}

func TestGlobalAvgPool(t *testing.T) {
	const n = 3
	eachISA(t, func(t *testing.T) {
		for _, c := range channelCounts {
			for _, hw := range []int{1, 35, block + 9} {
				for _, p := range places {
					h := newHarness(t, p, uint64(c))
					x, y := h.normal("x", n*hw*c), h.out("y", n*c)
					want, terms := make([]float64, n*c), make([]float64, n*c)
					for i, v := range x {
						k := i/(hw*c)*c + i%c
						want[k] += float64(v) / float64(hw)
						terms[k] += math.Abs(float64(v)) / float64(hw)
					}
					GlobalAvgPool(y, x, n, hw, c)
					h.close(fmt.Sprintf("global average (HW=%d, C=%d)", hw, c), y, want, terms, 8)
					dx, g := h.out("dx", n*hw*c), h.normal("g", n*c)
					GlobalAvgPoolBackward(dx, g, n, hw, c)
					back := make([]float64, len(dx))
					for i := range back {
						back[i] = float64(g[i/(hw*c)*c+i%c]) / float64(hw)
					}
					h.close("global average, backward", dx, back, nil, 1)
					h.done()
				}
			}
		}
	})
}

func TestSubsample(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, s := range []struct{ n, h, w, ic, oc, stride int }{{2, 5, 6, 3, 8, 2}, {1, 4, 4, 16, 32, 2}, {2, 3, 4, 5, 5, 1}, {1, 7, 5, 17, 34, 3}} {
			h := newHarness(t, 1, 1)
			oh, ow := ceilDiv(s.h, s.stride), ceilDiv(s.w, s.stride)
			x, y, g := h.normal("x", s.n*s.h*s.w*s.ic), h.out("y", s.n*oh*ow*s.oc), h.normal("g", s.n*oh*ow*s.oc)
			dx := h.normal("dx", len(x))
			want, back := make([]float64, len(y)), widen(dx)
			before := (s.oc - s.ic) / 2
			for i := range want {
				c, w, r, n := i%s.oc, i/s.oc%ow, i/s.oc/ow%oh, i/s.oc/ow/oh
				if c < before || c >= before+s.ic {
					continue
				}
				at := ((n*s.h+r*s.stride)*s.w+w*s.stride)*s.ic + c - before
				want[i] = float64(x[at])
				back[at] += float64(g[i])
			}
			Subsample(y, x, s.n, s.h, s.w, s.ic, s.oc, s.stride)
			h.close("subsample", y, want, nil, 0)
			SubsampleBackward(dx, g, s.n, s.h, s.w, s.ic, s.oc, s.stride)
			h.close("subsample, backward", dx, back, fill(len(back), 4), 1)
			h.done()
		}
	})
}
