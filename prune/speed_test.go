package prune

import (
	"testing"

	"espalier/datasets"
	"espalier/internal/rng"
	"espalier/models"
	"espalier/nn"
	"espalier/optim"
	"espalier/train"
)

// BenchmarkStep compares a step of BiP with one move for each level (two gradients) on ResNet-20, batches of 128, with a
// plain training step.
func BenchmarkStep(b *testing.B) {
	part := datasets.Part{Shape: datasets.Shape{H: 32, W: 32, C: 3}}
	r := rng.New(1, "pixels")
	for i := range 512 {
		part.Labels = append(part.Labels, int32(i%10))
		for range 32 * 32 * 3 {
			part.Pixels = append(part.Pixels, uint8(r.IntN(256)))
		}
	}
	loader := func(name string) *datasets.Loader {
		l, err := datasets.NewLoader(part, nil, datasets.LoaderOptions{
			Batch: 128, Stream: name, Shuffle: true, DropLast: true, Augment: datasets.Augment{Pad: 4, Flip: true},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(l.Close)
		return l
	}
	net, err := models.New("resnet20", models.Options{Input: nn.Shape{H: 32, W: 32, C: 3}, Classes: 10})
	if err != nil {
		b.Fatal(err)
	}
	net.Params.Init(1)
	plain, err := train.NewSupervised(net, loader("plain"), nil, train.Recipe{
		Optimizer: optim.NewSGD(net.Params.Layout.Size(), optim.SGDOptions{Momentum: 0.9}), Schedule: optim.Constant{LR: 0.01},
	})
	if err != nil {
		b.Fatal(err)
	}
	bip, err := BiP{Steps: 1}.Learn(&Problem{Net: net, Lower: loader("lower"), Upper: loader("upper")}, Options{Sparsity: 0.9}, Course{Epochs: 10})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		train.Stepper
	}{{"plain", plain}, {"bip", bip}} {
		b.Run(c.name, func(b *testing.B) {
			if err := c.Begin(0, 0); err != nil {
				b.Fatal(err)
			}
			left := c.Steps()
			for b.Loop() {
				if left == 0 { // epochs are short
					if err := c.Begin(0, 0); err != nil {
						b.Fatal(err)
					}
					left = c.Steps()
				}
				if _, err := c.Step(); err != nil {
					b.Fatal(err)
				}
				left--
			}
		})
	}
}
