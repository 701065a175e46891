package prune

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"espalier/bilevel"
	"espalier/datasets"
	"espalier/nn"
	"espalier/optim"
	"espalier/train"
)

// Course says how long and how fast a method trains that learns a mask.
type Course struct {
	Epochs int // at least 1
	Steps  int // of an epoch; 0: the batches of the lower split
}

// Learning is a method that learns a mask, as a stepper for train.Run. Its checkpoints hold weights, scores, masks, running
// statistics, momentum and the places in the random streams. After the last step Mask is the result.
//
// The figures of an epoch are those of bilevel.Stepper for the blocks theta and score; train_accuracy, in percent, of the
// images that weights were moved on, or the masks if weights do not move; mask_changed and mask_regrown, the shares of the
// prunable weights whose bits differ from those at the epoch's beginning, and that were removed then and are kept now; and
// val_loss and val_accuracy of the masked network, if there is validation.
type Learning struct {
	*bilevel.Stepper[nn.Float]
	problem *Problem
	mask    *Mask
	theta   []nn.Float // all weights, those that the mask removes included
	masked  *nn.Params // masked weights, with the network's running statistics
	before  []nn.Float // the mask at the epoch's beginning
	tally   []nn.Float // images seen in the running epoch, and those classified rightly
	eval    *nn.EvalProgram
	passes  int
}

// Passes is the number of forward and backward passes of a batch in a step.
func (l *Learning) Passes() int { return l.passes }

// Mask is the mask of the newest scores, which the next step changes.
func (l *Learning) Mask() *Mask { return l.mask }

// Weights are the newest weights, those that the mask removes included: a view, of the network's layout.
func (l *Learning) Weights() []nn.Float { return l.theta }

// Params are the masked weights with the running statistics: what counts as the pruned network. The next step changes
// them.
func (l *Learning) Params() *nn.Params {
	multiply(l.masked.Values, l.mask.keep, l.theta)
	return l.masked
}

// Begin implements train.Stepper.
func (l *Learning) Begin(epoch, step int) error {
	if step == 0 {
		copy(l.before, l.mask.keep)
		clear(l.tally)
	}
	return l.Stepper.Begin(epoch, step)
}

// Evaluate evaluates Params on every image of data, once; batches must not be larger than those of validation, or of the
// lower split where there is none.
func (l *Learning) Evaluate(ctx context.Context, data *datasets.Loader, report func(done, total int)) (nn.Result, error) {
	l.eval.Bind(l.Params())
	return train.Evaluate(ctx, l.eval, data, report)
}

// count adds a result to the running epoch's.
func (l *Learning) count(r nn.Result) {
	l.tally[0] += nn.Float(r.N)
	l.tally[1] += nn.Float(r.Correct)
}

// accuracy of the running epoch, in percent.
func (l *Learning) accuracy() float64 { return 100 * float64(l.tally[1]) / float64(l.tally[0]) }

// sampled is bilevel.Options.Sampled.
func (l *Learning) sampled(f []train.Figure) []train.Figure {
	return append(f, train.Figure{Name: "accuracy", Value: l.accuracy()})
}

// end is bilevel.Options.Ended.
func (l *Learning) end(ctx context.Context, _ int, report train.Report) ([]train.Figure, error) {
	changed, regrown, total := 0, 0, 0
	for _, p := range Prunable(l.mask.layout) {
		before := p.Of(l.before)
		total += p.Len
		for i, k := range p.Of(l.mask.keep) {
			if k != before[i] {
				changed++
				if k == 1 {
					regrown++
				}
			}
		}
	}
	figures := []train.Figure{
		{Name: "train_accuracy", Value: l.accuracy()},
		{Name: "mask_changed", Value: float64(changed) / float64(total)},
		{Name: "mask_regrown", Value: float64(regrown) / float64(total)},
	}
	if l.problem.Validation == nil {
		return figures, ctx.Err()
	}
	r, err := l.Evaluate(ctx, l.problem.Validation, func(done, total int) { report("validation", done, total) })
	if err != nil {
		return nil, err
	}
	return append(figures, train.Figure{Name: "val_loss", Value: r.Loss}, train.Figure{Name: "val_accuracy", Value: 100 * r.Accuracy()}), nil
}

// learner collects what every method that learns needs before its updates can be written down.
type learner struct {
	*Learning
	oracle *Oracle
	rank   *ranking
	z      []nn.Float // masked weights
	steps  int        // in all
	course Course
}

