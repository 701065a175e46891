package oneshot

import (
	"cmp"
	"context"
	"fmt"

	"espalier/baseline"
	"espalier/bilevel"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
	"espalier/train"
)

// Random is random search with shared weights: each step moves the weights of one architecture, drawn uniformly; there is
// no α. In the end candidates are judged by these weights, on some validation images and the best of them on all.
type Random struct {
	Candidates int `yaml:"candidates" help:"architectures that are judged in the end; 0: 100, or 1000 in the DARTS space"`
	Finalists  int `yaml:"finalists" help:"of them, judged on all validation images; 0: 10"`
	Batches    int `yaml:"batches" help:"of validation images that candidates are judged on; 0: 10"`
}

// Validate implements Method.
func (o *Random) Validate() error {
	if o.Candidates < 0 || o.Finalists < 0 || o.Batches < 0 {
		return fmt.Errorf("oneshot: random-ws with %d candidates, %d finalists and %d batches, want 0 or more", o.Candidates, o.Finalists, o.Batches)
	}
	return nil
}

// Passes implements Method.
func (o *Random) Passes() int { return 1 }

// Judged implements the interface of that name: there is no one architecture until the end.
func (o *Random) Judged() bool { return false }

// Sparse implements the interface of that name.
func (o *Random) Sparse() bool { return true }

// Updates implements Method.
func (o *Random) Updates(s *Search) (bilevel.Method[nn.Float], error) {
	drawn := baseline.Random{Space: s.Space(), Primitives: s.Primitives(), Stream: s.Stream("architectures")}
	s.Gate(supernet.Direct{}, func(int) {}) // what is drawn, each step gives in place of α
	level, move := s.Level(TrainSplit, s.W), s.Recipe.Weights(len(s.W.Value), 1, 0)
	gradient := func(g []nn.Float, step int) (float64, error) {
		return level.Move(nil, g, OneHot(s.Space(), drawn.At(step)), s.W.Value)
	}
	return bilevel.Method[nn.Float]{{
		Block: s.W.Block, Splits: bilevel.Splits(level), Optimizer: move.Optimizer, Rate: move.Rate,
		Gradient: bilevel.Clipped(gradient, move.Clip),
	}}, nil
}

// Choose implements Chooser.
func (o *Random) Choose(ctx context.Context, s *Search, report train.Report) (search.Genotype, error) {
	if s.problem.Check == nil {
		return search.Genotype{}, fmt.Errorf("oneshot: random-ws chooses by validation images, and Problem.Check has none")
	}
	shared := baseline.Shared{
		Space: s.Space(), Primitives: s.Primitives(), Stream: s.Stream("candidates"), Candidates: o.Candidates, Finalists: o.Finalists,
	}
	judge := func(task string, architectures, batches int) baseline.Oracle {
		done, batches := 0, min(batches, s.problem.Check.Batches())
		return func(ctx context.Context, g search.Genotype) (float64, error) {
			r, err := s.Judge(ctx, g, batches)
			done += r.N
			report(task, done, architectures*batches*s.net.Batch())
			return r.Accuracy(), err
		}
	}
	quick, whole := judge("candidates", shared.Drawn(), cmp.Or(o.Batches, 10)), judge("finalists", shared.Kept(), s.problem.Check.Batches())
	best, err := shared.Choose(ctx, quick, whole)
	if err != nil {
		return search.Genotype{}, err
	}
	return best[0].Genotype, nil
}
