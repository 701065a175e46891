package experiment

import (
	"context"
	"errors"
	"io"
	"math"
	"os"

	"espalier/train"
)

// Dense is the configuration of the training that a pruning starts from: c without its pruning.
func (c Config) Dense() Config {
	c.Prune = Default().Prune
	return c
}

// Train trains the dense network of the configuration, evaluates it on the test images once, and leaves in the run's
// directory the model, the split and the outcome. When ctx ends it saves and returns *Interrupted.
func (l *Lab) Train(ctx context.Context, c Config) (run Run, err error) {
	c = c.Dense()
	if _, err := os.Stat(outcomePath(c.Dir(l.Runs))); err == nil {
		return Open(c.Dir(l.Runs))
	}
	j, err := l.job(c)
	if err != nil {
		return run, stage("training", err)
	}
	defer j.close()
	d, err := l.begin(c)
	if err != nil {
		return run, stage("training", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := j.split.WriteFile(d.Path(SplitFile)); err != nil {
		return run, stage("training", err)
	}
	if err := l.train(ctx, d, j); err != nil {
		return run, stage("training", err)
	}
	return Open(c.Dir(l.Runs))
}

func (l *Lab) train(ctx context.Context, d *train.Dir, j *job) error {
	s, data, err := j.stepper(course{
		stream: "train", epochs: j.Train.Epochs, lr: j.Train.LR, schedule: j.Train.Schedule, warmup: j.Train.Warmup,
	})
	if err != nil {
		return err
	}
	defer data.Close()
	r, err := l.run(ctx, d, s, j, j.Train.Epochs, "training")
	if err != nil {
		return err
	}
	cost := j.net.Cost()
	o := Outcome{Seed: j.Seed, Epochs: r.Epochs, BestEpoch: r.Best.Epoch, Params: cost.Params, MACs: cost.MACs, Data: j.set.Source}
	if r.Best.Epoch > 0 {
		val := percent(r.Best.Value)
		o.ValAcc = &val
	}
	test, err := s.Evaluate(ctx, j.test, l.reporting("test"))
	if err != nil {
		return err
	}
	o.TestAcc, o.TestLoss, o.TestCount = percent(100*test.Accuracy()), test.Loss, test.N
	if o.Seconds, err = seconds(d.Path()); err != nil {
		return err
	}
	err = d.Write(ModelFile, func(w io.Writer) error { return train.WriteModel(w, j.net, s.Params(), nil) })
	if err != nil {
		return err
	}
	return writeJSON(d, OutcomeFile, o)
}

// percent rounds off what binary fractions add to a percentage.
func percent(x float64) float64 { return math.Round(x*1e6) / 1e6 }
