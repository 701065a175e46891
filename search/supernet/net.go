package supernet

import (
	"fmt"

	"espalier/internal/kernels"
	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
)

// Net is the supernet of a space, for batches of one size. It holds no weights. It is not safe for concurrent use, and of the
// nets and programs of a process only one may run at a time.
type Net struct {
	Layout       *nn.Layout // of the weights, those of models.Supernet
	BufferLayout *nn.Layout // of the running statistics
	In           nn.Shape   // of an image

	space    *search.Space
	options  Options
	pass     pass
	softmax  *Softmax
	mixture  []nn.Float // the weights of the sums, as search.MixedEdge.Weights lays them out
	dmixture []nn.Float
	beside   search.Row // in the mixture
	bypass   search.Row
	links    []*link
	x        *nn.Buffer // (N,H,W,C)
	labels   []int32    // (N)
	memory   int        // elements of the plan
	discard  []nn.Float // gradients at the weights that nobody wants

	train, infer *program

	forwards, backwards int
}

// New builds the supernet of a space. Options that do not fit the space or the images are an error.
func New(space *search.Space, o Options) (*Net, error) { return build(space, o, false) }

// build is New; plain makes every candidate but the identity of layers one by one, as nn does, to compare with.
func build(space *search.Space, o Options, plain bool) (*Net, error) {
	o, err := o.fill(space.Skeleton)
	if err != nil {
		return nil, err
	}
	spec, err := o.spec(space)
	if err != nil {
		return nil, err
	}
	n := &Net{In: o.Input, space: space, options: o, softmax: NewSoftmax(space)}
	if n.Layout, n.BufferLayout, err = nn.Layouts(spec, n.In); err != nil {
		return nil, err
	}
	weights := o.Edge.Weights(space)
	n.mixture, n.dmixture = make([]nn.Float, weights), make([]nn.Float, weights)
	n.beside, n.bypass = o.Edge.BesideRow(space), o.Edge.BypassRow(space)
	n.labels = make([]int32, o.Batch)

	plan := nn.NewPlan(o.Batch)
	n.pass.Run = *plan.Run
	plan.Run = &n.pass.Run
	n.x = plan.Keep(o.Batch * o.Input.Len())
	b := &builder{Net: n, plan: plan, alpha: search.NewAlpha(space), plain: plain}
	if err := b.build(spec); err != nil {
		return nil, err
	}
	n.links = b.links
	last := n.links[len(n.links)-1]
	dlogits := plan.BackSpan(o.Batch*o.Classes, plan.Moment(), last.first)
	n.memory = plan.Allocate()
	if n.train, err = n.program(dlogits.Data); err != nil {
		return nil, err
	}
	n.infer, err = n.program(nil)
	return n, err
}

// NewParams is a set of zero weights; its Init sets them.
func (n *Net) NewParams() *nn.Params { return nn.NewParams(n.Layout, n.BufferLayout) }

// Space is the space that the net belongs to.
func (n *Net) Space() *search.Space { return n.space }

// Options are the options of New, with defaults in the place of zeros.
func (n *Net) Options() Options { return n.options }

// Batch is the number of images of a pass.
func (n *Net) Batch() int { return n.options.Batch }

// Classes is the number of logits of an image.
func (n *Net) Classes() int { return n.options.Classes }

func (n *Net) batch() int { return n.options.Batch }

// Memory is the number of bytes that one pass needs beside weights and their gradients.
func (n *Net) Memory() int { return n.memory * int(floatSize) }

// Mixture is the weights of the sums in the last pass, as search.MixedEdge.Weights lays them out: first those of the candidates,
// as search.Alpha.Values. It is valid until the next pass.
func (n *Net) Mixture() []nn.Float { return n.mixture }

// Passes is how many forward and backward passes the net has made.
func (n *Net) Passes() (forward, backward int) { return n.forwards, n.backwards }

// Pass is what a pass over a batch reads.
type Pass struct {
	Params *nn.Params // its Values are read, its Buffers read or written as Statistics says; its Grads are left alone
	Alpha  []nn.Float // what Gate takes
	Gate   Gate       // nil: Softmax
	Beside nn.Float   // weight of Options.Edge.Beside on every edge; at 0 it is not computed
	Images []nn.Float // (N,H,W,C)
	Labels []int32    // (N)
	// Statistics says what batch norms normalise by, and whether running statistics follow: nn.UpdateStatistics (the zero value)
	// in a step that trains the weights, nn.BatchStatistics in one that looks at them.
	Statistics nn.Statistics
	// Random is what primitives draw from that make noise; nil: the net's own stream goes on.
	Random *rng.Stream
}

