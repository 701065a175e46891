package bench

import (
	"fmt"
	"io"

	"espalier/datasets"
	"espalier/internal/kernels"
)

// LoadingRow is what loading and augmenting adds to a training step, although it overlaps with computing.
type LoadingRow struct {
	Name     string  `json:"name"` // of the model
	Batch    int     `json:"batch"`
	Threads  int     `json:"threads"`
	FixedMS  float64 `json:"fixed_ms"`  // median step on one batch that stays in memory
	LoadedMS float64 `json:"loaded_ms"` // median step on batches of a loader, waiting included
	Share    float64 `json:"share"`     // median over rounds of what the loaded steps take longer, over the loaded steps
}

// stepsPerRound is the number of steps that a round of Loading takes of each kind.
const stepsPerRound = 10

// Loading times rounds of steps on the fixed batch and rounds of steps that take shuffled, cropped and mirrored images from
// a loader, in turn, after one round that does not count. While a fixed round runs the loader stands still.
func (s *Step) Loading(rounds int, now Clock) (LoadingRow, error) {
	batch := s.batch()
	set := datasets.Synthetic(1, datasets.SyntheticOptions{Train: (stepsPerRound + 4) * batch})
	loader, err := datasets.NewLoader(set.Train, nil, datasets.LoaderOptions{
		Batch: batch, Seed: 1, Stream: "bench", Shuffle: true, DropLast: true, Norm: set.Norm,
		Augment: datasets.Augment{Pad: 4, Flip: true},
	})
	if err != nil {
		return LoadingRow{}, err
	}
	defer loader.Close()
	timed := func(batch func() ([]kernels.Float, []int32)) (float64, error) {
		start := now()
		for range stepsPerRound {
			if _, err := s.train.StepOn(batch()); err != nil {
				return 0, err
			}
		}
		return 1e3 * now().Sub(start).Seconds() / stepsPerRound, nil
	}
	var fixed, loaded, shares []float64
	for r := range rounds + 1 {
		f, err := timed(func() ([]kernels.Float, []int32) { return s.x, s.labels })
		if err != nil {
			return LoadingRow{}, err
		}
		loader.Start(r, 0)
		loader.Next() // the first batch of an epoch is never ready; the others are what this is about
		l, err := timed(func() ([]kernels.Float, []int32) { b := loader.Next(); return b.X, b.Labels })
		loader.Close()
		if err != nil {
			return LoadingRow{}, err
		}
		if r > 0 {
			fixed, loaded, shares = append(fixed, f), append(loaded, l), append(shares, (l-f)/l)
		}
	}
	return LoadingRow{s.name, batch, kernels.Threads(), median(fixed), median(loaded), median(shares)}, nil
}

// LoadingTable writes a row for people or as JSON.
func LoadingTable(w io.Writer, asJSON bool, r LoadingRow) error {
	if asJSON {
		return writeJSON(w, r)
	}
	_, err := fmt.Fprintf(w, "loading: %.1f ms a step on a fixed batch, %.1f ms with a loader that shuffles, crops and mirrors; %.1f %% of a step\n",
		r.FixedMS, r.LoadedMS, 100*r.Share)
	return err
}
