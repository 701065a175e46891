package prune

import (
	"fmt"
	"slices"

	"espalier/nn"
)

// Mask says which weights of a net are kept. It is a vector of the net's layout: 1 where a weight is kept, 0 where it is
// removed, and 1 for everything that is not prunable.
type Mask struct {
	layout *nn.Layout
	keep   []nn.Float
}

// NewMask keeps every weight of the layout.
func NewMask(l *nn.Layout) *Mask {
	m := &Mask{layout: l, keep: l.New()}
	for i := range m.keep {
		m.keep[i] = 1
	}
	return m
}

// Layout is that of the weights.
func (m *Mask) Layout() *nn.Layout { return m.layout }

// Values is the mask as a vector of its layout, for vector operations. The caller must not change it.
func (m *Mask) Values() []nn.Float { return m.keep }

// Prunable lists the tensors that a mask may thin out, in the order of the layout.
func Prunable(l *nn.Layout) []nn.Part {
	var parts []nn.Part
	for _, p := range l.Parts() {
		if removable(p) {
			parts = append(parts, p)
		}
	}
	return parts
}

// removable reports whether a mask may thin out the tensor: the weights of what the trained network computes. An auxiliary
// head is dropped after training, so removing its weights would leave the network no smaller.
func removable(p nn.Part) bool { return p.Kind.Weight() && !p.Auxiliary }

// Set replaces the part of one prunable tensor, in the tensor's shape in memory. A name that is unknown or not prunable, a
// wrong length and a value other than 0 and 1 are errors and change nothing.
func (m *Mask) Set(name string, values []nn.Float) error {
	p, ok := m.layout.Lookup(name)
	if !ok {
		return fmt.Errorf("prune: mask: no tensor %q", name)
	}
	if !removable(p) {
		if p.Auxiliary {
			return fmt.Errorf("prune: mask: %s belongs to an auxiliary head, which is never pruned", name)
		}
		return fmt.Errorf("prune: mask: %s is a %v, which is never pruned", name, p.Kind)
	}
	if len(values) != p.Len {
		return fmt.Errorf("prune: mask: %s has %d values, want %d for shape %v", name, len(values), p.Len, p.Shape)
	}
	for i, v := range values {
		if v != 0 && v != 1 {
			return fmt.Errorf("prune: mask: %s: value %d is %v, want 0 or 1", name, i, v)
		}
	}
	copy(p.Of(m.keep), values)
	return nil
}

// Apply sets the removed entries of v, a vector of the mask's layout, to +0, whatever they were (NaN too).
func (m *Mask) Apply(v []nn.Float) {
	if len(v) != len(m.keep) {
		panic(fmt.Sprintf("prune: mask of %d elements applied to a vector of %d", len(m.keep), len(v)))
	}
	for i, k := range m.keep {
		if k == 0 {
			v[i] = 0
		}
	}
}

// Clone is an equal mask of its own memory.
func (m *Mask) Clone() *Mask { return &Mask{m.layout, slices.Clone(m.keep)} }

// Equal reports whether both keep the same weights of the same layout.
func (m *Mask) Equal(o *Mask) bool { return m.layout.Same(o.layout) && slices.Equal(m.keep, o.keep) }

// Union keeps what either keeps. Masks of different layouts panic, here and in Intersection.
func (m *Mask) Union(o *Mask) *Mask {
	return m.with(o, func(a, b nn.Float) nn.Float { return max(a, b) })
}

// Intersection keeps what both keep.
func (m *Mask) Intersection(o *Mask) *Mask {
	return m.with(o, func(a, b nn.Float) nn.Float { return min(a, b) })
}

func (m *Mask) with(o *Mask, f func(a, b nn.Float) nn.Float) *Mask {
	if !m.layout.Same(o.layout) {
		panic("prune: the two masks belong to different nets")
	}
	r := m.Clone()
	for i, b := range o.keep {
		r.keep[i] = f(r.keep[i], b)
	}
	return r
}

// Overlap is the number of weights that both keep over the number that either keeps (the Jaccard index): 1 for equal masks,
// about density/(2−density) for independent ones of that density. Two masks that keep nothing overlap by 1.
func (m *Mask) Overlap(o *Mask) float64 {
	either := m.Union(o).Kept()
	if either == 0 {
		return 1
	}
	return float64(m.Intersection(o).Kept()) / float64(either)
}

// Empty names the prunable tensors of which nothing stays: the network is cut there, unless a shortcut leads past them.
func (m *Mask) Empty() []string {
	var names []string
	for _, r := range m.Rows() {
		if r.Kept == 0 && r.Total > 0 {
			names = append(names, r.Name)
		}
	}
	return names
}
