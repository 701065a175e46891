package oneshot

import (
	"espalier/bilevel"
	"espalier/darts"
	"espalier/nn"
	"espalier/rarts"
)

// DARTS is package darts on a supernet.
type DARTS darts.Options

func newDARTS() *DARTS {
	o := DARTS(darts.Default())
	return &o
}

// Validate implements Method.
func (o *DARTS) Validate() error { return darts.Options(*o).Validate() }

// Passes implements Method.
func (o *DARTS) Passes() int { return darts.Options(*o).Passes() }

// Updates implements Method.
func (o *DARTS) Updates(s *Search) (bilevel.Method[nn.Float], error) {
	return darts.Method(darts.Problem[nn.Float]{
		W: s.W.Block, Alpha: s.Alpha,
		Train: s.Level(TrainSplit, s.W), Val: s.Level(ValSplit, s.W),
		MoveW: s.Recipe.Weights(len(s.W.Value), 1, 0), MoveA: s.Recipe.Alpha(len(s.Alpha.Value)),
	}, darts.Options(*o))
}

// RARTS is package rarts on a supernet. Both sets of weights begin equal; y is trained on the validation images, so its
// accuracy there, y_accuracy, is a training accuracy.
type RARTS rarts.Options

func newRARTS() *RARTS {
	o := RARTS(rarts.Default())
	return &o
}

// Validate implements Method.
func (o *RARTS) Validate() error { return rarts.Options(*o).Validate() }

// Passes implements Method.
func (o *RARTS) Passes() int { return rarts.Options(*o).Passes() }

// Updates implements Method.
func (o *RARTS) Updates(s *Search) (bilevel.Method[nn.Float], error) {
	y := s.Second("y")
	n := len(s.W.Value)
	or := func(rate *float64) float64 {
		if rate == nil {
			return 0
		}
		return *rate
	}
	return rarts.Method(rarts.Problem[nn.Float]{
		W: s.W.Block, Y: y.Block, Alpha: s.Alpha,
		Train: s.Level(TrainSplit, s.W), Val: s.Level(ValSplit, y),
		MoveW: s.Recipe.Weights(n, o.Lambda, or(o.WLR)), MoveY: s.Recipe.Weights(n, 1, or(o.YLR)), MoveA: s.Recipe.Alpha(len(s.Alpha.Value)),
	}, rarts.Options(*o))
}
