package kernels

import (
	"fmt"
	"testing"
)

// mixtureCase is three terms: a batch norm with a weight, a weight alone, and a batch norm of its own x.
func mixtureCase(h *harness, n, hw, c int) (terms []Term, gammas [][]Float) {
	for i := range 3 {
		x, gamma := h.normal("x", n*hw*c), make([]Float, c)
		m := NewNorm(n, hw, c, false)
		for k := range gamma {
			gamma[k] = []Float{.5, -2, 1.25}[i]
		}
		if i == 1 {
			m.Fold(gamma, nil, make([]Float, c), narrow(fill(c, 1)), 0)
		} else {
			m.Gather(x)
			m.Train(gamma, nil, 1e-5)
		}
		terms, gammas = append(terms, Term{x, m}), append(gammas, gamma)
	}
	return terms, gammas
}

// A Mixture is the sum of what its norms make of their tensors, and gathers what they gather.
func TestMixture(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range [][3]int{{3, 64, 16}, {2, 35, 5}, {5, 1030, 12}, {2, 9, 40}, {1, 1, 70}} {
			n, hw, c := s[0], s[1], s[2]
			h := newHarness(t, place(i%4), uint64(i))
			terms, gammas := mixtureCase(h, n, hw, c)
			m := NewMixture(n, hw, c)
			y, g := h.out("y", n*hw*c), h.normal("g", n*hw*c)
			want, one := make([]Float, n*hw*c), make([]Float, n*hw*c)
			for _, q := range terms {
				q.Norm.Apply(one, q.X)
				for k, v := range one {
					want[k] += v
				}
			}
			m.Forward(y, terms)
			alike(t, fmt.Sprint(s), y, want)
			m.Forward(y, terms[:1])
			Together(m.ForwardTask(y, nil, true))
			Together(m.ForwardTask(y, terms[1:], true))
			alike(t, fmt.Sprint(s, " in parts"), y, want)
			for k, q := range terms {
				dgamma, expect := make([]Float, c), make([]Float, c)
				q.Norm.Sums(q.X, g)
				q.Norm.Gradients(expect, nil, gammas[k])
				m.Sums(g, terms)
				q.Norm.Gradients(dgamma, nil, gammas[k])
				equal(t, fmt.Sprint(s, " dgamma"), dgamma, expect)
			}
			sameBits(t, fmt.Sprint(s), func() [][]Float {
				for _, q := range terms {
					q.Norm.Sums(q.X, q.X) // so that no sums of g are left over
				}
				m.Forward(y, terms)
				m.Sums(g, terms)
				results := [][]Float{taken(y)}
				for _, q := range terms {
					results = append(results, parts(q.Norm.sums...))
				}
				return results
			})
			noAllocations(t, fmt.Sprint(s), func() {
				m.Forward(y, terms)
				m.Sums(g, terms)
			})
			m.Forward(y, nil)
			equal(t, fmt.Sprint(s, " without terms"), y, make([]Float, len(y)))
			h.done()
		}
	})
}

// A Confluence adds up what ReLU, pools and scalings give apart.
func TestConfluence(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range []PoolShape{{N: 3, H: 8, W: 8, C: 16, K: 3, Stride: 1, Pad: 1}, {N: 2, H: 7, W: 9, C: 5, K: 3, Stride: 2, Pad: 1},
			{N: 5, H: 8, W: 6, C: 20, K: 3, Stride: 2, Pad: 1}, {N: 2, H: 4, W: 4, C: 36, K: 3, Stride: 1, Pad: 1}} {
			h := newHarness(t, place(i%4), uint64(i))
			x, active, direct := h.normal("x", s.XLen()), h.normal("active", s.XLen()), h.normal("direct", s.XLen())
			most, mean := NewMaxPool(s), NewAvgPool(s)
			z, w := make([]Float, s.YLen()), make([]Float, s.YLen())
			most.Forward(z, x, nil)
			mean.Forward(w, x, nil)
			hw := s.OH() * s.OW()
			terms, gammas := mixtureCase(h, s.N, hw, s.C)
			want, share, pooled := make([]Float, s.XLen()), make([]Float, s.XLen()), make([]Float, s.YLen())
			add := func(v []Float, by Float) {
				for k := range want {
					want[k] += by * v[k]
				}
			}
			b := ConfluenceBackward{Active: active, Direct: []Scaled{{direct, .25}, {active, -1}},
				Pools: []Pooled{{Max: most, Z: z}, {Avg: mean, Z: w}}}
			ReLUBackward(share, x, active, nil, nil, nil, nil)
			add(share, 1)
			add(direct, .25)
			add(active, -1)
			for k, q := range terms { // gradients in the place of x, norms of the pools' outputs
				p, out := &b.Pools[k%2], [][]Float{z, w}[k%2]
				if k != 1 {
					q.Norm.Gather(out)
					q.Norm.Train(gammas[k], nil, 1e-5)
				}
				q.Norm.Sums(out, q.X)
				q.Norm.Gradients(nil, nil, gammas[k])
				p.Terms = append(p.Terms, q)
				q.Norm.Backward(pooled, out, q.X)
				if k%2 == 0 {
					most.Backward(share, x, pooled)
				} else {
					mean.Backward(share, pooled)
				}
				add(share, 1)
			}
			m := NewConfluence(s.N, s.H*s.W, s.C)
			dx := h.out("dx", s.XLen())
			m.Backward(dx, x, b)
			alike(t, fmt.Sprint(s), dx, want)
			begun := b
			begun.Begun = true
			sameBits(t, fmt.Sprint(s), func() [][]Float {
				copy(dx, x)
				m.Backward(dx, x, begun)
				return [][]Float{taken(dx)}
			})
			copy(dx, x)
			m.Backward(dx, x, begun)
			add(x, 1)
			alike(t, fmt.Sprint(s, " begun"), dx, want)
			noAllocations(t, fmt.Sprint(s), func() { m.Backward(dx, x, b) })
			m.Backward(dx, x, ConfluenceBackward{})
			equal(t, fmt.Sprint(s, " of nothing"), dx, make([]Float, len(dx)))
			h.done()
		}
	})
}
