package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"espalier/datasets"
	"espalier/internal/rng"
	"espalier/nn"
	"espalier/optim"
)

// Recipe says how Supervised trains.
type Recipe struct {
	Optimizer optim.Optimizer  // of the net's weights; it must not have stepped yet
	Schedule  optim.Schedule   // learning rate of each step, counted from 0 over all epochs
	Loss      nn.Loss          // nil: nn.CrossEntropy{}. Validation always uses that, unsmoothed
	Clip      float64          // greatest Euclidean norm of the gradient; 0: any
	EMA       optim.EMAOptions // of the weights and the running statistics; Decay 0: none
	// Project is called with the weights after every update, for constraints that updates must not break, such as a
	// mask's zeros; nil: none. The weights must satisfy it from the beginning.
	Project func(weights []nn.Float)
	// DropPath is the probability of nn.DropPath at the end of Epochs; it is 0 in the first epoch and rises with each by equal
	// steps (DARTS). 0: none.
	DropPath float64
	Epochs   int // over which DropPath rises; whatever it is if that is 0
	// Random is the stream below which every step has one of its own, for layers that draw; nil: one that is always the same.
	Random *rng.Stream
}

// Supervised is plain training: a network, an optimizer and labelled images. It is the simplest Stepper.
//
// With an EMA, it is the averaged network that is evaluated and saved: the average of the weights, normalised by the average
// of the running statistics, taken alike. (The statistics of the raw weights do not belong to averaged ones. Averaging
// them costs nothing; measuring them anew would take a pass over the training images.)
type Supervised struct {
	net              *nn.Net
	recipe           Recipe
	data, validation *datasets.Loader
	program          *nn.TrainProgram
	eval             *nn.EvalProgram
	weights, buffers *optim.EMA // nil: none

	step    int // over all epochs
	sum     sums
	figures []Figure
}

// sums are those of the running epoch.
type sums struct {
	loss    float64 // Σ over images
	correct int
	images  int
}

var _ Stepper = (*Supervised)(nil)

// NewSupervised makes a stepper that trains net's own parameters, from the values that they have, on the images of data,
// which must hand out full batches alone. Each epoch ends with an evaluation on validation; nil: none.
//
// The figures of an epoch are lr (of its last step), train_loss, train_accuracy (means over the images as they were seen,
// augmented and before their update), and val_loss, val_accuracy if there is validation.
func NewSupervised(net *nn.Net, data, validation *datasets.Loader, r Recipe) (*Supervised, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	if data.Len() != data.Batches()*data.BatchSize() {
		return nil, fmt.Errorf("train: %d images in batches of %d: the last one of an epoch must be full or left out", data.Len(), data.BatchSize())
	}
	for _, l := range []*datasets.Loader{data, validation} {
		if l != nil && nn.Shape(l.Shape()) != net.In {
			return nil, fmt.Errorf("train: images of %v for a network of %v", l.Shape(), net.In)
		}
	}
	s := &Supervised{net: net, recipe: r, data: data, validation: validation}
	var err error
	if s.program, err = net.TrainProgram(data.BatchSize(), nn.TrainOptions{Loss: r.Loss}); err != nil {
		return nil, err
	}
	batch := data.BatchSize()
	if validation != nil {
		batch = validation.BatchSize()
	}
	if s.eval, err = net.EvalProgram(batch, nn.EvalOptions{}); err != nil {
		return nil, err
	}
	if r.EMA.Decay > 0 {
		s.weights = optim.NewEMA(net.Params.Layout.Size(), r.EMA)
		s.buffers = optim.NewEMA(net.Params.BufferLayout.Size(), r.EMA)
	}
	return s, nil
}

func (r Recipe) validate() error {
	if r.Optimizer == nil || r.Schedule == nil {
		return errors.New("train: a recipe without optimizer or schedule")
	}
	if !(r.Clip >= 0) {
		return fmt.Errorf("train: clipping to a norm of %v", r.Clip)
	}
	if !(r.DropPath >= 0 && r.DropPath < 1) || r.DropPath > 0 && r.Epochs < 1 {
		return fmt.Errorf("train: a drop path probability of %v over %d epochs", r.DropPath, r.Epochs)
	}
	return errors.Join(r.Schedule.Validate(), r.EMA.Validate())
}

// NoDecay are groups without weight decay for everything but convolution and linear weights: biases and the parameters of
// batch norm.
func NoDecay(l *nn.Layout) []optim.Group {
	var groups []optim.Group
	for _, p := range l.Parts() {
		if !p.Kind.Weight() {
			groups = append(groups, optim.Group{From: p.Offset, To: p.Offset + p.Len})
		}
	}
	return groups
}

// Program is the compiled step.
func (s *Supervised) Program() *nn.TrainProgram { return s.program }

// Steps is the number of batches in an epoch.
func (s *Supervised) Steps() int { return s.data.Batches() }

