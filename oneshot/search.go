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
	Alpha  *bilevel.Block[nn.Float] // α, and β behind it if the method has one; it never moves if the method has no use for it
	Recipe bilevel.Recipe

	problem  *Problem
	course   Course
	method   Method
	net      *supernet.Net
	feed     *datasets.Feed
	alpha    *search.Alpha  // a view of Alpha
	gate     supernet.Gate  // nil: softmax
	seek     func(step int) // nil: the gate does not draw
	derive   func(*search.Alpha) (search.Genotype, error)
	noise    *rng.Stream // of primitives that make noise, in the running step
	beside   nn.Float    // weight of what runs beside the candidates, in the running step
	networks []*Network
	keep     []*bilevel.Block[nn.Float]
	history  []nn.Float // Alpha before the first epoch and after each
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
	if have, want := p.Net.Options().Edge, Edge(m, c.Auxiliary); have != want {
		return nil, fmt.Errorf("oneshot: a supernet with edges %+v for a search that has %+v", have, want)
	}
	feed, err := datasets.NewFeed(map[string]*datasets.Loader{TrainSplit: p.Train, ValSplit: p.Val})
	if err != nil {
		return nil, err
	}
	s := &Search{Recipe: c.Recipe, problem: p, course: c, method: m, net: p.Net, feed: feed}
	s.alpha = search.NewAlpha(p.Net.Space())
	s.alpha.Init(rng.New(p.Seed, "alpha"), 1e-3)
	s.Alpha = &bilevel.Block[nn.Float]{Name: "alpha", Value: s.alpha.Values}
	w := p.Net.NewParams()
	w.Init(p.Seed)
	s.W = s.network("w", w)
	s.Select(func(a *search.Alpha) (search.Genotype, error) {
		return search.Derive(s.Space(), s.Primitives(), a.Scores())
	})
	updates, err := m.Updates(s)
	if err != nil {
		return nil, err
	}
	n := len(s.Alpha.Value)
	s.history, s.curve = make([]nn.Float, (c.Epochs+1)*n), make([]nn.Float, c.Epochs)
	copy(s.history, s.Alpha.Value)
	for i := range s.curve {
		s.curve[i] = nn.Float(math.NaN())
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
	if e := p.Net.Options().Edge; e != (search.MixedEdge{}) {
		same["edges"] = fmt.Sprintf("%+v %+v", e, c.Auxiliary)
	}
	s.Stepper, err = bilevel.New(updates, bilevel.Options[nn.Float]{
		Steps: c.Steps, Images: m.Passes() * p.Net.Batch(), Source: feed, Keep: s.keep, Same: same, Sampled: s.sampled, Ended: s.ended,
		Moved: func(update, step int, _ float64) error {
			if update == len(updates)-1 {
				s.prepare(step + 1)
			}
			return nil
		},
	})
	return s, err
}

// Gate makes α the weights of the sums by g in all passes that train. A gate that draws comes with seek, which is called before
// each step; its search is judged by the architecture that α stands for, others by the mixture. A method calls it from Updates.
func (s *Search) Gate(g supernet.Gate, seek func(step int)) {
	s.gate, s.seek = g, seek
}

// Select makes f the way from α to an architecture, in place of search.Derive by α's Scores. A method calls it from Updates.
func (s *Search) Select(f func(*search.Alpha) (search.Genotype, error)) { s.derive = f }

// Betas puts β behind α in Alpha: an element for each edge, drawn as α is, for a gate that takes both. A method calls it from
// Updates, before it reads Alpha.
func (s *Search) Betas() {
	n := len(s.alpha.Values)
	all := make([]nn.Float, n+s.Space().Edges())
	copy(all, s.alpha.Values)
	s.alpha.Values, s.alpha.Beta = all[:n:n], all[n:]
	s.alpha.InitBeta(rng.New(s.problem.Seed, "beta"), 1e-3)
	s.Alpha.Value = all
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
	s.beside = s.besideIn(step / s.course.Steps)
	if s.seek != nil {
		s.seek(step)
	}
}

// besideIn is the weight of what runs beside the candidates in an epoch.
func (s *Search) besideIn(epoch int) nn.Float {
	return nn.Float(s.course.Auxiliary.At(epoch, s.course.Epochs))
}

// AlphaAfter is α, with β if there is one, after so many epochs, 0 being before the first: a copy.
func (s *Search) AlphaAfter(epochs int) *search.Alpha {
	a, n := search.NewAlpha(s.Space()), len(s.Alpha.Value)
	beta := s.history[epochs*n:][:n][copy(a.Values, s.history[epochs*n:]):]
	if len(beta) > 0 {
		a.Beta = slices.Clone(beta)
	}
	return a
}

// Derive is the architecture that α stands for.
func (s *Search) Derive(a *search.Alpha) (search.Genotype, error) { return s.derive(a) }

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
