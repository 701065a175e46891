package search

import (
	"fmt"
	"maps"
	"slices"

	"espalier/nn"
)

// Primitive is a candidate operation of an edge.
type Primitive struct {
	Name string
	// None says that nothing passes: the operation of an edge that is not there. Where a derivation keeps some edges of
	// many, it never keeps one for this.
	None bool
	// Layers describes the operation in its place: it keeps the channels, and divides height and width by the stride, which
	// must divide them. No layers are the identity.
	Layers func(Place) nn.Sequential
}

// Place is where a primitive stands.
type Place struct {
	Channels int // of input and output
	Stride   int // 1 or 2
	// Plain batch norms have no gamma and beta: in a supernet, where α scales what comes out of them.
	Plain bool
	// PoolNorm puts a batch norm after a pool: in the supernet of the Stacked skeleton, so that candidates compare.
	PoolNorm bool
}

// table holds every primitive. A primitive of one's own is a line here, or an argument of With.
var table = index(
	Primitive{Name: "none", None: true, Layers: none},
	Primitive{Name: "max_pool_3x3", Layers: pool(nn.MaxPool{Kernel: 3, Stride: 1, Pad: 1}, nn.MaxPool{Kernel: 3, Stride: 2, Pad: 1})},
	Primitive{Name: "avg_pool_3x3", Layers: pool(nn.AvgPool{Kernel: 3, Stride: 1, Pad: 1}, nn.AvgPool{Kernel: 3, Stride: 2, Pad: 1})},
	Primitive{Name: "skip_connect", Layers: skip},
	Primitive{Name: "sep_conv_3x3", Layers: separable(3)},
	Primitive{Name: "sep_conv_5x5", Layers: separable(5)},
	Primitive{Name: "sep_conv_7x7", Layers: separable(7)},
	Primitive{Name: "dil_conv_3x3", Layers: dilated(3)},
	Primitive{Name: "dil_conv_5x5", Layers: dilated(5)},
	Primitive{Name: "nor_conv_1x1", Layers: dense(1)},
	Primitive{Name: "nor_conv_3x3", Layers: dense(3)},
	Primitive{Name: "noise", Layers: noise},
)

func index(ps ...Primitive) map[string]Primitive {
	m := make(map[string]Primitive, len(ps))
	for _, p := range ps {
		m[p.Name] = p
	}
	return m
}

// Registry finds primitives by name. The zero Registry knows those of this package.
type Registry struct{ own map[string]Primitive }

// With is the registry of this package's primitives and the given ones, which win over others of their names.
func With(ps ...Primitive) Registry { return Registry{index(ps...)} }

// Lookup finds a primitive. The error for an unknown one names the nearest.
func (r Registry) Lookup(name string) (Primitive, error) {
	p, ok := r.find(name)
	if !ok {
		return Primitive{}, fmt.Errorf("search: %w", r.unknown(name))
	}
	return p, nil
}

func (r Registry) find(name string) (Primitive, bool) {
	p, ok := r.own[name]
	if !ok {
		p, ok = table[name]
	}
	return p, ok
}

// unknown is the error for a name that is not there.
func (r Registry) unknown(name string) error {
	return fmt.Errorf("no primitive %q; the nearest is %q", name, Nearest(name, r.Names()))
}

// Names are the names of all primitives, sorted.
func (r Registry) Names() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(table)), maps.Keys(r.own))
	slices.Sort(names)
	return slices.Compact(names)
}
