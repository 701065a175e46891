package models

import (
	"encoding/json"
	"espalier/internal/torchtest"
	"math"
	"os"
	"testing"
	"unsafe"

	"espalier/nn"
	"espalier/search"
)

// torchCells is what bench/peers/fixture_cells.py writes for each network.
type torchCells struct {
	torchResult
	Weights int
}

// TestTorchCells compares a training step and an evaluation of networks of cells with PyTorch's, and with them the names
// and the number of all tensors: a derived network with an auxiliary head that holds every operation of the DARTS space in
// both strides, the sum of all its candidates, and a cell of NAS-Bench-201.
func TestTorchCells(t *testing.T) {
	text, err := os.ReadFile("testdata/cells.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]torchCells
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	genotype, err := search.Parse(`Genotype(
		normal=[('sep_conv_3x3', 1), ('dil_conv_5x5', 0), ('max_pool_3x3', 2), ('skip_connect', 0), ('sep_conv_5x5', 3), ('avg_pool_3x3', 1), ('dil_conv_3x3', 4), ('skip_connect', 2)], normal_concat=range(2, 6),
		reduce=[('skip_connect', 1), ('sep_conv_5x5', 0), ('max_pool_3x3', 0), ('avg_pool_3x3', 1), ('dil_conv_3x3', 0), ('none', 2), ('dil_conv_5x5', 1), ('sep_conv_3x3', 4)], reduce_concat=range(2, 6))`)
	if err != nil {
		t.Fatal(err)
	}
	cell, err := search.Parse("|nor_conv_3x3~0|+|skip_connect~0|avg_pool_3x3~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|")
	if err != nil {
		t.Fatal(err)
	}
	options := func(side, channels, cells int, auxiliary float64) CellOptions {
		return CellOptions{Input: nn.Shape{H: side, W: side, C: 3}, Classes: 5, Channels: channels, Cells: cells, Auxiliary: auxiliary, DropPath: auxiliary > 0}
	}
	derived, errDerived := Derived(genotype, options(32, 4, 4, 0.4))
	supernet, errSupernet := Supernet(search.DARTS(), options(8, 4, 3, 0))
	nb201, errNB201 := Derived(cell, options(8, 4, 1, 0))
	for _, c := range []struct {
		name string
		side int
		spec nn.Sequential
		err  error
	}{{"derived", 32, derived, errDerived}, {"supernet", 8, supernet, errSupernet}, {"nb201", 8, nb201, errNB201}} {
		if c.err != nil {
			t.Fatal(c.err)
		}
		t.Run(c.name, func(t *testing.T) {
			net, err := nn.NewNet(c.spec, nn.Shape{H: c.side, W: c.side, C: 3})
			if err != nil {
				t.Fatal(err)
			}
			compareWithTorch(t, net, want[c.name].torchResult)
		})
	}
	spec, err := Supernet(search.DARTS(), CellOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if cost, err := nn.Count(spec, nn.Shape{H: 32, W: 32, C: 3}); err != nil || cost.Params != want["supernet"].Weights {
		t.Errorf("the supernet of 8 cells has %d weights, in PyTorch %d (%v)", cost.Params, want["supernet"].Weights, err)
	}
}

// compareWithTorch steps once and evaluates.
func compareWithTorch(t *testing.T, net *nn.Net, want torchResult) {
	// In single precision a few ReLUs and maxima fall on the other side, which three images do not average out.
	tolerance, slopes := 1e-3, 5e-2
	if unsafe.Sizeof(nn.Float(0)) == 8 {
		tolerance, slopes = 1e-8, 1e-8
	}
	const batch = 3
	side, channels := net.In.H, net.In.C
	torchtest.Fill(t, net.Params)
	train, err := net.TrainProgram(batch, nn.TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eval, err := net.EvalProgram(batch, nn.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]nn.Float, batch*net.In.Len())
	for i, v := range torchtest.Wave("images", len(x)) { // there in the order N, C, H, W
		n, c, pixel := i/(channels*side*side), i/(side*side)%channels, i%(side*side)
		x[(n*side*side+pixel)*channels+c] = nn.Float(float32(v))
	}
	labels := []int32{0, 1, 2}
	within := func(tolerance float64, what string, got, want, scale float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance*scale) {
			t.Errorf("%s is %v, in PyTorch %v", what, got, want)
		}
	}
	near := func(what string, got, want, scale float64) { t.Helper(); within(tolerance, what, got, want, scale) }
	r, err := train.Step(x, labels)
	if err != nil {
		t.Fatal(err)
	}
	near("the loss", r.Loss, want.Loss, want.Loss)
	parts := net.Params.Layout.Parts()
	if len(parts) != len(want.Gradients) {
		t.Errorf("%d gradients, in PyTorch %d", len(parts), len(want.Gradients))
	}
	largest := 0.0
	for _, g := range want.Gradients {
		largest = max(largest, g.Length)
	}
	for _, p := range parts {
		torch, ok := want.Gradients[p.Name]
		if !ok {
			t.Errorf("PyTorch has no %s", p.Name)
		}
		square := 0.0
		for _, e := range p.Of(net.Params.Grads) {
			square += float64(e) * float64(e)
		}
		within(slopes, "the length of the gradient at "+p.Name, math.Sqrt(square), torch.Length, torch.Length+1e-3*largest)
	}
	for _, g := range net.Params.Layout.Export(net.Params.Grads) {
		v, err := g.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range want.Gradients[g.Name].First {
			rounding := 1e-6 * math.Abs(e) // of what Export writes
			within(slopes, "the gradient at "+g.Name, float64(v[i]), e, want.Gradients[g.Name].Length+1e-3*largest+rounding/slopes)
		}
	}
	for name, stats := range want.Statistics {
		for c, v := range net.Params.Value(name) {
			near(name, float64(v), stats[c], 1+math.Abs(stats[c]))
		}
	}
	if r, err = eval.Eval(x, labels); err != nil {
		t.Fatal(err)
	}
	near("the loss in evaluation", r.Loss, want.EvalLoss, want.EvalLoss)
	logits, err := eval.Logits(x, batch)
	if err != nil {
		t.Fatal(err)
	}
	size := 0.0
	for _, v := range want.EvalLogits {
		size = max(size, math.Abs(v))
	}
	for i, v := range logits {
		near("a logit in evaluation", float64(v), want.EvalLogits[i], size)
	}
}
