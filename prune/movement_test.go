package prune

// A worked example: everything that a new method needs, here movement pruning (Sanh, Wolf and Rush, "Movement Pruning:
// Adaptive Sparsity by Fine-Tuning", 2020). In the tree it would be movement.go, this test of it, and the line of the table
// that TestMovement makes.

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/optim"
	"espalier/train"
)

// Movement keeps the weights that training moves away from zero: the scores s gather −θ·∂L/∂z while the weights are trained,
// and m is 1 where s is highest.
type Movement struct {
	LR     float64 `yaml:"lr" help:"of the weights"`
	MaskLR float64 `yaml:"mask_lr" help:"of the scores"`
}

// Validate says what is wrong with the options.
func (m Movement) Validate() error {
	if !(m.LR > 0 && m.MaskLR > 0) {
		return fmt.Errorf("prune: movement with lr %v, mask_lr %v; both must be above 0", m.LR, m.MaskLR)
	}
	return nil
}

// Bilevel implements Learner: weights and scores see the same batch.
func (Movement) Bilevel() bool { return false }

// Learn implements Learner: the method is a list of two updates.
func (m Movement) Learn(p *Problem, o Options, c Course) (*Learning, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	l, err := newLearner(p, o, c, m.Bilevel())
	if err != nil {
		return nil, err
	}
	theta, score := l.thetaBlock(), l.scoreBlock()
	choose := func(s []nn.Float) { l.rank.choose(l.mask.keep, s) }
	choose(score.Value)
	gradient := func(g []nn.Float) (nn.Result, error) { // at z = m⊙θ
		multiply(l.z, l.mask.keep, l.theta)
		return l.oracle.Gradient(g, l.z, LowerSplit, nn.UpdateStatistics)
	}
	sgd := func() bilevel.Optimizer[nn.Float] { return optim.NewSGD(len(l.theta), optim.SGDOptions{}) }
	return l.finish(bilevel.Method[nn.Float]{
		{Block: theta, Splits: []string{LowerSplit}, Optimizer: sgd(), Rate: l.rates("cosine", m.LR),
			Gradient: func(g []nn.Float, _ int) (float64, error) {
				r, err := gradient(g)
				multiply(g, g, l.mask.keep)
				l.count(r)
				return r.Loss, err
			}},
		{Block: score, Optimizer: sgd(), Rate: l.rates("constant", m.MaskLR), Project: choose, // on the batch of the weights
			Gradient: func(g []nn.Float, _ int) (float64, error) {
				r, err := gradient(g)
				multiply(g, g, l.theta)
				for _, p := range l.mask.layout.Parts() {
					if !p.Kind.Weight() {
						clear(p.Of(g))
					}
				}
				return r.Loss, err
			}},
	}, score, map[string]string{"method": fmt.Sprintf("movement %+v, %d kept", m, l.rank.k)})
}

func TestMovement(t *testing.T) {
	line := Entry{"movement", "what training moves away from zero", "Sanh and others 2020, arXiv 2005.07683", Trained,
		func() Pruner { return &Movement{LR: 0.05, MaskLR: 1} }}
	method := line.New()
	if err := line.set(method, map[string]string{"mask_lr": "2"}); err != nil { // as --set movement.mask_lr=2
		t.Fatal(err)
	}
	l, err := method.(Learner).Learn(problem(t), Options{Sparsity: 0.6}, Course{Epochs: 10})
	if err != nil {
		t.Fatal(err)
	}
	first := l.Mask().Clone()
	r, err := train.Run(context.Background(), nil, l, train.Options{Epochs: 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Mask().CheckDensity(0.6); err != nil {
		t.Error(err)
	}
	if l.Mask().Equal(first) {
		t.Error("the mask never changed")
	}
	column := slices.Index(r.Records.Columns, "theta_loss")
	begin, end := r.Records.Rows[0][column], r.Records.Rows[9][column]
	if !(end < begin) {
		t.Errorf("the loss went from %v to %v", begin, end)
	}
}
