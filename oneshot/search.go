package oneshot

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"espalier/bilevel"
	"espalier/datasets"
	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
	"espalier/train"
)

// Search is a method at work on a supernet, as a stepper for train.Run. Its checkpoints hold all sets of weights with their
// running statistics, α and its history, optimizers and the places in the random streams.
//
// The figures of an epoch are those of bilevel.Stepper for the blocks; for each set of weights, NAME_accuracy of the images
// that it was moved on, in percent; val_loss and val_accuracy on Problem.Check, if that is there, of what the method holds
// up to be judged; and for each kind of cell KIND_entropy, the mean entropy of softmax(α) over its edges in nats, and
// KIND_skips, the number of skip_connect in the architecture that would be derived now; and with Course.Curvature,
// eigenvalue, NaN where it is not due.
type Search struct {
	*bilevel.Stepper[nn.Float]
	W      *Network                 // the first set of weights
	Alpha  *bilevel.Block[nn.Float] // zeros that never move if the method has no use for it
	Recipe bilevel.Recipe

	problem  *Problem
	course   Course
	method   Method
	net      *supernet.Net
	feed     *datasets.Feed
	alpha    *search.Alpha // a view of Alpha
	gate     supernet.Gate // nil: softmax
	seek     func(step int)
	noise    *rng.Stream // of primitives that make noise, in the running step
	networks []*Network
	keep     []*bilevel.Block[nn.Float]
	history  []nn.Float // α before the first epoch and after each
	curve    []nn.Float // eigenvalues as they were measured, which are finite, then NaN
}

// New is a search by the method, from weights and α that it draws.
func New(m Method, p *Problem, c Course) (*Search, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if err := p.validate(); err != nil {
		return nil, err
	}
	c, err := c.fill(p)
	if err != nil {
		return nil, err
	}
	feed, err := datasets.NewFeed(map[string]*datasets.Loader{TrainSplit: p.Train, ValSplit: p.Val})
	if err != nil {
		return nil, err
	}
	s := &Search{Recipe: c.Recipe, problem: p, course: c, method: m, net: p.Net, feed: feed, seek: func(int) {}}
	s.alpha = search.NewAlpha(p.Net.Space())
	s.alpha.Init(rng.New(p.Seed, "alpha"), 1e-3)
	s.Alpha = &bilevel.Block[nn.Float]{Name: "alpha", Value: s.alpha.Values}
	w := p.Net.NewParams()
	w.Init(p.Seed)
	s.W = s.network("w", w)
	n := len(s.alpha.Values)
	s.history, s.curve = make([]nn.Float, (c.Epochs+1)*n), make([]nn.Float, c.Epochs)
	copy(s.history, s.alpha.Values)
	for i := range s.curve {
		s.curve[i] = nn.Float(math.NaN())
	}
	updates, err := m.Updates(s)
	if err != nil {
		return nil, err
	}
	s.keep = append(s.keep, bilevel.NewBlock("alpha.history", s.history...), bilevel.NewBlock("eigenvalues", s.curve...))
	if !slices.ContainsFunc(updates, func(u bilevel.Update[nn.Float]) bool { return u.Block == s.Alpha }) {
		s.keep = append(s.keep, s.Alpha)
	}
	same := feed.Same()
	maps.Copy(same, map[string]string{
		"method": fmt.Sprintf("%T %s", m, describe(m)), "space": p.Net.Space().Name, "seed": fmt.Sprint(p.Seed),
		"supernet": fmt.Sprintf("%d weights, %d classes", p.Net.Layout.Count(), p.Net.Classes()),
	})
	s.Stepper, err = bilevel.New(updates, bilevel.Options[nn.Float]{
		Steps: c.Steps, Images: m.Passes() * p.Net.Batch(), Source: feed, Keep: s.keep, Same: same, Ended: s.ended,
		Moved: func(update, step int, _ float64) error {
			if update == len(updates)-1 {
				s.prepare(step + 1)
			}
			return nil
		},
	})
	return s, err
}

// Gate makes α the weights of the sums by g in all passes that train; seek, if it is not nil, is called before each step.
// A method calls it from Updates.
func (s *Search) Gate(g supernet.Gate, seek func(step int)) {
	s.gate = g
	if seek != nil {
		s.seek = seek
	}
}

// Stream is a random stream of the search.
func (s *Search) Stream(name string) *rng.Stream { return rng.New(s.problem.Seed, "search", name) }

// Space is what is searched.
func (s *Search) Space() *search.Space { return s.net.Space() }

// Primitives are those of the space.
func (s *Search) Primitives() search.Registry { return s.net.Options().Primitives }

// Epochs is how many epochs the search has, and Steps of the stepper how many steps each.
func (s *Search) Epochs() int { return s.course.Epochs }

// Begin implements train.Stepper.
func (s *Search) Begin(epoch, step int) error {
	if step == 0 {
		for _, n := range s.networks {
			clear(n.tally)
		}
	}
	s.prepare(epoch*s.Steps() + step)
	return s.Stepper.Begin(epoch, step)
}

// prepare makes everything that a step draws follow from its number.
func (s *Search) prepare(step int) {
	s.noise = s.Stream("noise").At(uint64(step))
	s.seek(step)
}

// AlphaAfter is α after so many epochs, 0 being before the first: a copy.
func (s *Search) AlphaAfter(epochs int) *search.Alpha {
	a := search.NewAlpha(s.Space())
	copy(a.Values, s.history[epochs*len(a.Values):])
	return a
}

// Derive is the architecture that α stands for.
func (s *Search) Derive(a *search.Alpha) (search.Genotype, error) {
	return search.Derive(s.Space(), s.Primitives(), a.Softmax())
}

// Choose is the architecture that the search ends in, when its last step is done: that of α, or of an
// earlier α after an early stop, unless the method has a way of its own, which may take time.
func (s *Search) Choose(ctx context.Context, report train.Report) (search.Genotype, error) {
	if c, ok := s.method.(Chooser); ok {
		return c.Choose(ctx, s, report)
	}
	if stop, _, best := s.stop(); stop {
		return s.Derive(s.AlphaAfter(best))
	}
	return s.Derive(s.alpha)
}

// Stopped implements train.Stopper.
func (s *Search) Stopped() bool {
	stop, _, _ := s.stop()
	return stop
}

// stop is what Course.Stopping says by now.
func (s *Search) stop() (stop bool, stopped, best int) {
	if s.course.Stopping.Every == 0 {
		return false, 0, 0
	}
	return s.course.Stopping.Stop(s.Eigenvalues())
}

// Eigenvalues are those that were measured, each after so many epochs more.
func (s *Search) Eigenvalues() (all []float64) {
	for _, v := range s.curve {
		if v != v {
			break
		}
		all = append(all, float64(v))
	}
	return all
}
