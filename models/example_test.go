package models_test

import (
	"fmt"

	"espalier/models"
	"espalier/nn"
	"espalier/search"
)

func ExampleNew() {
	net, err := models.New("resnet20", models.Options{Shortcut: models.PadShortcut})
	if err != nil {
		fmt.Println(err)
		return
	}
	cost := net.Cost()
	fmt.Println(cost.Params, "parameters,", cost.MACs, "multiply-adds an image")

	small, err := models.New("resnet8", models.Options{Input: nn.Shape{H: 28, W: 28, C: 1}, Width: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(small.In, "->", small.Out, small.Cost().Params)

	_, err = models.New("resnet118", models.Options{})
	fmt.Println(err)
	// Output:
	// 269722 parameters, 40551040 multiply-adds an image
	// 28x28x1 -> 1x1x10 19810
	// models: no model "resnet118"; there are resnet110, resnet18, resnet20, resnet32, resnet56, resnet8
}

// A genotype's network is a spec like any other.
func ExampleDerived() {
	g, err := search.Published("DARTS_V2")
	if err != nil {
		fmt.Println(err)
		return
	}
	images := nn.Shape{H: 32, W: 32, C: 3}
	spec, err := models.Derived(g, models.CellOptions{Input: images, Channels: 36, Cells: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	cost, err := nn.Count(spec, images)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cost.Params, "parameters,", cost.MACs, "multiply-adds an image")
	// Output:
	// 3349342 parameters, 528359040 multiply-adds an image
}
