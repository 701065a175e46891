package supernet_test

import (
	"fmt"

	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// One step of a search by hand: the gradient at α on one batch, and at the weights on another.
func Example() {
	space := search.NASBench201()
	net, err := supernet.New(space, supernet.Options{Input: nn.Shape{H: 8, W: 8, C: 1}, Classes: 2, Channels: 4, Cells: 1, Batch: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := net.NewParams()
	w.Init(0)
	alpha := search.NewAlpha(space)
	pass := supernet.Pass{
		Params: w, Alpha: alpha.Values,
		Images: make([]nn.Float, 4*8*8), Labels: []int32{0, 1, 0, 1},
	}
	for i := range pass.Images {
		pass.Images[i] = nn.Float(i % 7)
	}

	ga := make([]nn.Float, len(alpha.Values))
	pass.Statistics = nn.BatchStatistics // looks at the weights only
	if _, err := net.Gradient(nil, ga, pass); err != nil {
		fmt.Println(err)
	}
	gw := w.Grads
	pass.Statistics = nn.UpdateStatistics
	if _, err := net.Gradient(gw, nil, pass); err != nil {
		fmt.Println(err)
	}
	forward, backward := net.Passes()
	fmt.Println(net.Layout.Count(), "weights,", len(ga), "architecture parameters,", forward, "forward and", backward, "backward passes")
	// Output:
	// 24846 weights, 30 architecture parameters, 2 forward and 2 backward passes
}
