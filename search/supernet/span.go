package supernet

import (
	"fmt"

	"espalier/nn"
)

// span is a stretch of a flat vector.
type span struct{ from, to int }

func (s span) empty() bool { return s.from == s.to }

func (s span) of(v []nn.Float) []nn.Float {
	if v == nil || s.empty() {
		return nil
	}
	return v[s.from:s.to:s.to]
}

// join is the span of both, which follow each other.
func (s span) join(t span) span {
	switch {
	case s.empty():
		return t
	case t.empty():
		return s
	}
	return span{min(s.from, t.from), max(s.to, t.to)}
}

// spans are the places of a network's tensors named so, in the vectors of weights and of running statistics.
type spans struct{ values, buffers span }

// find is where the tensors of layers, named from prefix on, stand. They follow each other.
func find(prefix string, layers nn.Spec, in nn.Shape, values, buffers *nn.Layout) (spans, error) {
	var s spans
	err := nn.Walk(nn.Sequential{{Name: prefix, Spec: layers}}, in, func(site nn.Site) error {
		for _, p := range site.Spec.Params(site.In) {
			name := site.Name + "." + p.Name
			layout, part := values, &s.values
			if p.Kind.Buffer() {
				layout, part = buffers, &s.buffers
			}
			at, ok := layout.Lookup(name)
			if !ok {
				return fmt.Errorf("supernet: the network has no tensor %q", name)
			}
			*part = part.join(span{at.Offset, at.End()})
		}
		return nil
	})
	return s, err
}

// vectors are the flat vectors of a pass, cut to what an operation has: part i of the weights begins at parts[i].from.
type vectors struct {
	parts         []span
	values, grads [][]nn.Float // grads are nil in a forward pass
	buffers       []nn.Float
}

// of is a layer's part of the vectors.
func (v *vectors) of(s spans) nn.Vectors {
	out := nn.Vectors{Values: v.weight(s.values), Buffers: s.buffers.of(v.buffers)}
	if v.grads != nil {
		out.Grads = v.gradient(s.values)
	}
	return out
}

// weight is a stretch of the weights.
func (v *vectors) weight(s span) []nn.Float { return v.in(v.values, s) }

// gradient is the gradient at a stretch of the weights, in a backward pass.
func (v *vectors) gradient(s span) []nn.Float { return v.in(v.grads, s) }

// in is a stretch of the vector that is cut into parts.
func (v *vectors) in(parts [][]nn.Float, s span) []nn.Float {
	if s.empty() {
		return nil
	}
	for i, p := range v.parts {
		if p.from <= s.from && s.to <= p.to {
			return span{s.from - p.from, s.to - p.from}.of(parts[i])
		}
	}
	panic(fmt.Sprintf("supernet: no part of the weights has the elements %d to %d", s.from, s.to))
}

// weight is where the tensor weight of the named layer stands.
func (b *builder) weight(layer string) (span, error) {
	at, ok := b.Layout.Lookup(layer + ".weight")
	if !ok {
		return span{}, fmt.Errorf("supernet: the network has no tensor %q", layer+".weight")
	}
	return span{at.Offset, at.Offset + at.Len}, nil
}
