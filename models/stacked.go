package models

import (
	"fmt"

	"espalier/nn"
	"espalier/search"
)

// stacked is the skeleton of DARTS (Liu et al., 2019) for small images: a stem of 3·C channels, cells that read the two
// before them, and a linear classifier on the mean of the last.
func (o CellOptions) stacked(cells [2]cell, place search.Place) (nn.Sequential, error) {
	reductions := []int{o.Cells / 3, 2 * o.Cells / 3}
	halvings := 2
	if reductions[0] == reductions[1] {
		halvings = 1
	}
	if err := o.checkSides(halvings); err != nil {
		return nil, err
	}
	b := wires{dropPath: o.DropPath}
	before, last := 0, 0 // the outputs of the two cells before
	reduced := false     // the cell before
	place.Channels = o.Channels
	for k := range o.Cells {
		kind, reduce := cells[0], k == reductions[0] || k == reductions[1]
		if reduce {
			kind = cells[1]
			place.Channels *= 2
		}
		name := fmt.Sprintf("cells.%d", k)
		first := search.ReLUConvNorm(place.Channels, 1, 1, place.Plain)
		if reduced {
			first = search.FactorizedReduce(place.Channels, place.Plain)
		}
		s0 := b.add(name+".preprocess0", nn.Sum, first, before)
		s1 := b.add(name+".preprocess1", nn.Sum, search.ReLUConvNorm(place.Channels, 1, 1, place.Plain), last)
		before, last, reduced = last, b.cell(name, kind, place, reduce, s0, s1), reduce
		if k == reductions[1] && o.Auxiliary > 0 {
			last = b.add("", nn.Sum, nn.Sequential{{Name: "auxiliary_head", Spec: nn.Auxiliary{
				Weight: o.Auxiliary,
				Head:   auxiliaryHead(min(o.Input.H, o.Input.W)>>halvings, o.Classes),
			}}}, last)
		}
	}
	return nn.Sequential{
		{Name: "stem", Spec: nn.Sequential{{Name: "0", Spec: conv3(3*o.Channels, 1)}, {Name: "1", Spec: nn.BatchNorm{}}}},
		{Spec: b.finish(last)},
		{Name: "global_pooling", Spec: nn.GlobalAvgPool{}},
		{Name: "classifier", Spec: nn.Linear{Channels: o.Classes}},
	}, nil
}

// checkSides makes sure that the images can be halved.
func (o CellOptions) checkSides(halvings int) error {
	if k := 1 << halvings; o.Input.H%k != 0 || o.Input.W%k != 0 {
		return &SideError{o.Input, halvings}
	}
	return nil
}

// SideError is an image that a network of cells cannot halve as often as it would.
type SideError struct {
	Input    nn.Shape
	Halvings int
}

// Divisor is the number that must divide height and width.
func (e *SideError) Divisor() int { return 1 << e.Halvings }

func (e *SideError) Error() string {
	return fmt.Sprintf("models: images of %dx%d: the network halves them %d times, so that their sides must be divisible by %d: pad or crop them",
		e.Input.H, e.Input.W, e.Halvings, e.Divisor())
}

// auxiliaryHead is DARTS' second classifier. It is made for images of 8×8 pixels, which it brings down to 2×2 and 1×1. Of
// smaller ones its pooling and its second convolution take what there is, larger ones it averages at the end.
func auxiliaryHead(side, classes int) nn.Sequential {
	pool := min(5, side)
	second := min(2, (side-pool)/3+1)
	return nn.Sequential{
		{Name: "features", Spec: nn.Sequential{
			{Name: "0", Spec: nn.ReLU{}},
			{Name: "1", Spec: nn.AvgPool{Kernel: pool, Stride: 3}},
			{Name: "2", Spec: nn.Conv{Channels: 128, Kernel: 1}},
			{Name: "3", Spec: nn.BatchNorm{}},
			{Name: "4", Spec: nn.ReLU{}},
			{Name: "5", Spec: nn.Conv{Channels: 768, Kernel: second}},
			{Name: "6", Spec: nn.BatchNorm{}},
			{Name: "7", Spec: nn.ReLU{}},
		}},
		{Name: "pooling", Spec: nn.GlobalAvgPool{}},
		{Name: "classifier", Spec: nn.Linear{Channels: classes}},
	}
}
