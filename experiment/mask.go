package experiment

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"espalier/datasets"
	"espalier/internal/rng"
	"espalier/nn"
	"espalier/prune"
	"espalier/train"
)

// mask makes the mask of one pruned network, and sets the network to the weights that its training starts from. passes are
// the forward and backward passes of a batch that the mask took.
func (l *Lab) mask(ctx context.Context, d *train.Dir, j *job, m method, sparsity float64) (mask *prune.Mask, passes int, err error) {
	w := j.net.Params
	w.Init(j.Seed)
	initial := w.Clone()
	if !m.initial && m.rounds == nil {
		if err := l.read(j.Dense(), w); err != nil {
			return nil, 0, err
		}
	}
	o, err := j.pruneOptions(sparsity)
	if err != nil {
		return nil, 0, err
	}
	problem, err := j.problem(m)
	if err != nil {
		return nil, 0, err
	}
	defer problem.Lower.Close()
	if problem.Upper != nil {
		defer problem.Upper.Close()
	}
	switch p := m.Pruner.(type) {
	case prune.OneShot:
		mask, err = p.Mask(problem, o)
		if priced, ok := p.(prune.Priced); ok {
			passes = (priced.Passes(problem) + j.Train.Batch - 1) / j.Train.Batch
		}
	case prune.Learner:
		mask, passes, err = l.learn(ctx, d, j, p, problem, o)
	case prune.Rounds:
		mask, err = l.round(j, p, o)
	default:
		err = fmt.Errorf("the method %s makes no mask", j.Prune.Method)
	}
	if err != nil {
		return nil, 0, err
	}
	if empty := mask.Empty(); len(empty) > 0 {
		return nil, 0, fmt.Errorf("sparsity %v empties %d layers, %s first: no signal would pass; remove less, or by another budget (prune.budget)",
			sparsity, len(empty), empty[0])
	}
	if starter, ok := m.Pruner.(prune.Starter); ok {
		early := initial
		if m.rewinds == prune.RewindStep {
			early = initial.Clone()
			if err := l.read(j.Early(m.early), early); err != nil {
				return nil, 0, err
			}
		}
		starter.Start(w, mask, w, early)
	}
	mask.Apply(w.Values)
	return mask, passes, nil
}

// read reads the weights of a finished dense training.
func (l *Lab) read(c Config, into *nn.Params) error {
	r, err := l.find(c)
	if err != nil {
		return err
	}
	return train.ReadWeights(r.Model(), into)
}

// round is the mask after a round: of the weights that the round before ended with, or the dense training.
func (l *Lab) round(j *job, p prune.Rounds, o prune.Options) (*prune.Mask, error) {
	n, _ := p.Rounds(o.Sparsity)
	w := j.net.Params
	if n == 1 {
		if err := l.read(j.Dense(), w); err != nil {
			return nil, err
		}
		return p.Round(1, nil, w, o)
	}
	last := j.Config
	s := Share(p.Sparsity(n - 1))
	last.Prune.Sparsity = []float64{s}
	dir := filepath.Join(last.Dir(l.Runs), StageName(s))
	before, err := prune.Load(filepath.Join(dir, MaskFile), w.Layout)
	if err != nil {
		return nil, err
	}
	if err := train.ReadWeights(filepath.Join(dir, ModelFile), w); err != nil {
		return nil, err
	}
	return p.Round(n, before, w, o)
}

// learn trains a mask in a directory of its own, and sets the network to the weights that come with it.
func (l *Lab) learn(ctx context.Context, d *train.Dir, j *job, p prune.Learner, problem *prune.Problem, o prune.Options) (*prune.Mask, int, error) {
	stage, err := d.Stage(filepath.Join(StageName(o.Sparsity), MaskStage))
	if err != nil {
		return nil, 0, err
	}
	s, err := p.Learn(problem, o, prune.Course{Epochs: j.Prune.Masking})
	if err != nil {
		return nil, 0, err
	}
	r, err := train.Run(ctx, stage, s, train.Options{
		Epochs: j.Prune.Masking, Observer: l.observer(title(j.Config, o.Sparsity) + ", mask"), Clock: l.Clock, Processor: l.Processor,
	})
	if err != nil {
		return nil, 0, err
	}
	if r.Status == train.Interrupted {
		return nil, 0, &Interrupted{r, context.Cause(ctx)}
	}
	copy(j.net.Params.Values, s.Params().Values)
	return s.Mask(), j.Prune.Masking * s.Steps() * s.Passes(), nil
}

// pruneOptions says how much is removed, and where.
func (j *job) pruneOptions(sparsity float64) (prune.Options, error) {
	budget, err := prune.ParseBudget(j.Prune.Budget)
	return prune.Options{Sparsity: sparsity, Budget: budget, KeepFirst: !j.Prune.First, KeepLast: !j.Prune.Last}, err
}

// problem is the network with the images of both levels.
func (j *job) problem(m method) (*prune.Problem, error) {
	lower, upper := j.levels(m)
	loader := func(stream string, indices []int) (*datasets.Loader, error) {
		return datasets.NewLoader(j.set.Train, indices, datasets.LoaderOptions{
			Batch: j.Train.Batch, Seed: j.Seed, Stream: stream, Shuffle: true, DropLast: true, Norm: j.set.Norm,
			Augment: datasets.Augment{Pad: j.Data.Crop, Flip: j.Data.Flip, Cutout: j.Data.Cutout},
		})
	}
	p := &prune.Problem{Net: j.net, Validation: j.val, Loss: nn.CrossEntropy{Smoothing: j.Train.LabelSmoothing}, Seed: j.Seed}
	var err error
	if p.Lower, err = loader("prune lower", lower); err != nil || !m.bilevel {
		return p, err
	}
	if p.Upper, err = loader("prune upper", upper); err != nil {
		p.Lower.Close()
		err = fmt.Errorf("the images that masks are trained on (prune.upper is %v): %w", j.Prune.Upper, err)
	}
	return p, err
}

// levels divides the training images between weights and masks, at random. With prune.upper 0 both have all, as have
// methods that train on one level alone.
func (j *job) levels(m method) (lower, upper []int) {
	all := j.split.Indices(trainShare)
	if !m.bilevel || j.Prune.Upper == 0 {
		return all, all
	}
	all = slices.Clone(all)
	rng.New(j.Seed, "prune", "levels").Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	n := int(math.Round(j.Prune.Upper * float64(len(all))))
	lower, upper = all[n:], all[:n]
	slices.Sort(lower)
	slices.Sort(upper)
	return lower, upper
}