// Begin implements Stepper.
func (s *Supervised) Begin(epoch, step int) error {
	s.data.Start(epoch, step)
	s.step = epoch*s.Steps() + step
	if s.recipe.DropPath > 0 {
		s.program.SetDropPath(s.recipe.DropPath * float64(min(epoch, s.recipe.Epochs)) / float64(s.recipe.Epochs))
	}
	if step == 0 {
		s.sum = sums{}
	}
	return nil
}

// Step trains on the next batch. A loss, gradient, weight or running statistic that is not finite is an
// *optim.NonFiniteError.
func (s *Supervised) Step() (Sample, error) {
	b := s.data.Next()
	if b == nil {
		return Sample{}, errors.New("train: a step after the last of the epoch")
	}
	return s.StepOn(b.X, b.Labels)
}

// StepOn is Step on images x (N,H,W,C) and labels (N) of the caller's, N the batch size. It is for measurements.
func (s *Supervised) StepOn(x []nn.Float, labels []int32) (Sample, error) {
	if s.recipe.Random != nil {
		s.program.SetRandom(s.recipe.Random.At(uint64(s.step)))
	}
	r, err := s.program.Step(x, labels)
	if err != nil {
		return Sample{}, err
	}
	p := s.net.Params
	if math.IsNaN(r.Loss) || math.IsInf(r.Loss, 0) {
		return Sample{}, s.diverged(r.Loss)
	}
	if s.recipe.Clip > 0 {
		optim.ClipNorm(p.Grads, s.recipe.Clip)
	}
	if err := optim.CheckFinite(p.Grads, s.step, s.gradient); err != nil {
		return Sample{}, err
	}
	lr := s.recipe.Schedule.At(s.step)
	s.recipe.Optimizer.Step(p.Values, p.Grads, lr)
	if s.recipe.Project != nil {
		s.recipe.Project(p.Values)
	}
	if err := s.checkParams(); err != nil {
		return Sample{}, err
	}
	if s.weights != nil {
		s.weights.Update(p.Values)
		s.buffers.Update(p.Buffers)
	}
	s.step++
	s.sum.loss += r.Loss * float64(r.N)
	s.sum.correct += r.Correct
	s.sum.images += r.N
	n := float64(s.sum.images)
	s.figures = append(s.figures[:0], Figure{"loss", s.sum.loss / n}, Figure{"accuracy", 100 * float64(s.sum.correct) / n}, Figure{"lr", lr})
	return Sample{Images: r.N, Figures: s.figures}, nil
}

// diverged finds out what a loss that is not finite came from.
func (s *Supervised) diverged(loss float64) error {
	if err := s.checkParams(); err != nil {
		return err
	}
	return &optim.NonFiniteError{Tensor: "loss", Step: s.step, Value: loss}
}

func (s *Supervised) checkParams() error {
	p := s.net.Params
	if err := optim.CheckFinite(p.Values, s.step, tensorName(p.Layout)); err != nil {
		return err
	}
	return optim.CheckFinite(p.Buffers, s.step, tensorName(p.BufferLayout))
}

func (s *Supervised) gradient(i int) string {
	return "the gradient of " + tensorName(s.net.Params.Layout)(i)
}

// tensorName names the tensor that an element of a vector belongs to.
func tensorName(l *nn.Layout) func(int) string {
	return func(i int) string {
		if p, ok := l.At(i); ok {
			return p.Name
		}
		return fmt.Sprintf("padding at %d", i)
	}
}

// End implements Stepper.
func (s *Supervised) End(ctx context.Context, epoch int, report Report) ([]Figure, error) {
	n := float64(s.sum.images)
	figures := []Figure{
		{"lr", s.recipe.Schedule.At(s.step - 1)},
		{"train_loss", s.sum.loss / n},
		{"train_accuracy", 100 * float64(s.sum.correct) / n},
	}
	if s.validation == nil {
		return figures, ctx.Err()
	}
	r, err := s.Evaluate(ctx, s.validation, func(done, total int) { report("validation", done, total) })
	if err != nil {
		return nil, err
	}
	return append(figures, Figure{"val_loss", r.Loss}, Figure{"val_accuracy", 100 * float64(r.Correct) / float64(r.N)}), nil
}

// Params is the set of weights that counts: the averages if the recipe has an EMA and a step was taken, else the net's own.
// It shares memory with what the next step changes.
func (s *Supervised) Params() *nn.Params {
	if s.weights == nil || s.weights.State().Counters["updates"] == 0 {
		return s.net.Params
	}
	p := *s.net.Params
	p.Values, p.Buffers = s.weights.Average(), s.buffers.Average()
	return &p
}

// Evaluate evaluates Params on every image of data, once; see the function Evaluate. Batches must not be larger than those
// that the stepper was made with.
func (s *Supervised) Evaluate(ctx context.Context, data *datasets.Loader, report func(done, total int)) (nn.Result, error) {
	s.eval.Bind(s.Params())
	if s.recipe.Random != nil {
		s.eval.SetRandom(s.recipe.Random.Split("evaluation").At(uint64(s.step)))
	}
	return Evaluate(ctx, s.eval, data, report)
}
