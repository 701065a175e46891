package models

import (
	"fmt"

	"espalier/nn"
	"espalier/search"
)

// staged is the skeleton of NAS-Bench-201 (Dong and Yang, 2020): three stages of cells, and a residual block before the
// second and the third that doubles the channels and halves the image.
func (o CellOptions) staged(c cell, place search.Place) (nn.Sequential, error) {
	if err := o.checkSides(2); err != nil {
		return nil, err
	}
	place.Channels = o.Channels
	var cells nn.Sequential
	add := func(d nn.DAG) {
		cells = append(cells, nn.Named{Name: fmt.Sprint(len(cells)), Spec: d})
	}
	for stage := range 3 {
		if stage > 0 {
			place.Channels *= 2
			add(reducingBlock(place.Channels))
		}
		for range o.Cells {
			var b wires
			add(b.finish(b.cell("", c, place, false, 0)))
		}
	}
	return nn.Sequential{
		{Name: "stem", Spec: nn.Sequential{{Name: "0", Spec: conv3(o.Channels, 1)}, {Name: "1", Spec: nn.BatchNorm{}}}},
		{Name: "cells", Spec: cells},
		{Name: "lastact", Spec: nn.Sequential{{Name: "0", Spec: nn.BatchNorm{}}, {Name: "1", Spec: nn.ReLU{}}}},
		{Name: "global_pooling", Spec: nn.GlobalAvgPool{}},
		{Name: "classifier", Spec: nn.Linear{Channels: o.Classes}},
	}, nil
}

// reducingBlock is NAS-Bench-201's residual block of stride 2: activations before convolutions, average pooling and a 1×1
// convolution without batch norm as the shortcut, nothing after the sum.
func reducingBlock(channels int) nn.DAG {
	named := func(name string, s nn.Sequential) nn.Named { return nn.Named{Name: name, Spec: s} }
	return nn.DAG{Vertices: []nn.Vertex{
		{From: []int{0}, Layers: nn.Sequential{
			named("conv_a", search.ReLUConvNorm(channels, 3, 2, false)),
			named("conv_b", search.ReLUConvNorm(channels, 3, 1, false)),
		}},
		{Name: "downsample", From: []int{0}, Layers: nn.Sequential{
			{Name: "0", Spec: nn.AvgPool{Kernel: 2}},
			{Name: "1", Spec: nn.Conv{Channels: channels, Kernel: 1}},
		}},
		{From: []int{1, 2}},
	}}
}
