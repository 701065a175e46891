package models

import (
	"espalier/nn"
	"espalier/search"
)

// partial adds the operations of a node whose candidates work on a part of the channels, and returns the node; -1 if no edge
// leads to it.
func (b *wires) partial(name string, c cell, edges []operation, place search.Place, reduce bool, nodes []int) int {
	if len(edges) == 0 {
		return -1
	}
	channels := place.Channels
	place.Channels = c.edge.Narrow(channels)
	take := nn.Named{Spec: nn.Slice{Channels: place.Channels}}
	var mixed, bypass []int
	for i, e := range edges {
		source := nodes[e.from]
		place.Stride = c.stride(e, reduce)
		if i == 0 || edges[i-1].from != e.from {
			bypass = append(bypass, b.add("", nn.Sum, bypassed(channels, place), source))
		}
		if !e.None {
			mixed = append(mixed, b.add(join(name, e.name), nn.Sum, append(nn.Sequential{take}, e.Layers(place)...), source))
		}
	}
	if len(mixed) == 0 {
		e := edges[0]
		zero := nn.Sequential{take, {Name: "zero", Spec: nn.Zero{Stride: c.stride(e, reduce)}}}
		mixed = append(mixed, b.add(join(name, e.name), nn.Sum, zero, nodes[e.from]))
	}
	deal := nn.Sequential{{Spec: nn.Shuffle{Groups: c.edge.Part}}}
	return b.add("", nn.Concat, deal, b.sum(mixed), b.sum(bypass))
}

// sum is the sum of values.
func (b *wires) sum(values []int) int {
	if len(values) == 1 {
		return values[0]
	}
	return b.add("", nn.Sum, nil, values...)
}

// bypassed is what becomes of the channels that no candidate sees; place is that of the candidates.
func bypassed(channels int, place search.Place) nn.Sequential {
	layers := nn.Sequential{{Spec: nn.Slice{From: place.Channels, Channels: channels - place.Channels}}}
	if place.Stride > 1 {
		layers = append(layers, nn.Named{Spec: nn.MaxPool{Kernel: 2, Stride: 2}})
	}
	return layers
}
