package oneshot

import (
	"testing"

	"espalier/bilevel"
	"espalier/datasets"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// weightsAlone is a plain training step of the supernet, with all of its gradients: the unit of the others' cost.
type weightsAlone struct{}

func (weightsAlone) Validate() error { return nil }
func (weightsAlone) Passes() int     { return 1 }
func (weightsAlone) Updates(s *Search) (bilevel.Method[nn.Float], error) {
	level, move, ga := s.Level(TrainSplit, s.W), s.Recipe.Weights(len(s.W.Value), 1, 0), make([]nn.Float, len(s.Alpha.Value))
	gradient := func(g []nn.Float, _ int) (float64, error) { return level.Move(ga, g, s.Alpha.Value, s.W.Value) }
	return bilevel.Method[nn.Float]{{
		Block: s.W.Block, Splits: bilevel.Splits(level), Gradient: bilevel.Clipped(gradient, move.Clip), Optimizer: move.Optimizer, Rate: move.Rate,
	}}, nil
}

// BenchmarkStep is a step of each method in DARTS' space: 8 cells, 16 channels, batches of 16 images of 32×32.
func BenchmarkStep(b *testing.B) {
	const batch = 16
	set := datasets.Synthetic(1, datasets.SyntheticOptions{Train: 128, Test: 1})
	net, err := supernet.New(search.DARTS(), supernet.Options{Batch: batch})
	if err != nil {
		b.Fatal(err)
	}
	p := &Problem{Net: net, Seed: 1}
	for i, to := range []**datasets.Loader{&p.Train, &p.Val} {
		var indices []int
		for k := range 64 {
			indices = append(indices, 64*i+k)
		}
		if *to, err = datasets.NewLoader(set.Train, indices, datasets.LoaderOptions{Batch: batch, Norm: set.Norm}); err != nil {
			b.Fatal(err)
		}
		b.Cleanup((*to).Close)
	}
	for _, c := range []struct {
		name   string
		method Method
	}{
		{"weights", weightsAlone{}},
		{"darts-1", configure(b, "darts", "order=1")},
		{"rarts-reuse", configure(b, "rarts")},
		{"rarts", configure(b, "rarts", "reuse=false")},
		{"darts-2", configure(b, "darts")},
		{"gdas", configure(b, "gdas")},
		{"random-ws", configure(b, "random-ws")},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, err := New(c.method, p, DefaultCourse(1000))
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Begin(0, 0); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.Step(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
