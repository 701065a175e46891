package nn_test

import (
	"encoding/json"
	"fmt"

	"espalier/nn"
)

// A network is a list of named specs. Programs run it; the caller moves the weights.
func Example() {
	spec := nn.Sequential{
		{Name: "conv1", Spec: nn.Conv{Channels: 8, Kernel: 3, Pad: 1}},
		{Name: "bn1", Spec: nn.BatchNorm{}},
		{Name: "relu", Spec: nn.ReLU{}},
		{Name: "avgpool", Spec: nn.GlobalAvgPool{}},
		{Name: "fc", Spec: nn.Linear{Channels: 2}},
	}
	net, err := nn.NewNet(spec, nn.Shape{H: 4, W: 4, C: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	net.Params.Init(1)
	fmt.Println(net.Cost().Params, "parameters, logits", net.Out)

	// Four images: two bright on the left, two on the right.
	images := make([]nn.Float, 4*16) // (4,4,4,1)
	labels := []int32{0, 1, 0, 1}
	for i := range images {
		n, column := i/16, i%4
		if (column < 1) == (labels[n] == 0) {
			images[i] = 1
		}
	}

	train, err := net.TrainProgram(4, nn.TrainOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 50 {
		if _, err := train.Step(images, labels); err != nil {
			fmt.Println(err)
			return
		}
		for i, g := range net.Params.Grads {
			net.Params.Values[i] -= 0.5 * g
		}
	}
	eval, err := net.EvalProgram(4, nn.EvalOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := eval.Eval(images[:3*16], labels[:3])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d of %d right\n", result.Correct, result.N)
	// Output:
	// 106 parameters, logits 1x1x2
	// 3 of 3 right
}

func ExampleWalk() {
	spec := nn.Sequential{
		{Name: "layer1", Spec: nn.Sequential{
			{Name: "conv", Spec: nn.Conv{Channels: 16, Kernel: 3, Stride: 2, Pad: 1}},
			{Name: "bn", Spec: nn.BatchNorm{}},
		}},
		{Name: "avgpool", Spec: nn.GlobalAvgPool{}},
	}
	err := nn.Walk(spec, nn.Shape{H: 32, W: 32, C: 3}, func(s nn.Site) error {
		fmt.Println(s.Name, s.In, "->", s.Out, s.Spec.MACs(s.In))
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// layer1.conv 32x32x3 -> 16x16x16 110592
	// layer1.bn 16x16x16 -> 16x16x16 0
	// avgpool 16x16x16 -> 1x1x16 0
}

func ExampleSequential() {
	spec := nn.Sequential{
		{Name: "conv", Spec: nn.Conv{Channels: 4, Kernel: 3}},
		{Name: "bn", Spec: nn.BatchNorm{}},
	}
	text, err := json.Marshal(spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(text))
	// Output:
	// [{"name":"conv","conv":{"channels":4,"kernel":3}},{"name":"bn","batch_norm":{}}]
}
