package supernet

import (
	"espalier/internal/kernels"
	"espalier/nn"
)

// pooled is a pool, which its source computes for all edges, with a batch norm or without.
type pooled struct {
	weighed // without a norm
	place
	pool *pool
	norm *norm         // nil: none
	used *kernels.Norm // of the term
}

func (c *pooled) forward(v *vectors, weight nn.Float) kernels.Term {
	z := c.pool.of(c.from.out)
	if c.norm == nil {
		t := c.term(z, weight)
		c.used = t.Norm
		return t
	}
	fill(c.gamma, weight)
	copy(c.norm.Mean, c.pool.gather.Mean)
	copy(c.norm.Var, c.pool.gather.Var)
	c.norm.settle(v, c.gamma)
	c.used = c.norm.Norm
	return kernels.Term{X: z, Norm: c.used}
}

func (c *pooled) recompute(*vectors) []nn.Float { return c.pool.of(c.from.out) }

func (c *pooled) backward(_ *vectors, g []nn.Float) {
	c.pool.terms = append(c.pool.terms, kernels.Term{X: g, Norm: c.used})
}
