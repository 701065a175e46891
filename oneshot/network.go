package oneshot

import (
	"espalier/bilevel"
	"espalier/nn"
	"espalier/search/supernet"
)

// Network is a set of the supernet's weights that a method trains.
type Network struct {
	*bilevel.Block[nn.Float]

	params *nn.Params
	tally  []nn.Float // images seen in the running epoch's moves, and those classified rightly
}

// Params are the weights with their running statistics: a view that the next step changes.
func (n *Network) Params() *nn.Params { return n.params }

// network adds a set of weights to the search, whose block has the given name, and what goes with it to what is kept.
func (s *Search) network(name string, p *nn.Params) *Network {
	n := &Network{
		Block:  &bilevel.Block[nn.Float]{Name: name, Value: p.Values, Codec: p.Layout},
		params: p, tally: make([]nn.Float, 2),
	}
	s.networks = append(s.networks, n)
	s.keep = append(s.keep,
		&bilevel.Block[nn.Float]{Name: name + ".statistics", Value: p.Buffers, Codec: p.BufferLayout},
		bilevel.NewBlock(name+".tally", n.tally...))
	return n
}

// accuracy of the running epoch's moves, in percent.
func (n *Network) accuracy() float64 { return 100 * float64(n.tally[1]) / float64(n.tally[0]) }

// Second is a second set of weights, which begins equal to the first.
func (s *Search) Second(name string) *Network { return s.network(name, s.W.params.Clone()) }

// Level is the loss of a set of weights on a split, in which α is the upper block.
func (s *Search) Level(split string, n *Network) bilevel.Level[nn.Float] {
	var spare [2][]nn.Float
	pass := func(ga, gw, alpha, w []nn.Float, statistics nn.Statistics) (nn.Result, error) {
		b := s.feed.Batch(split)
		if s.problem.AllGradients {
			ga, gw = unwanted(ga, &spare[0], len(alpha)), unwanted(gw, &spare[1], len(w))
		}
		return s.net.Gradient(gw, ga, supernet.Pass{
			Params: n.params.With(w), Alpha: alpha, Gate: s.gate, Beside: s.beside, Images: b.X, Labels: b.Labels, Statistics: statistics, Random: s.noise,
		})
	}
	return bilevel.Level[nn.Float]{
		Split: split,
		Loss: func(ga, gw, alpha, w []nn.Float) (float64, error) {
			r, err := pass(ga, gw, alpha, w, nn.BatchStatistics)
			return r.Loss, err
		},
		Move: func(ga, gw, alpha, w []nn.Float) (float64, error) {
			r, err := pass(ga, gw, alpha, w, nn.UpdateStatistics)
			n.tally[0] += nn.Float(r.N)
			n.tally[1] += nn.Float(r.Correct)
			return r.Loss, err
		},
	}
}

// unwanted is the gradient g, or spare room for it if nobody wants it.
func unwanted(g []nn.Float, spare *[]nn.Float, n int) []nn.Float {
	if g != nil {
		return g
	}
	if *spare == nil {
		*spare = make([]nn.Float, n)
	}
	return *spare
}
