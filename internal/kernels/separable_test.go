package kernels

import (
	"fmt"
	"slices"
	"testing"
)

// separableShapes have every kernel, stride and dilation of the primitives, with channels that fill vectors and that do not.
func separableShapes() (shapes []ConvShape) {
	for i, c := range []int{4, 8, 12, 16, 20, 36, 64, 80} {
		for _, k := range []int{3, 5, 7} {
			for stride := 1; stride <= 2; stride++ {
				d := 1 + (i+k/2)%2
				shapes = append(shapes, ConvShape{5 + 12*(i%2), 8, 8, c, c, k, k, stride, d * (k - 1) / 2, d})
			}
		}
	}
	return append(shapes, ConvShape{3, 17, 16, 16, 16, 3, 3, 1, 1, 1}, ConvShape{2, 7, 9, 5, 5, 5, 5, 2, 2, 1})
}

// A Separable computes what a Depthwise and a Conv compute one after the other.
func TestSeparable(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range separableShapes() {
			if testing.Short() && i%5 != 0 {
				continue
			}
			h := newHarness(t, place(i%4), uint64(i))
			oc := s.OC + 4*(i%3)
			c, depth := NewSeparable(s, oc), NewDepthwise(s)
			p := ConvShape{N: s.N, H: s.OH(), W: s.OW(), IC: s.OC, OC: oc, KH: 1, KW: 1, Stride: 1, Dilation: 1}
			point := NewConv(p)
			x, wd, wp := h.normal("x", s.XLen()), h.normal("wd", s.KH*s.KW*s.IC), h.normal("wp", p.WLen())
			g := h.normal("g", p.YLen())
			before := NewNorm(s.N, s.H*s.W, s.IC, true)
			before.Gather(x)
			before.Train(nil, nil, 1e-5)
			after, want := NewNorm(s.N, p.H*p.W, oc, false), NewNorm(s.N, p.H*p.W, oc, false)

			active, d, z := h.out("In(x)", s.XLen()), h.out("d", p.XLen()), h.out("z", p.YLen())
			before.Apply(active, x)
			depth.Forward(d, active, wd, nil)
			point.Forward(z, d, wp, ConvForward{Stats: want})
			want.Train(nil, nil, 1e-5)
			want.Sums(z, g)
			want.Gradients(nil, nil, nil)
			gz, gd := h.out("gz", p.YLen()), h.out("gd", p.XLen())
			want.Backward(gz, z, g)
			dx, dwd, dwp := h.out("dx", s.XLen()), h.out("dwd", len(wd)), h.out("dwp", len(wp))
			point.BackwardData(gd, gz, wp)
			point.BackwardWeights(dwp, d, gz)
			depth.BackwardData(dx, gd, wd)
			depth.BackwardWeights(dwd, active, gd, nil)
			sums := NewNorm(s.N, s.H*s.W, s.IC, true)
			sums.Gather(x)
			sums.Train(nil, nil, 1e-5)
			sums.Sums(x, dx)

			z2, dx2 := h.out("z", p.YLen()), h.out("dx", s.XLen())
			dwd2, dwp2, added := h.out("dwd", len(wd)), h.out("dwp", len(wp)), h.out("added", s.XLen())
			run := func() {
				c.Forward(z2, x, wd, wp, ConvForward{In: &before.Affine, Stats: after})
				after.Train(nil, nil, 1e-5)
				after.Sums(z2, g)
				after.Gradients(nil, nil, nil)
				b := ConvBackward{In: &before.Affine, Out: after, Z: z2, Sums: before}
				c.Backward(dx2, dwd2, dwp2, x, g, wd, wp, b)
				b.In, b.Sums, b.Accumulate = nil, nil, true
				copy(added, x)
				c.Backward(added, nil, nil, active, g, wd, wp, b)
			}
			relu := Affine{ReLU: true}
			gated, rectified, dwd3, dwp3 := h.out("gated", s.XLen()), h.out("rectified", s.XLen()), h.out("dwd", len(wd)), h.out("dwp", len(wp))
			gate := func() { // a ReLU before it, with the gradient at its input and without
				b := ConvBackward{In: &relu, Out: after, Z: z2, Gate: true}
				c.Backward(gated, dwd3, dwp3, x, g, wd, wp, b)
				b.Gate = false
				c.Backward(rectified, dwd3, dwp3, x, g, wd, wp, b)
				ReLUBackward(rectified, x, rectified, nil, nil, nil, nil)
			}
			run()
			gate()
			identical(t, fmt.Sprint(s, " dx behind a ReLU"), gated, rectified)
			clear(dwd3)
			clear(dwp3)
			c.Backward(nil, dwd3, dwp3, x, g, wd, wp, ConvBackward{In: &before.Affine, Out: after, Z: z2})
			identical(t, fmt.Sprint(s, " dwd without dx"), dwd3, dwd2)
			identical(t, fmt.Sprint(s, " dwp without dx"), dwp3, dwp2)
			for _, r := range []struct {
				name      string
				got, want []Float
			}{{"z", z2, z}, {"dx", dx2, dx}, {"dwd", dwd2, dwd}, {"dwp", dwp2, dwp}} {
				alike(t, fmt.Sprint(s, " ", r.name), r.got, r.want)
			}
			for k := range dx {
				dx[k] += x[k]
			}
			alike(t, fmt.Sprint(s, " dx, added"), added, dx)
			alike(t, fmt.Sprint(s, " sums"), narrow(before.sums), narrow(sums.sums))
			sameBits(t, fmt.Sprint(s), func() [][]Float {
				run()
				return [][]Float{taken(z2), taken(dx2), taken(dwd2), taken(dwp2), taken(added)}
			})
			noAllocations(t, fmt.Sprint(s), run)
			h.done()
		}
	})
}

// identical checks that vectors have the same bits.
func identical(t *testing.T, what string, got, want []Float) {
	t.Helper()
	if !slices.EqualFunc(got, want, func(a, b Float) bool { return bitsOf(a) == bitsOf(b) }) {
		t.Errorf("%s: other bits than expected", what)
	}
}

// alike checks that vectors differ by roundings of sums of a few hundred terms.
func alike(t *testing.T, what string, got, want []Float) {
	t.Helper()
	var distance, length float64
	for i, w := range want {
		d := float64(got[i] - w)
		distance += d * d
		length += float64(w) * float64(w)
	}
	if bound := 30 * epsilon; !(distance <= bound*bound*length) {
		t.Errorf("%s: the square of the distance is %g, of the length %g", what, distance, length)
	}
}
