package experiment

import (
	"context"
	"io"
	"math"

	"espalier/optim"
	"espalier/results"
	"espalier/train"
)

// Dense is the configuration of the training that a pruning starts from: c without its pruning
// or search.
func (c Config) Dense() Config {
	d := Default()
	c.Prune, c.Search, c.Options = d.Prune, d.Search, d.Options
	return c
}

// Early is the configuration of the first epochs of the dense training: its weights are those of the dense training then.
// They are not tested.
func (c Config) Early(epochs int) Config {
	c = c.Dense()
	c.Train.Stop, c.Data.Test = epochs, false
	return c
}

// Train trains the dense network of the configuration, evaluates it on the test images once, unless data.test says not to,
// and leaves in the run's directory the model, the split and the outcome. Where model.from asks for it, a search is made
// first, or a cell is drawn, and the run is that of its genotype. When ctx ends it saves and returns *Interrupted.
func (l *Lab) Train(ctx context.Context, c Config) (Run, error) {
	c, err := l.Settled(ctx, c)
	if err != nil {
		return Run{}, err
	}
	c = c.Dense()
	return l.stage(c, "training", func() error {
		return l.within(c, func(d *train.Dir, j *job) error { return l.train(ctx, d, j) })
	})
}

func (l *Lab) train(ctx context.Context, d *train.Dir, j *job) error {
	s, data, err := j.stepper(course{
		stream: "train", epochs: j.Train.Epochs, lr: j.Train.LR, schedule: j.Train.Schedule, warmup: j.Train.Warmup,
	})
	if err != nil {
		return err
	}
	defer data.Close()
	r, err := l.run(ctx, d, s, j, j.Config.Epochs(), "training")
	if err != nil {
		return err
	}
	cost := j.net.Cost()
	o := Outcome{
		Seed: j.Seed, Epochs: r.Epochs, BestEpoch: r.Best.Epoch, ValAcc: results.NotMeasured(), TestAcc: results.NotMeasured(),
		Params: cost.Params, MACs: cost.MACs, Data: j.set.Source,
	}
	if r.Best.Epoch > 0 {
		o.ValAcc = results.Percent(r.Best.Value)
	}
	if j.Data.Test {
		test, err := s.Evaluate(ctx, j.test, l.reporting("test"))
		if err != nil {
			return err
		}
		if math.IsNaN(test.Loss) || math.IsInf(test.Loss, 0) {
			return &optim.NonFiniteError{Tensor: "the test loss", Step: r.Epochs * s.Steps(), Value: test.Loss}
		}
		o.TestAcc, o.TestLoss, o.TestCount = results.Percent(100*test.Accuracy()), test.Loss, test.N
	}
	t, err := results.Open(d.Path())
	if err != nil {
		return err
	}
	o.Seconds = t.Seconds
	err = d.Write(ModelFile, func(w io.Writer) error { return train.WriteModel(w, j.net, s.Params(), nil) })
	if err != nil {
		return err
	}
	return writeJSON(d, OutcomeFile, o)
}
