package bench

import (
	"fmt"
	"io"

	"espalier/bilevel"
	"espalier/datasets"
	"espalier/internal/kernels"
	"espalier/internal/rng"
	"espalier/models"
	"espalier/prune"
)

// PruneRow is what a step of a method that learns a mask costs beside a plain training step of the same network.
type PruneRow struct {
	Name     string  `json:"name"`
	Passes   int     `json:"passes"` // forward and backward, of one batch each
	Batch    int     `json:"batch"`
	Threads  int     `json:"threads"`
	MedianMS float64 `json:"median_ms"`
	OfPlain  float64 `json:"of_plain"` // median over rounds, of the step over the plain step of the same round
}

// TopRow is the time in which the mask of the highest scores is found.
type TopRow struct {
	Name     string  `json:"name"`
	Scores   int     `json:"scores"`
	Kept     int     `json:"kept"`
	Threads  int     `json:"threads"`
	MedianMS float64 `json:"median_ms"`
}

// Prune times steps of the methods that learn a mask, loading included, in turn with a plain step on a fixed batch, on
// ResNet-20 and batches of 128 synthetic images.
type Prune struct {
	rounds  int
	plain   *Step
	runs    []pruneRun
	loaders []*datasets.Loader
}

type pruneRun struct {
	name string
	step *prune.Learning
}

// pruneBatch is the batch of Prune.
const pruneBatch = 128

// NewPrune begins to learn masks of a tenth of the weights, for as many rounds: by BiP with one move of the weights a step and
// with three, and by the other methods at their defaults.
func NewPrune(rounds int) (*Prune, error) {
	plain, err := NewStep("resnet20", pruneBatch)
	if err != nil {
		return nil, err
	}
	p := &Prune{rounds: rounds, plain: plain}
	images := datasets.Synthetic(1, datasets.SyntheticOptions{Train: 16 * pruneBatch, Test: 1})
	add := func(name string, l prune.Learner) error {
		net, err := models.New("resnet20", models.Options{})
		if err != nil {
			return err
		}
		net.Params.Init(1)
		problem := &prune.Problem{Net: net}
		for i, to := range []**datasets.Loader{&problem.Lower, &problem.Upper} {
			if *to, err = datasets.NewLoader(images.Train, nil, datasets.LoaderOptions{
				Batch: pruneBatch, Stream: fmt.Sprint(name, i), Shuffle: true, DropLast: true, Norm: images.Norm,
				Augment: datasets.Augment{Pad: 4, Flip: true},
			}); err != nil {
				return err
			}
			p.loaders = append(p.loaders, *to)
		}
		s, err := l.Learn(problem, prune.Options{Sparsity: .9}, prune.Course{Epochs: 1, Steps: rounds + 1})
		if err != nil {
			return err
		}
		p.runs = append(p.runs, pruneRun{name: name, step: s})
		return s.Begin(0, 0)
	}
	for _, c := range []struct {
		name    string
		learner prune.Learner
	}{{"bip-1", prune.BiP{Steps: 1}}, {"bip-3", prune.BiP{Steps: 3}}, {"gmp", prune.DefaultGradual()}, {"hydra", prune.DefaultHYDRA()}} {
		if err := add(c.name, c.learner); err != nil {
			p.Close()
			return nil, fmt.Errorf("bench: %s: %w", c.name, err)
		}
	}
	return p, nil
}

// Close ends the loading of images.
func (p *Prune) Close() {
	for _, l := range p.loaders {
		l.Close()
	}
}

// Measure takes the rounds of a plain step and then a step of each method, after one round that does not count.
func (p *Prune) Measure(now Clock) ([]PruneRow, error) {
	var others []*measured
	for _, r := range p.runs {
		others = append(others, &measured{name: r.name, steps: 1, step: func() error { _, err := r.step.Step(); return err }})
	}
	plain, err := beside(p.rounds, now, p.plain.Run, others)
	if err != nil {
		return nil, err
	}
	rows := []PruneRow{{"plain", 1, pruneBatch, kernels.Threads(), median(plain), 1}}
	for i, m := range others {
		rows = append(rows, PruneRow{m.name, p.runs[i].step.Passes(), pruneBatch, kernels.Threads(), median(m.took), median(m.ratios)})
	}
	return rows, nil
}

// Top times the choice of the highest of random scores, as many as ResNet-18 has weights that can be pruned.
func Top(rounds int, now Clock) []TopRow {
	scores := make([]kernels.Float, 11_164_352)
	stream := rng.New(1, "scores")
	for i := range scores {
		scores[i] = kernels.Float(stream.NormFloat64())
	}
	keep := make([]kernels.Float, len(scores))
	selection := bilevel.NewSelection[kernels.Float]()
	var rows []TopRow
	for _, share := range []struct {
		name string
		of   int
	}{{"top-half", 2}, {"top-tenth", 10}} {
		var took []float64
		for round := range rounds + 1 {
			start := now()
			selection.Top(keep, scores, len(scores)/share.of)
			if ms := 1e3 * now().Sub(start).Seconds(); round > 0 {
				took = append(took, ms)
			}
		}
		rows = append(rows, TopRow{share.name, len(scores), len(scores) / share.of, kernels.Threads(), median(took)})
	}
	return rows
}

// PruneTable writes rows for people or as JSON.
func PruneTable(w io.Writer, asJSON bool, steps []PruneRow, tops []TopRow) error {
	head := fmt.Sprintf("%-22s %7s %6s %12s %10s", "step of a mask", "passes", "batch", "median ms", "of plain")
	if err := writeTable(w, asJSON, head, steps, func(r PruneRow) string {
		return fmt.Sprintf("%-22s %7d %6d %12.1f %10.3f", r.Name, r.Passes, r.Batch, r.MedianMS, r.OfPlain)
	}); err != nil {
		return err
	}
	head = fmt.Sprintf("%-22s %10s %10s %12s", "choice of a mask", "scores", "kept", "median ms")
	return writeTable(w, asJSON, head, tops, func(r TopRow) string {
		return fmt.Sprintf("%-22s %10d %10d %12.1f", r.Name, r.Scores, r.Kept, r.MedianMS)
	})
}
