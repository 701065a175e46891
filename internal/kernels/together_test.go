package kernels

import (
	"fmt"
	"testing"
)

// Tasks side by side give the bits that they give alone, whatever they share, and whether or not they cut their batch alike.
func TestTogether(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range [][]ConvShape{
			{{7, 8, 8, 16, 16, 3, 3, 1, 1, 1}, {7, 8, 8, 16, 16, 5, 5, 1, 4, 2}, {7, 8, 8, 16, 16, 3, 3, 1, 2, 2}},
			{{5, 9, 8, 12, 12, 3, 3, 2, 1, 1}, {5, 9, 8, 12, 12, 5, 5, 2, 2, 1}},
			{{33, 16, 16, 20, 20, 3, 3, 1, 1, 1}, {33, 16, 16, 20, 20, 3, 3, 2, 1, 1}, {33, 16, 16, 20, 20, 5, 5, 2, 2, 1}},
		} {
			h := newHarness(t, places[i], uint64(i))
			n, c := s[0].N, s[0].IC
			x, before := h.normal("x", s[0].XLen()), NewNorm(n, s[0].H*s[0].W, c, true)
			before.Gather(x)
			before.Train(nil, nil, 1e-5)
			var plans []*Separable
			var wd, wp, g, z, dwd, dwp [][]Float
			var after []*Norm
			for _, s := range s {
				plans = append(plans, NewSeparable(s, c))
				after = append(after, NewNorm(n, s.OH()*s.OW(), c, false))
				wd, wp = append(wd, h.normal("wd", s.KH*s.KW*c)), append(wp, h.normal("wp", c*c))
				g, z = append(g, h.normal("g", s.YLen())), append(z, h.out("z", s.YLen()))
				dwd, dwp = append(dwd, h.out("dwd", s.KH*s.KW*c)), append(dwp, h.out("dwp", c*c))
			}
			g[1] = g[len(g)-1][:len(g[1]):len(g[1])] // shared, if they are of a size
			if s[1].YLen() != s[len(s)-1].YLen() {
				g[1] = h.normal("g", s[1].YLen())
			}
			dx, y := h.out("dx", s[0].XLen()), h.out("y", s[0].YLen())
			mixture := NewMixture(n, s[0].OH()*s[0].OW(), c)
			terms := []Term{{z[0], after[0]}}
			ready := NewNorm(n, s[0].OH()*s[0].OW(), c, false)
			ready.Gather(g[0])
			ready.Train(nil, nil, 1e-5)

			run := func(do func(tasks []Task)) [][]Float {
				tasks := make([]Task, len(plans))
				for k, p := range plans {
					tasks[k] = p.ForwardTask(z[k], x, wd[k], wp[k], ConvForward{In: &before.Affine, Stats: after[k]})
				}
				copy(y, x)
				do(append(tasks, mixture.ForwardTask(y, []Term{{g[0], ready}}, true)))
				for k := range plans {
					after[k].Train(nil, nil, 1e-5)
					after[k].Sums(z[k], g[k])
					after[k].Gradients(nil, nil, nil)
				}
				clear(dx)
				for k, p := range plans {
					b := ConvBackward{In: &before.Affine, Out: after[k], Z: z[k], Accumulate: k > 0}
					if k == len(plans)-1 {
						b.Sums = before
					}
					tasks[k] = p.BackwardTask(dx, dwd[k], dwp[k], x, g[k], wd[k], wp[k], b)
				}
				do(append(tasks, mixture.SumsTask(y, terms)))
				results := [][]Float{taken(y), taken(dx), parts(before.sums...), parts(after[0].sums...)}
				for k := range plans {
					results = append(results, taken(z[k]), taken(dwd[k]), taken(dwp[k]))
				}
				return results
			}
			want := run(func(tasks []Task) {
				for _, task := range tasks {
					Together(task)
				}
			})
			side := func() [][]Float { return run(func(tasks []Task) { Together(tasks...) }) }
			for k, got := range side() {
				equal(t, fmt.Sprint(s, " result ", k), got, want[k])
			}
			sameBits(t, fmt.Sprint(s), side)
			h.done()
		}
	})
}
