package supernet

import (
	"fmt"

	"espalier/models"
	"espalier/nn"
	"espalier/search"
)

// Memory says what a net keeps from its forward pass for the backward pass.
type Memory string

const (
	// Keep keeps what batch norms read. The zero Memory means the same.
	Keep Memory = "keep"
	// Recompute keeps the nodes of the cells and the statistics of batch norms; the rest is computed a second time. Layers of
	// primitives that are not this module's keep what they like.
	Recompute Memory = "recompute"
)

// Options fit a supernet to the data and scale it.
type Options struct {
	Input      nn.Shape // of an image; zero: 32x32x3
	Classes    int      // 0: 10
	Channels   int      // of the first cells; 0: 16
	Cells      int      // in search.Stacked in all (0: 8), in search.Staged in each of the three stages (0: 5)
	Batch      int      // images of a pass; 0: 64
	Memory     Memory   // zero: Keep
	Loss       nn.Loss  // nil: nn.CrossEntropy{}
	Edge       search.MixedEdge
	Primitives search.Registry
}

// fill puts defaults in the place of zeros.
func (o Options) fill(s search.Skeleton) (Options, error) {
	set := func(v *int, zero int) {
		if *v == 0 {
			*v = zero
		}
	}
	if o.Input == (nn.Shape{}) {
		o.Input = nn.Shape{H: 32, W: 32, C: 3}
	}
	set(&o.Classes, 10)
	set(&o.Channels, 16)
	set(&o.Batch, 64)
	if s == search.Staged {
		set(&o.Cells, 5)
	} else {
		set(&o.Cells, 8)
	}
	if o.Loss == nil {
		o.Loss = nn.CrossEntropy{}
	}
	switch o.Memory {
	case "":
		o.Memory = Keep
	case Keep, Recompute:
	default:
		return o, fmt.Errorf("supernet: unknown memory %q; known are %s and %s", o.Memory, Keep, Recompute)
	}
	if o.Batch < 1 {
		return o, fmt.Errorf("supernet: a batch of %d images", o.Batch)
	}
	return o, nil
}

// spec describes the network with every candidate, whose weights are the supernet's.
func (o Options) spec(s *search.Space) (nn.Sequential, error) {
	return models.Supernet(s, models.CellOptions{
		Input: o.Input, Classes: o.Classes, Channels: o.Channels, Cells: o.Cells, Edge: o.Edge, Primitives: o.Primitives,
	})
}
