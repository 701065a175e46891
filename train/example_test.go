package train_test

import (
	"context"
	"fmt"
	"os"

	"espalier/internal/safetensors"
	"espalier/train"
)

// descent minimises (x−2)²/2.
type descent struct{ x float64 }

func (d *descent) Steps() int                  { return 10 }
func (d *descent) Begin(epoch, step int) error { return nil }

func (d *descent) Step() (train.Sample, error) {
	d.x -= 0.1 * (d.x - 2)
	return train.Sample{}, nil
}

func (d *descent) End(context.Context, int, train.Report) ([]train.Figure, error) {
	return []train.Figure{{Name: "loss", Value: (d.x - 2) * (d.x - 2) / 2}}, nil
}

func (d *descent) State() (train.State, error) {
	return train.State{Tensors: []safetensors.Tensor{safetensors.Float64("x", nil, []float64{d.x})}}, nil
}

func (d *descent) Restore(s train.State) error {
	v, err := s.Tensors[0].Float64s()
	if err == nil {
		d.x = v[0]
	}
	return err
}

func ExampleRun() {
	path, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(path)
	d, err := train.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()

	interrupted, stop := context.WithCancel(context.Background())
	stop()
	r, _ := train.Run(interrupted, d, &descent{}, train.Options{Epochs: 2})
	fmt.Println(r)
	r, _ = train.Run(context.Background(), d, &descent{}, train.Options{Epochs: 2})
	fmt.Println(r)
	for i, loss := range r.Records.Column("loss") {
		fmt.Printf("epoch %d: %.4f\n", i+1, loss)
	}
	// Output:
	// interrupted at the beginning (2 epochs in all); the state is saved, and the same command goes on from there
	// finished after 2 epochs
	// epoch 1: 0.2432
	// epoch 2: 0.0296
}
