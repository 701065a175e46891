package supernet

import (
	"espalier/internal/kernels"
	"espalier/nn"
)

// source is what depends on a node alone, for all edges that leave it: its ReLU, its pools, and how the gradients at these
// flow together. What no candidate of a pass wants is not computed.
type source struct {
	*node
	pass    *pass
	relu    *saved     // nil: nobody wants it
	active  *nn.Buffer // the gradient at that
	fresh   bool       // nothing has been written to active in this pass
	clamp   *kernels.Norm
	pools   []*pool
	direct  []kernels.Scaled // of the running backward pass
	pooled  []kernels.Pooled // scratch memory
	meeting *kernels.Confluence

	rectified bool // relu is up to date
}

// pool is a pool of a node.
type pool struct {
	spec   nn.Spec
	max    *kernels.MaxPool // one of max and avg is nil
	avg    *kernels.AvgPool
	z      *saved
	gather *kernels.Norm  // of z, for all candidates; nil: none has a norm
	terms  []kernels.Term // of the running backward pass: norms, and gradients in the place of X
	done   bool           // z is up to date
}

// begin begins a pass.
func (s *source) begin() {
	s.rectified, s.fresh = false, true
	s.direct = s.direct[:0]
	for _, p := range s.pools {
		p.done = false
		p.terms = p.terms[:0]
	}
}

// again begins a backward pass: what was not kept is not up to date.
func (s *source) again(kept bool) {
	s.rectified = s.rectified && kept
	for _, p := range s.pools {
		p.done = p.done && kept
	}
}

// activated is ReLU(x).
func (s *source) activated() []nn.Float {
	y := s.relu.of(s.pass)
	if !s.rectified {
		s.clamp.Apply(y, s.data.Data)
		s.rectified = true
	}
	return y
}

// of is the pool's output. Where norms need it, its statistics are gathered, in the forward pass.
func (p *pool) of(s *source) []nn.Float {
	z := p.z.of(s.pass)
	if p.done {
		return z
	}
	p.done = true
	stats := p.gather
	if s.pass.back || s.pass.Statistics == nn.RunningStatistics {
		stats = nil
	}
	if p.max != nil {
		p.max.Forward(z, s.data.Data, stats)
	} else {
		p.avg.Forward(z, s.data.Data, stats)
	}
	return z
}

// flows says that a part of the gradient at the node has not been added yet.
func (s *source) flows() bool {
	flows := !s.fresh || len(s.direct) > 0
	for _, p := range s.pools {
		flows = flows || len(p.terms) > 0
	}
	return flows
}

// complete adds what flows together to the gradient at the node.
func (s *source) complete() {
	b := kernels.ConfluenceBackward{Begun: s.begun, Direct: s.direct, Pools: s.pooled[:0]}
	if !s.fresh {
		b.Active = s.active.Data
	}
	for _, p := range s.pools {
		if len(p.terms) > 0 {
			b.Pools = append(b.Pools, kernels.Pooled{Max: p.max, Avg: p.avg, Z: p.z.of(s.pass), Terms: p.terms})
		}
	}
	s.pooled = b.Pools
	s.meeting.Backward(s.grad.Data, s.data.Data, b)
	s.begun = true
}

// source is the source that a node is.
func (b *builder) source(n *node) *source {
	if n.out == nil {
		n.out = &source{node: n, pass: &b.Net.pass, meeting: kernels.NewConfluence(b.batch(), n.shape.H*n.shape.W, n.shape.C)}
	}
	return n.out
}

// rectify makes sure that the source has a ReLU.
func (b *builder) rectify(s *source) {
	if s.relu != nil {
		return
	}
	s.relu = b.saveWide(b.batch() * s.shape.Len())
	s.clamp = kernels.NewNorm(b.batch(), s.shape.H*s.shape.W, s.shape.C, true)
	s.clamp.Affine = kernels.Affine{ReLU: true} // the identity in the place of a norm
	b.wide = append(b.wide, func(last int) {
		s.active = b.plan.BackSpan(b.batch()*s.shape.Len(), last, b.cellFirst)
	})
}

// pool is the source's pool of the given spec, to shape out.
func (b *builder) pool(s *source, spec nn.Spec, out nn.Shape) *pool {
	for _, p := range s.pools {
		if p.spec == spec {
			return p
		}
	}
	p := &pool{spec: spec, z: b.saveWide(b.batch() * out.Len())}
	shape := kernels.PoolShape{N: b.batch(), H: s.shape.H, W: s.shape.W, C: s.shape.C}
	switch q := spec.(type) {
	case nn.MaxPool:
		shape.K, shape.Stride, shape.Pad = q.Kernel, q.Stride, q.Pad
		p.max = kernels.NewMaxPool(shape)
	case nn.AvgPool:
		shape.K, shape.Stride, shape.Pad = q.Kernel, q.Stride, q.Pad
		p.avg = kernels.NewAvgPool(shape)
	}
	s.pools = append(s.pools, p)
	return p
}
