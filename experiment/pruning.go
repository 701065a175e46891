package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"espalier/prune"
	"espalier/train"
)

// Prune prunes the trained network of the configuration to each of its sparsities, each time from the dense weights, and
// fine-tunes what is left; it trains the dense network first if that is not done. Each pruned network has a directory of
// its own in the run's, named by its sparsity, with mask and model. When ctx ends it saves and returns *Interrupted.
func (l *Lab) Prune(ctx context.Context, c Config) (run Run, err error) {
	if c.Prune.Method == "none" {
		return run, errors.New("experiment: prune.method is none: nothing says how to prune")
	}
	dense, err := l.Train(ctx, c)
	if err != nil {
		return run, err
	}
	if run, err := Open(c.Dir(l.Runs)); err == nil && run.Complete() {
		return run, nil
	}
	j, err := l.job(c)
	if err != nil {
		return run, stage("pruning", err)
	}
	defer j.close()
	d, err := l.begin(c)
	if err != nil {
		return run, stage("pruning", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := j.split.WriteFile(d.Path(SplitFile)); err != nil {
		return run, stage("pruning", err)
	}
	if err := l.pruneAll(ctx, d, j, dense); err != nil {
		return run, stage("pruning", err)
	}
	return Open(c.Dir(l.Runs))
}

func (l *Lab) pruneAll(ctx context.Context, d *train.Dir, j *job, dense Run) error {
	before, err := Open(d.Path())
	if err != nil {
		return err
	}
	rows := before.Pruned
	for _, sparsity := range j.Prune.Sparsity {
		if slices.ContainsFunc(rows, func(r Pruned) bool { return r.Sparsity == sparsity }) {
			continue
		}
		row, err := l.pruneTo(ctx, d, j, dense, sparsity)
		if err != nil {
			return err
		}
		rows = append(rows, row)
		if err := d.WriteBytes(PrunedFile, prunedCSV(rows)); err != nil {
			return err
		}
	}
	return nil
}

// StageName is the directory of a pruned network within its run.
func StageName(sparsity float64) string {
	return "sparsity-" + strconv.FormatFloat(sparsity, 'f', -1, 64)
}

// pruneTo makes, fine-tunes and evaluates one pruned network.
func (l *Lab) pruneTo(ctx context.Context, d *train.Dir, j *job, dense Run, sparsity float64) (Pruned, error) {
	row := Pruned{Sparsity: sparsity, OneShot: math.NaN(), ValAcc: math.NaN()}
	stage, err := d.Stage(StageName(sparsity))
	if err != nil {
		return row, err
	}
	mask, err := j.mask(dense, sparsity)
	if err != nil {
		return row, err
	}
	sum := mask.Sum()
	row.Kept, row.Total = sum.Kept, sum.Total
	if err := mask.Save(stage.Path(MaskFile)); err != nil {
		return row, err
	}
	s, data, err := j.stepper(course{
		stream: "fine-tune", epochs: max(1, j.Prune.Epochs), lr: j.Prune.LR, schedule: j.Prune.Schedule, warmup: j.Prune.Warmup,
		project: mask.Apply,
	})
	if err != nil {
		return row, err
	}
	defer data.Close()
	if j.val != nil {
		r, err := s.Evaluate(ctx, j.val, nil)
		if err != nil {
			return row, err
		}
		row.OneShot, row.ValAcc = 100*r.Accuracy(), 100*r.Accuracy()
	}
	if j.Prune.Epochs > 0 {
		r, err := l.run(ctx, stage, s, j, j.Prune.Epochs, title(j.Config, sparsity))
		if err != nil {
			return row, err
		}
		if r.Best.Epoch > 0 {
			row.ValAcc = r.Best.Value
		}
	}
	test, err := s.Evaluate(ctx, j.test, l.reporting("test"))
	if err != nil {
		return row, err
	}
	row.TestAcc = 100 * test.Accuracy()
	if zeros := prune.Zeros(j.net.Params.Layout, s.Params().Values); zeros < sum.Total-sum.Kept {
		return row, fmt.Errorf("%d of %d removed weights are zero after fine-tuning", zeros, sum.Total-sum.Kept)
	}
	return row, stage.Write(ModelFile, func(w io.Writer) error { return train.WriteModel(w, j.net, s.Params(), nil) })
}

// mask sets the net to the dense weights, prunes them, and returns the mask.
func (j *job) mask(dense Run, sparsity float64) (*prune.Mask, error) {
	p := j.net.Params
	if err := train.ReadWeights(dense.Model(), p); err != nil {
		return nil, err
	}
	method, err := prune.New(j.Prune.Method, j.Seed)
	if err != nil {
		return nil, err
	}
	budget, err := prune.ParseBudget(j.Prune.Budget)
	if err != nil {
		return nil, err
	}
	mask, err := prune.Prune(method, p, prune.Options{Sparsity: sparsity, Budget: budget})
	if err != nil {
		return nil, err
	}
	mask.Apply(p.Values)
	return mask, nil
}

// title says what is being fine-tuned.
func title(c Config, sparsity float64) string {
	return fmt.Sprintf("%s pruning, %.4g %% removed", c.Prune.Method, 100*sparsity)
}
