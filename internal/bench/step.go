package bench

import (
	"fmt"
	"io"
	"time"

	"espalier/datasets"
	"espalier/internal/kernels"
	"espalier/internal/rng"
	"espalier/models"
	"espalier/nn"
	"espalier/optim"
	"espalier/search"
	"espalier/train"
)

// StepRow is the figure of a whole training step.
type StepRow struct {
	Name       string  `json:"name"` // of the model
	Batch      int     `json:"batch"`
	Threads    int     `json:"threads"`
	MedianMS   float64 `json:"median_ms"`
	ImagesPerS float64 `json:"images_per_s"`
	PeakRSSMB  float64 `json:"peak_rss_mb"` // of this process so far, as the system counts it; 0 where it does not tell
}

// Step is the training step of train.Supervised for a model on 32×32×3 images of 10 classes: forward with batch statistics
// (the running ones follow), cross-entropy, backward, SGD with momentum 0.9 and decay 10⁻⁴ on every parameter, and the
// checks that all is finite. The batch is random and fixed.
type Step struct {
	name   string
	train  *train.Supervised
	x      []kernels.Float
	labels []int32
}

// NewStep builds the step of a model of models.New, or of the network of a published genotype (search.Published) with 16
// channels and 8 cells.
func NewStep(model string, batch int) (*Step, error) {
	net, err := network(model)
	if err != nil {
		return nil, err
	}
	net.Params.Init(1)
	stream := rng.New(1, "bench")
	s := &Step{name: model, x: kernels.Alloc(batch * net.In.Len()), labels: make([]int32, batch)}
	for i := range s.x {
		s.x[i] = kernels.Float(stream.NormFloat64())
	}
	for i := range s.labels {
		s.labels[i] = int32(stream.IntN(10))
	}
	empty := datasets.Part{Shape: datasets.Shape(net.In), Pixels: make([]uint8, batch*net.In.Len()), Labels: s.labels}
	loader, err := datasets.NewLoader(empty, nil, datasets.LoaderOptions{Batch: batch, DropLast: true})
	if err != nil {
		return nil, err
	}
	s.train, err = train.NewSupervised(net, loader, nil, train.Recipe{
		Optimizer: optim.NewSGD(len(net.Params.Values), optim.SGDOptions{Momentum: .9, WeightDecay: 1e-4}),
		Schedule:  optim.Constant{LR: .01},
	})
	return s, err
}

func network(model string) (*nn.Net, error) {
	g, err := search.Published(model)
	if err != nil {
		return models.New(model, models.Options{})
	}
	spec, err := models.Derived(g, models.CellOptions{Channels: 16, Cells: 8})
	if err != nil {
		return nil, err
	}
	return nn.NewNet(spec, nn.Shape{H: 32, W: 32, C: 3})
}

func (s *Step) batch() int { return len(s.labels) }

// Run takes one step on the fixed batch.
func (s *Step) Run() error {
	_, err := s.train.StepOn(s.x, s.labels)
	return err
}

// Measure times rounds steps, after two that are not counted.
func (s *Step) Measure(rounds int, now Clock) (StepRow, error) {
	var ms []float64
	for i := range rounds + 2 {
		start := now()
		if err := s.Run(); err != nil {
			return StepRow{}, err
		}
		if i >= 2 {
			ms = append(ms, float64(now().Sub(start).Nanoseconds())/1e6)
		}
	}
	m := median(ms)
	return StepRow{s.name, s.batch(), kernels.Threads(), m, 1e3 * float64(s.batch()) / m, peakRSS()}, nil
}

// LayerRow is the time of a kind of layer in a step.
type LayerRow struct {
	Layer      string  `json:"layer"` // kind, such as "conv 3x3"
	ForwardMS  float64 `json:"forward_ms"`
	BackwardMS float64 `json:"backward_ms"`
	Share      float64 `json:"share"` // of the time of all kinds
}

// Layers tells where the time of rounds steps goes, by kind of layer.
func (s *Step) Layers(rounds int, now Clock) ([]LayerRow, error) {
	start := now()
	program := s.train.Program()
	profile := program.Profile(func() time.Duration { return now().Sub(start) })
	defer program.Profile(nil)
	for range rounds {
		if err := s.Run(); err != nil {
			return nil, err
		}
	}
	ms := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 / float64(rounds) }
	var rows []LayerRow
	var total float64
	for _, r := range profile.Kinds() {
		rows = append(rows, LayerRow{Layer: r.Kind, ForwardMS: ms(r.Forward), BackwardMS: ms(r.Backward)})
		total += ms(r.Forward + r.Backward)
	}
	for i := range rows {
		rows[i].Share = (rows[i].ForwardMS + rows[i].BackwardMS) / total
	}
	return rows, nil
}

// LayerTable writes rows for people or as JSON.
func LayerTable(w io.Writer, asJSON bool, rows []LayerRow) error {
	head := fmt.Sprintf("%-28s %12s %12s %8s", "kind of layer", "forward ms", "backward ms", "share")
	return writeTable(w, asJSON, head, rows, func(r LayerRow) string {
		return fmt.Sprintf("%-28s %12.2f %12.2f %7.1f%%", r.Layer, r.ForwardMS, r.BackwardMS, 100*r.Share)
	})
}

// StepTable writes a row for people or as JSON.
func StepTable(w io.Writer, asJSON bool, r StepRow) error {
	if asJSON {
		return writeJSON(w, r)
	}
	_, err := fmt.Fprintf(w, "%s, batch %d, %d threads, kernels %s: %.1f ms a step (median), %.0f images/s, peak memory %.0f MB\n",
		r.Name, r.Batch, r.Threads, kernels.ISA(), r.MedianMS, r.ImagesPerS, r.PeakRSSMB)
	return err
}