// newLearner prepares a problem, with the weights that its net has. both says that the method draws from both splits.
func newLearner(p *Problem, o Options, c Course, both bool) (*learner, error) {
	if o.Within != nil {
		return nil, errors.New("prune: a method that learns its mask begins with all weights, not within a mask")
	}
	if c.Epochs < 1 || c.Steps < 0 {
		return nil, fmt.Errorf("prune: learning a mask for %d epochs of %d steps", c.Epochs, c.Steps)
	}
	rank, err := newRanking(p.Net.Params.Layout, o)
	if err != nil {
		return nil, err
	}
	splits := map[string]*datasets.Loader{LowerSplit: p.Lower}
	if both {
		if p.Upper == nil {
			return nil, errors.New("prune: the method needs images for the level of the masks, and there are none")
		}
		splits[UpperSplit] = p.Upper
	}
	oracle, err := NewOracle(p.Net, p.Loss, splits)
	if err != nil {
		return nil, err
	}
	if c.Steps == 0 {
		c.Steps = p.Lower.Batches()
	}
	n := p.Net.Params
	l := &learner{oracle: oracle, rank: rank, z: n.Layout.New(), steps: c.Steps * c.Epochs, course: c}
	l.Learning = &Learning{
		problem: p, mask: NewMask(n.Layout), theta: n.Values, masked: n.With(n.Layout.New()),
		before: n.Layout.New(), tally: make([]nn.Float, 2),
	}
	batch := p.Lower.BatchSize()
	if p.Validation != nil {
		batch = p.Validation.BatchSize()
	}
	l.eval, err = p.Net.EvalProgram(batch, nn.EvalOptions{})
	return l, err
}

// finish makes the stepper of a method. score is its block of scores, nil if it has none.
func (l *learner) finish(m bilevel.Method[nn.Float], score *bilevel.Block[nn.Float], same map[string]string) (*Learning, error) {
	n := l.problem.Net.Params
	keep := []*bilevel.Block[nn.Float]{
		{Name: "mask", Value: l.mask.keep, Codec: n.Layout},
		{Name: "mask_before", Value: l.before, Codec: n.Layout},
		{Name: "statistics", Value: n.Buffers, Codec: n.BufferLayout},
		{Name: "tally", Value: l.tally},
	}
	gradients := 0
	still := []*bilevel.Block[nn.Float]{l.thetaBlock()}
	if score != nil {
		still = append(still, score)
	}
	for _, u := range m {
		gradients += max(1, u.Times)
		still = slices.DeleteFunc(still, func(b *bilevel.Block[nn.Float]) bool { return b.Name == u.Block.Name })
	}
	l.passes = gradients
	all := l.oracle.Same()
	maps.Copy(all, same)
	var err error
	l.Stepper, err = bilevel.New(m, bilevel.Options[nn.Float]{
		Steps: l.course.Steps, Images: gradients * l.problem.Lower.BatchSize(), Source: l.oracle,
		Keep: append(keep, still...), Same: all, Sampled: l.sampled, Ended: l.end,
	})
	return l.Learning, err
}

func (l *learner) thetaBlock() *bilevel.Block[nn.Float] {
	return &bilevel.Block[nn.Float]{Name: "theta", Value: l.theta, Codec: l.mask.layout}
}

func (l *learner) scoreBlock() *bilevel.Block[nn.Float] {
	return &bilevel.Block[nn.Float]{Name: "score", Value: l.mask.layout.New(), Codec: l.mask.layout}
}

// rates are the learning rates of a schedule by name over all steps: constant; cosine, to 0; step, a tenth from half of the
// steps on and a hundredth from three quarters on.
func (l *learner) rates(schedule string, lr float64) optim.Schedule {
	return rates(schedule, lr, l.steps)
}

var scheduleNames = []string{"constant", "cosine", "step"}

func rates(schedule string, lr float64, steps int) optim.Schedule {
	switch schedule {
	case "cosine":
		return optim.Cosine{LR: lr, Steps: max(1, steps)}
	case "step":
		half, late := steps/2, steps*3/4
		if half == late {
			return optim.Stairs{LR: lr, Factor: 0.01, Milestones: []int{half}}
		}
		return optim.Stairs{LR: lr, Factor: 0.1, Milestones: []int{half, late}}
	}
	return optim.Constant{LR: lr}
}

// multiply writes a⊙b.
func multiply[T bilevel.Float](to, a, b []T) {
	for i := range to {
		to[i] = a[i] * b[i]
	}
}

// magnitudes writes |x| times scale within the ranges.
func magnitudes[T bilevel.Float](to, x []T, scale T, within []bilevel.Range) {
	for _, r := range within {
		for i := r.From; i < r.To; i++ {
			to[i] = scale * T(math.Abs(float64(x[i])))
		}
	}
}
