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

// Prune prunes the trained network of the configuration to each of its sparsities, each time from the dense weights, and
// fine-tunes what is left; it trains the dense network first if that is not done. Each pruned network has a directory of
// its own in the run's, named by its sparsity, with mask and model. When ctx ends it saves and returns *Interrupted.
func (l *Lab) Prune(ctx context.Context, c Config) (Run, error) {
	if c.Prune.Method == NoPruning {
		return Run{}, errors.New("experiment: prune.method is none: nothing says how to prune")
	}
	dense, err := l.Train(ctx, c)
	if err != nil {
		return Run{}, err
	}
	return l.stage(c, "pruning", func(d *train.Dir, j *job) error { return l.pruneAll(ctx, d, j, dense) })
}

func (l *Lab) pruneAll(ctx context.Context, d *train.Dir, j *job, dense Run) error {
	before, err := l.find(j.Config)
	if err != nil {
		return err
	}
	rows := before.Pruned
	for _, sparsity := range j.Prune.Sparsity {
		if p, ok := before.At(sparsity); ok && before.tested(p.TestAcc) {
			continue
		}
		row, err := l.pruneTo(ctx, d, j, dense, sparsity)
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

// pruneTo makes one pruned network and leaves its mask and its model in a directory of its own.
func (l *Lab) pruneTo(ctx context.Context, d *train.Dir, j *job, dense Run, sparsity float64) (Pruned, error) {
	stage, err := d.Stage(StageName(sparsity))
	if err != nil {
		return Pruned{}, err
	}
	mask, err := j.mask(dense, sparsity)
	if err != nil {
		return Pruned{}, err
	}
	if err := keep(mask, stage.Path(MaskFile), j.net.Params.Layout); err != nil {
		return Pruned{}, err
	}
	s, data, err := j.stepper(course{
		stream: "fine-tune", epochs: max(1, j.Prune.Epochs), lr: j.Prune.LR, schedule: j.Prune.Schedule, warmup: j.Prune.Warmup,
		project: mask.Apply,
	})
	if err != nil {
		return Pruned{}, err
	}
	defer data.Close()
	sum := mask.Sum()
	row := Pruned{Sparsity: sparsity, Kept: sum.Kept, Total: sum.Total}
	if err := l.tune(ctx, stage, j, s, &row); err != nil {
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
func (l *Lab) tune(ctx context.Context, stage *train.Dir, j *job, s *train.Supervised, row *Pruned) error {
	row.OneShot, row.TestAcc = results.NotMeasured(), results.NotMeasured()
	if j.val != nil {
		r, err := s.Evaluate(ctx, j.val, nil)
		if err != nil {
			return err
		}
		row.OneShot = results.Percent(100 * r.Accuracy())
	}
	row.ValAcc = row.OneShot
	if j.Prune.Epochs > 0 {
		r, err := l.run(ctx, stage, s, j, j.Prune.Epochs, title(j.Config, row.Sparsity))
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
	if empty := mask.Empty(); len(empty) > 0 {
		return nil, fmt.Errorf("sparsity %v empties %d layers, %s first: no signal would pass; remove less, or by another budget (prune.budget)",
			sparsity, len(empty), empty[0])
	}
	mask.Apply(p.Values)
	return mask, nil
}

// title says what is being fine-tuned.
func title(c Config, sparsity float64) string {
	return fmt.Sprintf("%s, %.4g %% removed", c.Prune.Method, 100*sparsity)
}
