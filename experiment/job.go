package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"

	"espalier/datasets"
	"espalier/internal/rng"
	"espalier/models"
	"espalier/nn"
	"espalier/optim"
	"espalier/train"
)

// syntheticSeed is that of the images of the synthetic set, the same for every run: a run's seed changes what is done with
// the images, not the images.
const syntheticSeed = 1

// OpenData reads or makes the data set that the configuration names.
func (l *Lab) OpenData(c Config) (*datasets.Set, error) {
	roots := l.Places.Roots()
	if c.Data.Dir != "" {
		roots = []string{c.Data.Dir}
	}
	set, err := datasets.Open(c.Data.Name, roots, datasets.OpenOptions{
		Seed: syntheticSeed, Folder: datasets.FolderOptions{Size: c.Data.Size},
	})
	if err != nil || c.Data.PadTo == 0 {
		return set, err
	}
	return set.Bordered(c.Data.PadTo)
}

// fitting says which setting makes images fit a network that cannot halve them.
func fitting(err error) error {
	if e := (*models.SideError)(nil); errors.As(err, &e) {
		return fmt.Errorf("%w; data.pad_to=%d puts a border round them", err, e.Divisor())
	}
	return err
}

// Net is the network that the configuration names for images of that shape and number of classes, with the initial
// weights of its seed.
func (c Config) Net(in datasets.Shape, classes int) (*nn.Net, error) {
	var net *nn.Net
	var err error
	if c.Model.Name == Derived {
		net, err = c.cells(in, classes)
	} else {
		net, err = models.New(c.Model.Name, models.Options{
			Input: nn.Shape(in), Classes: classes, Width: c.Model.Width, Shortcut: models.Shortcut(c.Model.Shortcut),
		})
	}
	if err != nil {
		return nil, fitting(err)
	}
	net.Params.Init(c.Seed)
	return net, nil
}

// The shares of a split.
const (
	trainShare = "train"
	valShare   = "validation"
)

// split divides the training images as the configuration says.
func (c Config) split(set *datasets.Set) (*datasets.Split, error) {
	n := c.Data.Train
	if n == 0 {
		n = datasets.Rest
	}
	shares := []datasets.Share{{Name: trainShare, Images: n}}
	if c.Data.Validation > 0 {
		shares = append(shares, datasets.Share{Name: valShare, Images: c.Data.Validation})
	}
	return datasets.NewSplit(set.Train, c.Seed, shares...)
}

// job is a configuration with its data and its network.
type job struct {
	Config
	set   *datasets.Set
	split *datasets.Split
	net   *nn.Net
	test  *datasets.Loader
	val   *datasets.Loader // nil: nothing is held out
}

func (l *Lab) job(c Config) (*job, error) {
	set, err := l.OpenData(c)
	if err != nil {
		return nil, err
	}
	j := &job{Config: c, set: set}
	if j.split, err = c.split(set); err != nil {
		return nil, err
	}
	if n := len(j.split.Indices(trainShare)); n < c.Train.Batch {
		return nil, fmt.Errorf("train.batch is %d, more than the %d training images", c.Train.Batch, n)
	}
	if j.net, err = c.Net(set.Shape(), len(set.Classes)); err != nil {
		return nil, err
	}
	plain := datasets.LoaderOptions{Batch: c.Train.Batch, Norm: set.Norm}
	if j.test, err = datasets.NewLoader(set.Test, nil, plain); err != nil {
		return nil, err
	}
	if c.Data.Validation > 0 {
		j.val, err = datasets.NewLoader(set.Train, j.split.Indices(valShare), plain)
	}
	return j, err
}

// close ends the loaders that evaluate.
func (j *job) close() {
	j.test.Close()
	if j.val != nil {
		j.val.Close()
	}
}

// course is how one training of a job goes: the dense one, or a fine-tuning.
type course struct {
	stream   string // names the order and the augmentation of its images
	epochs   int
	lr       float64
	schedule string
	warmup   float64 // epochs
	skip     int     // epochs at the beginning of the schedule that are left out
	project  func([]nn.Float)
}

