package nn

import (
	"slices"
	"testing"

	"espalier/internal/kernels"
)

// TestThreads checks that a whole training step gives the same bits for any number of threads.
func TestThreads(t *testing.T) {
	defer kernels.SetThreads(kernels.Threads())
	drop := Named{"drop", DropPath{}}
	for name, make := range map[string]func() *Net{"chain": func() *Net { return smallNet(t) }, "cells": func() *Net { return cellNet(t, drop) }} {
		var want *Params
		for _, threads := range []int{1, 2, 3, 8} {
			kernels.SetThreads(threads)
			net := make()
			p, err := net.TrainProgram(6, TrainOptions{})
			if err != nil {
				t.Fatal(err)
			}
			p.SetDropPath(0.3)
			for i := range uint64(2) {
				x, labels := batchOf(net, 6, i)
				if _, err := p.Step(x, labels); err != nil {
					t.Fatal(err)
				}
				kernels.SGD(net.Params.Values, nil, net.Params.Grads, 0.1, 0, 0, false)
			}
			if want == nil {
				want = net.Params
			} else if !net.Params.Equal(want) || !slices.Equal(net.Params.Grads, want.Grads) {
				t.Errorf("%s: %d threads give other bits than 1", name, threads)
			}
		}
	}
}
