package supernet

import (
	"espalier/internal/kernels"
	"espalier/nn"
)

// norm is a batch norm without scale and shift, with the places of its running statistics.
type norm struct {
	*kernels.Norm
	pass           *pass
	mean, variance span
}

func (b *builder) norm(prefix string, s nn.Shape, relu bool) norm {
	place := func(name string) span {
		at, ok := b.BufferLayout.Lookup(prefix + "." + name)
		if !ok {
			panic("supernet: the network has no buffer " + prefix + "." + name)
		}
		return span{at.Offset, at.Offset + at.Len}
	}
	return norm{
		Norm: kernels.NewNorm(b.batch(), s.H*s.W, s.C, relu), pass: &b.Net.pass,
		mean: place("running_mean"), variance: place("running_var"),
	}
}

// gathers is the norm for which statistics are gathered; nil if the running ones serve.
func (m *norm) gathers() *kernels.Norm {
	if m.pass.Statistics == nn.RunningStatistics {
		return nil
	}
	return m.Norm
}

// settle makes the norm's Affine, with gamma as its scale (nil: 1), from the gathered statistics or the running ones, and lets
// the running ones follow.
func (m *norm) settle(v *vectors, gamma []nn.Float) {
	switch mean, variance := m.mean.of(v.buffers), m.variance.of(v.buffers); m.pass.Statistics {
	case nn.RunningStatistics:
		m.Fold(gamma, nil, mean, variance, nn.Eps)
	case nn.UpdateStatistics:
		nn.Follow(mean, variance, m.Norm)
		fallthrough
	default:
		m.Train(gamma, nil, nn.Eps)
	}
}

// saved is what a forward pass computes for the backward pass: one buffer, or, where it is computed twice, two.
type saved struct{ fore, back *nn.Buffer }

// save asks for n elements from the first moment of the edge under construction on. Where nothing is kept, their time ends with
// the last moment of its node, in both passes.
func (b *builder) save(n int) *saved {
	s := new(saved)
	if b.options.Memory == Keep {
		s.fore = b.plan.KeepSince(n, b.edgeFirst)
		s.back = s.fore
		return s
	}
	from := b.edgeFirst
	b.later = append(b.later, func(last int) {
		s.fore, s.back = b.plan.ForeSpan(n, from, last), b.plan.BackSpan(n, last, from)
	})
	return s
}

// saveWide is save for what the whole cell under construction uses.
func (b *builder) saveWide(n int) *saved {
	s, first := new(saved), b.cellFirst
	if b.options.Memory == Keep {
		s.fore = b.plan.KeepSince(n, first)
		s.back = s.fore
		return s
	}
	b.wide = append(b.wide, func(last int) {
		s.fore, s.back = b.plan.ForeSpan(n, first, last), b.plan.BackSpan(n, last, first)
	})
	return s
}

// deferred is memory whose time is known once what it belongs to has been built: the number of the last moment.
type deferred []func(last int)

// end ends that time with the present moment.
func (d *deferred) end(p *nn.Plan) {
	for _, f := range *d {
		f(p.Moment())
	}
	*d = nil
}

// of is the memory in the running pass.
func (s *saved) of(p *pass) []nn.Float {
	if p.back {
		return s.back.Data
	}
	return s.fore.Data
}