// Gradient writes to gw the gradient of the mean loss at the weights, of Layout, and to ga that at p.Alpha, and returns the
// loss. Either may be nil; what it alone needs is then not computed. Candidates whose weight is zero have zero gradients, at
// their own weights and at their weight. The batch must be full. A mixture that is not finite is an error.
func (n *Net) Gradient(gw, ga []nn.Float, p Pass) (nn.Result, error) {
	if len(p.Labels) != n.batch() {
		panic(fmt.Sprintf("supernet: a gradient of %d images got %d labels", n.batch(), len(p.Labels)))
	}
	if err := n.load(p, len(p.Labels)); err != nil {
		return nn.Result{}, err
	}
	n.pass.weights = gw != nil
	grads := gw
	if gw == nil {
		if n.discard == nil {
			n.discard = n.Layout.New()
		}
		grads = n.discard
	} else {
		check("the gradient at the weights", len(gw), n.Layout.Size())
		clear(gw)
	}
	n.train.bind(p.Params, grads)
	n.forwards++
	n.backwards++
	if err := n.train.run(); err != nil {
		return nn.Result{}, err
	}
	if ga != nil {
		check("the gradient at α", len(ga), len(p.Alpha))
		n.train.mixtureGradient(n.dmixture)
		n.gate(p).Gradient(ga, p.Alpha, n.mixture, n.dmixture)
	}
	loss, correct := n.train.loss.Value()
	return nn.Result{Loss: loss, Correct: correct, N: n.batch()}, nil
}

// Logits makes a forward pass over up to Batch images, as many as p.Images holds, and returns the logits (n,K), which are
// valid until the next pass. p.Labels is not read. Batches that are not full need running statistics.
func (n *Net) Logits(p Pass) ([]nn.Float, error) {
	images := len(p.Images) / n.In.Len()
	if images < 1 || images > n.batch() {
		panic(fmt.Sprintf("supernet: a net for up to %d images got %d", n.batch(), images))
	}
	if images < n.batch() && p.Statistics != nn.RunningStatistics {
		return nil, fmt.Errorf("supernet: %d images for a net of %d: with the batch's statistics the batch must be full", images, n.batch())
	}
	p.Labels = nil
	if err := n.load(p, images); err != nil {
		return nil, err
	}
	n.infer.bind(p.Params, nil)
	n.forwards++
	if err := n.infer.run(); err != nil {
		return nil, err
	}
	return n.links[len(n.links)-1].out.Data[:images*n.Classes()], nil
}

// Evaluate makes a forward pass over up to Batch images, as many as p.Labels names.
func (n *Net) Evaluate(p Pass) (nn.Result, error) {
	if err := n.checkLabels(p.Labels); err != nil {
		return nn.Result{}, err
	}
	if len(p.Images) != len(p.Labels)*n.In.Len() {
		panic(fmt.Sprintf("supernet: %d values for %d images of %v", len(p.Images), len(p.Labels), n.In))
	}
	labels := p.Labels
	logits, err := n.Logits(p)
	if err != nil {
		return nn.Result{}, err
	}
	r := nn.Result{N: len(labels)}
	r.Loss, r.Correct = n.options.Loss.Loss(nil, logits, labels, n.Classes())
	return r, nil
}

func (n *Net) gate(p Pass) Gate {
	if p.Gate == nil {
		return n.softmax
	}
	return p.Gate
}

// load takes over what a pass reads: images, labels, if there are any, the mixture and the statistics.
func (n *Net) load(p Pass, images int) error {
	if want := images * n.In.Len(); len(p.Images) != want {
		panic(fmt.Sprintf("supernet: %d images of %v are %d values, have %d", images, n.In, want, len(p.Images)))
	}
	if !p.Params.Layout.Same(n.Layout) {
		panic("supernet: the weights belong to another net")
	}
	if err := n.checkLabels(p.Labels); err != nil {
		return err
	}
	copy(n.x.Data, p.Images)
	clear(n.x.Data[len(p.Images):])
	copy(n.labels, p.Labels)
	fill(n.beside.Of(n.mixture), p.Beside)
	fill(n.bypass.Of(n.mixture), 1)
	n.gate(p).Weights(n.mixture, p.Alpha)
	if i := kernels.FirstNotFinite(n.mixture); i >= 0 {
		return fmt.Errorf("supernet: weight %d of the mixture is %v: the architecture parameters have diverged", i, n.mixture[i])
	}
	n.pass.Statistics = p.Statistics
	if p.Random != nil {
		n.pass.Random = p.Random
	}
	return nil
}

// checkLabels fails if a label is not a class.
func (n *Net) checkLabels(labels []int32) error {
	for i, k := range labels {
		if k < 0 || int(k) >= n.Classes() {
			return fmt.Errorf("supernet: label %d of image %d is outside [0,%d)", k, i, n.Classes())
		}
	}
	return nil
}

func check(what string, have, want int) {
	if have != want {
		panic(fmt.Sprintf("supernet: %s has %d elements, want %d", what, have, want))
	}
}
