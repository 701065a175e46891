package oneshot

import (
	"context"
	"math"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
	"espalier/train"
)

// sampled is bilevel.Options.Sampled: the accuracy of the first set of weights.
func (s *Search) sampled(f []train.Figure) []train.Figure {
	return append(f, train.Figure{Name: "accuracy", Value: s.W.accuracy()})
}

// ended is bilevel.Options.Ended.
func (s *Search) ended(ctx context.Context, epoch int, report train.Report) ([]train.Figure, error) {
	copy(s.history[(epoch+1)*len(s.Alpha.Value):], s.Alpha.Value)
	var figures []train.Figure
	for _, n := range s.networks {
		figures = append(figures, train.Figure{Name: n.Name + "_accuracy", Value: n.accuracy()})
	}
	if judged, ok := s.method.(Judged); s.problem.Check != nil && (!ok || judged.Judged()) {
		r, err := s.evaluate(ctx, epoch, report)
		if err != nil {
			return nil, err
		}
		figures = append(figures, train.Figure{Name: "val_loss", Value: r.Loss}, train.Figure{Name: "val_accuracy", Value: 100 * r.Accuracy()})
	}
	g, err := s.Derive(s.alpha)
	if err != nil {
		return nil, err
	}
	scores := s.alpha.Softmax()
	for k, c := range s.Space().Cells {
		wiring := []search.Wiring{g.Normal, g.Reduce}[k]
		figures = append(figures,
			train.Figure{Name: c.Name + "_entropy", Value: scores.Entropy(k)},
			train.Figure{Name: c.Name + "_skips", Value: float64(wiring.Count("skip_connect"))})
	}
	if !s.course.Curvature {
		return figures, ctx.Err()
	}
	value := math.NaN()
	if (epoch+1)%s.course.every() == 0 {
		if value, err = s.curvature(ctx, epoch, report); err != nil {
			return nil, err
		}
		s.curve[(epoch+1)/s.course.every()-1] = nn.Float(value)
	}
	return append(figures, train.Figure{Name: "eigenvalue", Value: value}), ctx.Err()
}

// mixture is a pass of the mixture of an epoch with the first set of weights, by a gate that does not draw.
func (s *Search) mixture(epoch int) supernet.Pass {
	p := supernet.Pass{
		Params: s.W.params, Alpha: s.Alpha.Value, Gate: s.gate, Beside: s.besideIn(epoch), Statistics: nn.BatchStatistics, Random: s.noise,
	}
	if s.seek != nil {
		p.Gate = nil
	}
	return p
}

// evaluate is the result of what the method holds up in an epoch, with the first set of weights, on all images of Check.
func (s *Search) evaluate(ctx context.Context, epoch int, report train.Report) (nn.Result, error) {
	p := s.mixture(epoch)
	if s.seek != nil { // a gate that draws: the architecture that α stands for
		g, err := s.Derive(s.alpha)
		if err != nil {
			return nn.Result{}, err
		}
		p.Alpha, p.Gate, p.Beside = OneHot(s.Space(), g), supernet.Direct{}, 0
	} else if s.problem.Running {
		p.Statistics = nn.RunningStatistics
	}
	return s.results(ctx, p, math.MaxInt, func(done, total int) { report("validation", done, total) })
}

// Judge is the result of an architecture with the first set of weights, each batch normalised by itself, on the first so
// many batches of Check, or on all if there are fewer.
func (s *Search) Judge(ctx context.Context, g search.Genotype, batches int) (nn.Result, error) {
	p := supernet.Pass{Params: s.W.params, Alpha: OneHot(s.Space(), g), Gate: supernet.Direct{}, Statistics: nn.BatchStatistics, Random: s.noise}
	return s.results(ctx, p, batches, func(int, int) {})
}

func (s *Search) results(ctx context.Context, p supernet.Pass, batches int, report func(done, total int)) (sum nn.Result, err error) {
	batches = min(batches, s.problem.Check.Batches())
	s.problem.Check.Start(0, 0)
	for range batches {
		if err := ctx.Err(); err != nil {
			return nn.Result{}, err
		}
		b := s.problem.Check.Next()
		p.Images, p.Labels = b.X, b.Labels
		r, err := s.net.Evaluate(p)
		if err != nil {
			return nn.Result{}, err
		}
		sum = sum.Add(r)
		report(sum.N, batches*s.net.Batch())
	}
	return sum, nil
}

// curvature is the largest eigenvalue of the Hessian of the validation loss in α (and β) on a fixed set of images, under softmax
// where the gate draws.
func (s *Search) curvature(ctx context.Context, epoch int, report train.Report) (float64, error) {
	check := s.problem.Check
	batches := min(check.Batches(), (CurvatureImages+check.BatchSize()-1)/check.BatchSize())
	part, done := make([]nn.Float, len(s.Alpha.Value)), 0
	pass := s.mixture(epoch)
	const products = 12
	gradient := func(g, alpha []nn.Float) error {
		clear(g)
		check.Start(0, 0)
		for range batches {
			if err := ctx.Err(); err != nil {
				return err
			}
			b := check.Next()
			pass.Alpha, pass.Images, pass.Labels = alpha, b.X, b.Labels
			if _, err := s.net.Gradient(nil, part, pass); err != nil {
				return err
			}
			for i, v := range part {
				g[i] += v / nn.Float(batches)
			}
			done++
			report("curvature", done*check.BatchSize(), 2*products*batches*check.BatchSize())
		}
		return nil
	}
	return bilevel.Hessian(bilevel.Curvature{Steps: products}, gradient, s.Alpha.Value, s.Stream("curvature"))
}

// OneHot is the weights of the sums under which a supernet is one architecture: 1 for the operations that it has, 0 for all
// others. It panics if the space does not have the architecture.
func OneHot(space *search.Space, g search.Genotype) []nn.Float {
	a := search.NewAlpha(space)
	for k, w := range []search.Wiring{g.Normal, g.Reduce}[:len(space.Cells)] {
		for _, e := range w.Edges {
			a.Values[place(a, k, e)] = 1
		}
	}
	return a.Values
}
