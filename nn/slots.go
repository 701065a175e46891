package nn

// Slots hands out the places of a layer's tensors within its part of the net's vectors. A layer asks for them while it is
// built, in the order in which its Params names them.
type Slots struct{ values, buffers int }

// Span is the place of a tensor. The zero Span is no tensor.
type Span struct{ from, to int }

func (p Span) empty() bool { return p.from == p.to }

// Value is the place of the next weight, of n elements, in Vectors.Values and Vectors.Grads.
func (s *Slots) Value(n int) Span {
	p := Span{s.values, s.values + n}
	s.values += alignPart(n)
	return p
}

// Buffer is the place of the next running statistic, of n elements, in Vectors.Buffers.
func (s *Slots) Buffer(n int) Span {
	p := Span{s.buffers, s.buffers + n}
	s.buffers += alignPart(n)
	return p
}

// shift is the place in a vector that has n elements before those of p's.
func (p Span) shift(n int) Span { return Span{p.from + n, p.to + n} }

// Of is the tensor within v, nil for no tensor.
func (p Span) Of(v []Float) []Float {
	if p.empty() {
		return nil
	}
	return v[p.from:p.to:p.to]
}
