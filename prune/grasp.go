package prune

import (
	"errors"
	"fmt"
	"math"

	"espalier/bilevel"
	"espalier/datasets"
	"espalier/nn"
)

// GraSP keeps the weights whose removal would weaken the gradient's flow (Wang, Zhang and Grosse, "Picking Winning Tickets
// Before Training by Preserving Gradient Flow", 2020): the score is θ⊙Hg with its sign, g the gradient and H the Hessian of
// the loss at initialisation, with logits divided by Temperature. The paper removes the highest −θ⊙Hg, which is the same.
//
// Hg is a central difference of gradients at θ ± εg with ε = Radius/‖g‖, on the images of g. Batch norm takes the batch's
// statistics and leaves the running ones alone.
type GraSP struct {
	Images      int     `yaml:"images" help:"that gradients are measured on, at least; 0: 10 for each class"`
	Temperature float64 `yaml:"temperature" help:"that logits are divided by"`
	Radius      float64 `yaml:"radius" help:"length of the step of the difference"`
}

// DefaultGraSP has the paper's temperature, 200.
func DefaultGraSP() GraSP { return GraSP{Temperature: 200, Radius: 0.01} }

// Validate says what is wrong with the options.
func (s GraSP) Validate() error {
	if !(s.Temperature > 0) || !(s.Radius > 0) || math.IsInf(s.Temperature+s.Radius, 0) {
		return fmt.Errorf("prune: grasp with temperature %v and radius %v; both must be above 0", s.Temperature, s.Radius)
	}
	return checkImages("grasp", s.Images)
}

// Passes implements Priced.
func (s GraSP) Passes(p *Problem) int { return 3 * measured(s.Images, p) }

// Mask implements OneShot. It costs three forward and backward passes of the images.
func (s GraSP) Mask(p *Problem, o Options) (*Mask, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	r, err := newRanking(p.Net.Params.Layout, o)
	if err != nil {
		return nil, err
	}
	loss := p.Loss
	if loss == nil {
		loss = nn.CrossEntropy{}
	}
	oracle, err := NewOracle(p.Net, &tempered{loss: loss, t: s.Temperature}, map[string]*datasets.Loader{LowerSplit: p.Lower})
	if err != nil {
		return nil, err
	}
	w := p.Net.Params
	scratch := w.Layout.New()
	scores, err := flow(w.Values, s.Radius, func(g, z []nn.Float) error { return oracle.gradients(g, z, scratch, images(s.Images, p)) })
	if err != nil {
		return nil, err
	}
	return r.mask(scores)
}

// flow is θ⊙Hg.
func flow[T bilevel.Float](w []T, radius float64, gradient func(g, z []T) error) ([]T, error) {
	n := len(w)
	g, z, plus, minus := make([]T, n), make([]T, n), make([]T, n), make([]T, n)
	if err := gradient(g, w); err != nil {
		return nil, err
	}
	norm := 0.0
	for _, v := range g {
		norm += float64(v) * float64(v)
	}
	if norm = math.Sqrt(norm); norm == 0 {
		return nil, errors.New("prune: grasp: the gradient is zero everywhere")
	}
	eps := radius / norm
	for _, side := range []struct {
		sign float64
		to   []T
	}{{1, plus}, {-1, minus}} {
		for i := range z {
			z[i] = w[i] + T(side.sign*eps)*g[i]
		}
		if err := gradient(side.to, z); err != nil {
			return nil, err
		}
	}
	for i := range g {
		g[i] = w[i] * T(float64(plus[i]-minus[i])/(2*eps))
	}
	return g, nil
}

// tempered is a loss of logits/t.
type tempered struct {
	loss   nn.Loss
	t      float64
	logits []nn.Float // scratch
}

// Loss implements nn.Loss.
func (l *tempered) Loss(grad, logits []nn.Float, labels []int32, k int) (float64, int) {
	l.logits = append(l.logits[:0], logits...)
	for i := range l.logits {
		l.logits[i] /= nn.Float(l.t)
	}
	loss, correct := l.loss.Loss(grad, l.logits, labels, k)
	for i := range grad {
		grad[i] /= nn.Float(l.t)
	}
	return loss, correct
}