// stepper makes the training of a course, and its loader, which the caller closes.
func (j *job) stepper(o course) (*train.Supervised, *datasets.Loader, error) {
	data, err := datasets.NewLoader(j.set.Train, j.split.Indices(trainShare), datasets.LoaderOptions{
		Batch: j.Train.Batch, Seed: j.Seed, Stream: o.stream, Shuffle: true, DropLast: true, Norm: j.set.Norm,
		Augment: datasets.Augment{Pad: j.Data.Crop, Flip: j.Data.Flip, Cutout: j.Data.Cutout},
	})
	if err != nil {
		return nil, nil, err
	}
	s, err := train.NewSupervised(j.net, data, j.val, train.Recipe{
		Optimizer: j.Train.optimizer(j.net.Params.Layout),
		Schedule:  o.rates(data.Batches()),
		Loss:      nn.CrossEntropy{Smoothing: j.Train.LabelSmoothing},
		Clip:      j.Train.Clip,
		EMA:       optim.EMAOptions{Decay: j.Train.EMA, Ramp: true},
		Project:   o.project,
		DropPath:  j.Train.DropPath,
		Epochs:    o.epochs + o.skip,
		Random:    rng.New(j.Seed, "network", o.stream),
	})
	return s, data, err
}

func (t Train) optimizer(l *nn.Layout) optim.Optimizer {
	var groups []optim.Group
	if !t.DecayAll {
		groups = train.NoDecay(l)
	}
	if t.Optimizer == "sgd" {
		o := optim.SGDOptions{Momentum: t.Momentum, Nesterov: t.Nesterov, WeightDecay: t.WeightDecay}
		return optim.NewSGD(l.Size(), o, groups...)
	}
	o := optim.DefaultAdam()
	o.WeightDecay, o.Decoupled = t.WeightDecay, t.Optimizer == "adamw"
	return optim.NewAdam(l.Size(), o, groups...)
}

// later is a schedule without its first steps.
type later struct {
	Skip int
	Then optim.Schedule
}

// At implements optim.Schedule.
func (l later) At(step int) float64 { return l.Then.At(l.Skip + step) }

// Validate implements optim.Schedule.
func (l later) Validate() error { return l.Then.Validate() }

// rates is the learning rate of each step.
func (o course) rates(stepsPerEpoch int) optim.Schedule {
	if o.skip > 0 {
		whole := o
		whole.epochs, whole.skip = o.epochs+o.skip, 0
		return later{o.skip * stepsPerEpoch, whole.rates(stepsPerEpoch)}
	}
	steps := o.epochs * stepsPerEpoch
	warm := int(math.Round(o.warmup * float64(stepsPerEpoch)))
	rest := max(1, steps-warm)
	switch o.schedule {
	case "onecycle":
		s := optim.DefaultOneCycle(o.lr, steps)
		s.Rise = o.warmup / float64(o.epochs)
		return s
	case "cosine":
		return optim.Warmup{Steps: warm, Then: optim.Cosine{LR: o.lr, Steps: rest}}
	case "step":
		half, threeQuarters := max(0, steps/2-warm), max(0, steps*3/4-warm)
		if half == threeQuarters {
			return optim.Warmup{Steps: warm, Then: optim.Stairs{LR: o.lr, Factor: 0.01, Milestones: []int{half}}}
		}
		return optim.Warmup{Steps: warm, Then: optim.Stairs{LR: o.lr, Factor: 0.1, Milestones: []int{half, threeQuarters}}}
	}
	return optim.Warmup{Steps: warm, Then: optim.Constant{LR: o.lr}}
}

// bestFigure is the figure by which the best epoch is chosen, if there are validation images.
const bestFigure = "val_accuracy"

// run trains in a directory and leaves the stepper with the weights that count: those of the epoch that was best on the
// validation images, or the last.
func (l *Lab) run(ctx context.Context, d *train.Dir, s *train.Supervised, j *job, epochs int, title string) (train.Result, error) {
	o := train.Options{Epochs: epochs, Observer: l.observer(title), Clock: l.Clock, Processor: l.Processor}
	if j.val != nil {
		o.Best = bestFigure
	}
	r, err := train.Run(ctx, d, s, o)
	if err != nil {
		return r, err
	}
	if r.Status == train.Interrupted {
		return r, &Interrupted{r, context.Cause(ctx)}
	}
	if r.Best.Epoch > 0 {
		_, err = train.LoadBest(d, s)
	}
	return r, err
}
