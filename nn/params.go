package nn

import (
	"slices"
)

// Vectors are the flat vectors of a net, or a layer's part of each: what its passes read and write.
type Vectors struct {
	Values  []Float // weights, of the layout Params.Layout
	Grads   []Float // the gradient at the weights, written by Backward
	Buffers []Float // running statistics, of the layout Params.BufferLayout
}

// Params is one set of weights of a net.
type Params struct {
	Layout       *Layout // of Values and Grads
	BufferLayout *Layout // of Buffers
	Vectors
}

// NewParams is a set of zero weights.
func NewParams(layout, buffers *Layout) *Params {
	return &Params{
		Layout:       layout,
		BufferLayout: buffers,
		Vectors:      Vectors{Values: layout.New(), Grads: layout.New(), Buffers: buffers.New()},
	}
}

// Clone is a second set of weights with equal values, gradients and running statistics, in vectors of its own.
func (p *Params) Clone() *Params {
	q := NewParams(p.Layout, p.BufferLayout)
	q.CopyFrom(p)
	return q
}

// CopyFrom copies values, gradients and running statistics from q, which must have the same layouts.
func (p *Params) CopyFrom(q *Params) {
	p.mustMatch(q)
	copy(p.Values, q.Values)
	copy(p.Grads, q.Grads)
	copy(p.Buffers, q.Buffers)
}

// With is p with other values: gradients and running statistics are shared, not copied. It serves weights that are looked
// at for one pass, such as w ± εv or a masked copy.
func (p *Params) With(values []Float) *Params {
	q := *p
	q.Values = values
	return &q
}

// Value is the named weight or running statistic, a view; nil if there is none of this name.
func (p *Params) Value(name string) []Float {
	if v := p.Layout.View(p.Values, name); v != nil {
		return v
	}
	return p.BufferLayout.View(p.Buffers, name)
}

// Grad is the gradient at the named weight, a view; nil if there is none of this name.
func (p *Params) Grad(name string) []Float { return p.Layout.View(p.Grads, name) }

// Equal reports whether weights and running statistics equal those of q, element by element (NaN differs from itself).
func (p *Params) Equal(q *Params) bool {
	return p.Layout.Same(q.Layout) && slices.Equal(p.Values, q.Values) && slices.Equal(p.Buffers, q.Buffers)
}

func (p *Params) mustMatch(q *Params) {
	if !p.Layout.Same(q.Layout) || !p.BufferLayout.Same(q.BufferLayout) {
		panic("nn: the two sets of parameters belong to different nets")
	}
}
