package experiment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"espalier/nn"
	"espalier/prune"
	"espalier/results"
	"espalier/train"
)

// NoPruning is the method (prune.method) of a dense training.
const NoPruning = "none"

// Make makes a run of any kind: Search, Train, or Prune.
func (l *Lab) Make(ctx context.Context, c Config) (Run, error) {
	switch {
	case c.Searches():
		return l.Search(ctx, c)
	case c.Prune.Method == NoPruning:
		return l.Train(ctx, c)
	}
	return l.Prune(ctx, c)
}

// Prune prunes a network to each of the sparsities of the configuration, each anew, and trains what is left; it first makes
// what the configuration needs, such as the dense network, if that is not done. Each pruned network has a directory of its
// own in the run's, named by its sparsity, with mask and model. When ctx ends it saves and returns *Interrupted.
func (l *Lab) Prune(ctx context.Context, c Config) (Run, error) {
	m, err := c.method()
	if err != nil {
		return Run{}, err
	}
	if m.Pruner == nil {
		return Run{}, errors.New("experiment: prune.method is none: nothing says how to prune")
	}
	if r, err := l.find(c); err == nil && r.Finished() {
		return r, nil
	}
	for _, need := range c.Needs() {
		if _, err := l.Make(ctx, need); err != nil {
			return Run{}, err
		}
	}
	return l.stage(c, "pruning", func() error {
		return l.within(c, func(d *train.Dir, j *job) error { return l.pruneAll(ctx, d, j, m) })
	})
}

func (l *Lab) pruneAll(ctx context.Context, d *train.Dir, j *job, m method) error {
	before, err := l.find(j.Config)
	if err != nil {
		return err
	}
	rows := before.Pruned
	for _, sparsity := range j.Prune.Sparsity {
		if p, ok := before.At(sparsity); ok && before.tested(p.TestAcc) {
			continue
		}
		row, err := l.pruneTo(ctx, d, j, m, sparsity)
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(p Pruned) bool { return p.Sparsity == sparsity })
		rows = append(rows, row)
		slices.SortFunc(rows, func(a, b Pruned) int { return cmp.Compare(a.Sparsity, b.Sparsity) })
		if err := d.Write(PrunedFile, func(w io.Writer) error { return writePruned(w, rows) }); err != nil {
			return err
		}
	}
	return nil
}

// StageName is the directory of a pruned network within its run.
func StageName(sparsity float64) string {
	return "sparsity-" + strconv.FormatFloat(sparsity, 'f', -1, 64)
}

// MaskStage is the directory of the training of a mask within that of its network.
const MaskStage = "mask"

// pruneTo makes one pruned network and leaves its mask and its model in a directory of its own.
func (l *Lab) pruneTo(ctx context.Context, d *train.Dir, j *job, m method, sparsity float64) (Pruned, error) {
	row := Pruned{Sparsity: sparsity}
	stage, err := d.Stage(StageName(sparsity))
	if err != nil {
		return row, err
	}
	mask, passes, err := l.mask(ctx, d, j, m, sparsity)
	if err != nil {
		return row, err
	}
	if err := keep(mask, stage.Path(MaskFile), j.net.Params.Layout); err != nil {
		return row, err
	}
	o := j.tuning(m)
	o.project = mask.Apply
	epochs := o.epochs
	o.epochs = max(1, epochs) // of the schedule, which nothing reads if there are none
	s, data, err := j.stepper(o)
	if err != nil {
		return row, err
	}
	defer data.Close()
	sum := mask.Sum()
	row.Kept, row.Total, row.Passes = sum.Kept, sum.Total, passes+epochs*s.Steps()
	if err := l.tune(ctx, stage, j, s, epochs, &row); err != nil {
		return row, err
	}
	if zeros := prune.Zeros(j.net.Params.Layout, s.Params().Values); zeros < sum.Total-sum.Kept {
		return row, fmt.Errorf("%d of %d removed weights are zero after fine-tuning", zeros, sum.Total-sum.Kept)
	}
	return row, stage.Write(ModelFile, func(w io.Writer) error { return train.WriteModel(w, j.net, s.Params(), nil) })
}

// keep writes the mask, or finds it written. If another one is there, what was trained under it is not to be mixed with what
// is trained under this one.
func keep(m *prune.Mask, path string, l *nn.Layout) error {
	there, err := prune.Load(path, l)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return m.Save(path)
	case err != nil:
		return fmt.Errorf("the mask that is there is not one of this network; remove %s to prune anew (%w)", filepath.Dir(path), err)
	case !there.Equal(m):
		return fmt.Errorf("%s is another mask than this run makes; remove %s to prune anew", path, filepath.Dir(path))
	}
	return nil
}

// tune fine-tunes a pruned network and fills in what it reaches before and after.
func (l *Lab) tune(ctx context.Context, stage *train.Dir, j *job, s *train.Supervised, epochs int, row *Pruned) error {
	row.OneShot, row.TestAcc = results.NotMeasured(), results.NotMeasured()
	if j.val != nil {
		r, err := s.Evaluate(ctx, j.val, nil)
		if err != nil {
			return err
		}
		row.OneShot = results.Percent(100 * r.Accuracy())
	}
	row.ValAcc = row.OneShot
	if epochs > 0 {
		r, err := l.run(ctx, stage, s, j, epochs, title(j.Config, row.Sparsity))
		if err != nil {
			return err
		}
		if r.Best.Epoch > 0 {
			row.ValAcc = results.Percent(r.Best.Value)
		}
	}
	if !j.Data.Test {
		return nil
	}
	test, err := s.Evaluate(ctx, j.test, l.reporting("test"))
	row.TestAcc = results.Percent(100 * test.Accuracy())
	return err
}

// title says what is being trained.
func title(c Config, sparsity float64) string {
	return fmt.Sprintf("%s, %.4g %% removed", c.Prune.Method, 100*sparsity)
}
