package prune

import (
	"fmt"
	"math"

	"espalier/datasets"
	"espalier/nn"
)

// The splits that methods draw from.
const (
	LowerSplit = "lower" // weights are trained on it
	UpperSplit = "upper" // masks are
)

// Problem is a network with data: what a method prunes.
type Problem struct {
	// Net is the network; Net.Params are the weights that are pruned. Methods that train change them.
	Net *nn.Net
	// Lower hands out full batches of training images.
	Lower *datasets.Loader
	// Upper does so for the level of the masks, in methods that have one: other images, or the same in another order. nil:
	// such methods refuse the problem.
	Upper *datasets.Loader
	// Validation is evaluated after each epoch; nil: nothing is.
	Validation *datasets.Loader
	Loss       nn.Loss // nil: nn.CrossEntropy{}
	Seed       uint64  // of methods that draw numbers
}

// Oracle gives the gradients of a network's loss at any weights. It is the bilevel.Source of the splits that it was made
// for.
type Oracle struct {
	*datasets.Feed
	net     *nn.Net
	program *nn.TrainProgram
	bound   nn.Params
}

// NewOracle makes an oracle for loaders of full batches of one size, by the names of their splits.
func NewOracle(net *nn.Net, loss nn.Loss, splits map[string]*datasets.Loader) (*Oracle, error) {
	feed, err := datasets.NewFeed(splits)
	if err != nil {
		return nil, fmt.Errorf("prune: %w", err)
	}
	o := &Oracle{Feed: feed, net: net, bound: *net.Params}
	size := 0
	for name, l := range splits {
		if size = l.BatchSize(); nn.Shape(l.Shape()) != net.In {
			return nil, fmt.Errorf("prune: %s: images of %v for a network of %v", name, l.Shape(), net.In)
		}
	}
	o.program, err = net.TrainProgram(size, nn.TrainOptions{Loss: loss})
	return o, err
}

// Gradient writes to g the gradient of the loss with respect to all weights at z, a vector of the network's layout, on the
// current batch of the split. With nn.UpdateStatistics, running statistics follow the batch; with nn.BatchStatistics they
// stay as they are.
func (o *Oracle) Gradient(g, z []nn.Float, name string, s nn.Statistics) (nn.Result, error) {
	b := o.Batch(name)
	if &o.bound.Values[0] != &z[0] || &o.bound.Grads[0] != &g[0] {
		o.bound.Values, o.bound.Grads = z, g
		p := o.bound
		o.program.Bind(&p)
	}
	o.program.SetStatistics(s)
	return o.program.Step(b.X, b.Labels)
}

// Same says what runs must have in common that go on with one another: the network's size and the random streams.
func (o *Oracle) Same() map[string]string {
	same := o.Feed.Same()
	same["network"] = fmt.Sprintf("%d parameters, %d classes", o.net.Params.Layout.Count(), o.net.Out.C)
	return same
}

// each calls f with the number of each of the first batches of the lower split that hold at least the given number of
// images, and returns how many there were.
func (o *Oracle) each(images int, f func(i int) error) (int, error) {
	size := o.BatchSize()
	n := (images + size - 1) / size
	if err := o.Seek(LowerSplit, 0); err != nil {
		return 0, err
	}
	for i := range n {
		if err := o.Next(LowerSplit); err != nil {
			return i, err
		}
		if err := f(i); err != nil {
			return i, err
		}
	}
	return n, nil
}

// gradients adds up, in dst, the gradients at z over the first images of the lower split, divided by their number of batches,
// without touching running statistics. scratch has the length of dst.
func (o *Oracle) gradients(dst, z, scratch []nn.Float, images int) error {
	clear(dst)
	n, err := o.each(images, func(int) error {
		r, err := o.Gradient(scratch, z, LowerSplit, nn.BatchStatistics)
		if err != nil {
			return err
		}
		if math.IsNaN(r.Loss) || math.IsInf(r.Loss, 0) {
			return fmt.Errorf("prune: the loss is %v: the weights that are scored are not usable", r.Loss)
		}
		for i, g := range scratch {
			dst[i] += g
		}
		return nil
	})
	for i := range dst {
		dst[i] /= nn.Float(n)
	}
	return err
}

// perClass is the number of images of 10 for each class: what scores at initialisation are measured on.
func (p *Problem) perClass() int { return 10 * p.Net.Out.C }
