package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"espalier/internal/kernels"
	"espalier/internal/rng"
	"espalier/optim"
	"espalier/search"
	"espalier/search/supernet"
)

// SupernetRow is the figure of a search step.
type SupernetRow struct {
	Name       string  `json:"name"`
	Cells      int     `json:"cells"`
	Batch      int     `json:"batch"`
	Edges      int     `json:"edges"` // of a cell
	Threads    int     `json:"threads"`
	MedianMS   float64 `json:"median_ms"`
	ImagesPerS float64 `json:"images_per_s"`
	PeakRSSMB  float64 `json:"peak_rss_mb"` // of a process of its own, as the system counts it; 0 where it does not tell
}

// SupernetCase is a supernet of DARTS' space with 16 channels.
type SupernetCase struct {
	Name                string
	Cells, Batch, Nodes int
	Memory              supernet.Memory
	Drawn               bool // the step computes one operation of each edge, drawn anew, as GDAS does
}

// SupernetCases are those that are measured: the two of the paper's size, the same with one drawn operation an edge, and then three sizes each of cells, batch and edges,
// of which the middle one is the first of all.
func SupernetCases() []SupernetCase {
	cases := []SupernetCase{{Cells: 8, Batch: 64, Nodes: 4}, {Cells: 8, Batch: 64, Nodes: 4, Memory: supernet.Recompute},
		{Cells: 8, Batch: 64, Nodes: 4, Memory: supernet.Recompute, Drawn: true},
		{Cells: 5, Batch: 64, Nodes: 4}, {Cells: 11, Batch: 64, Nodes: 4},
		{Cells: 8, Batch: 32, Nodes: 4}, {Cells: 8, Batch: 96, Nodes: 4},
		{Cells: 8, Batch: 64, Nodes: 2}, {Cells: 8, Batch: 64, Nodes: 3},
	}
	for i := range cases {
		c := &cases[i]
		c.Name = fmt.Sprintf("darts-c16-l%d-b%d", c.Cells, c.Batch)
		if c.Nodes != 4 {
			c.Name += fmt.Sprintf("-n%d", c.Nodes)
		}
		switch {
		case c.Drawn:
			c.Name += "-drawn"
		case c.Memory == supernet.Recompute:
			c.Name += "-recompute"
		}
	}
	return cases
}

// ParseSupernet finds a case by name.
func ParseSupernet(name string) (SupernetCase, error) {
	cases := SupernetCases()
	i := slices.IndexFunc(cases, func(c SupernetCase) bool { return c.Name == name })
	if i < 0 {
		var names []string
		for _, c := range cases {
			names = append(names, c.Name)
		}
		return SupernetCase{}, fmt.Errorf("bench: unknown supernet %q; known are %s", name, strings.Join(names, ", "))
	}
	return cases[i], nil
}

// space is DARTS' with the case's number of nodes.
func (c SupernetCase) space() *search.Space {
	s := *search.DARTS()
	s.Cells = slices.Clone(s.Cells)
	for k := range s.Cells {
		cell := &s.Cells[k]
		cell.Nodes = c.Nodes
		_, last := cell.Incoming(1 + c.Nodes)
		cell.Edges, cell.Concat = cell.Edges[:last], cell.Concat[:c.Nodes]
	}
	return &s
}

// edges is the number of edges of a cell.
func (c SupernetCase) edges() int { return len(c.space().Cells[0].Edges) }

// SupernetStep is a step of a search on 32×32×3 images of 10 classes: forward with batch statistics (the running ones follow),
// cross-entropy, backward with the gradients at all weights and at α, and SGD with momentum 0.9 and decay 3·10⁻⁴ on the
// weights. The batch is random and fixed.
type SupernetStep struct {
	SupernetCase
	net  *supernet.Net
	pass supernet.Pass
	ga   []kernels.Float
	sgd  *optim.SGD
}

// build makes the supernet.
func (c SupernetCase) build() (*supernet.Net, error) {
	return supernet.New(c.space(), supernet.Options{Cells: c.Cells, Batch: c.Batch, Memory: c.Memory})
}

// NewSupernetStep builds the step.
func NewSupernetStep(c SupernetCase) (*SupernetStep, error) {
	net, err := c.build()
	if err != nil {
		return nil, err
	}
	stream := rng.New(1, "bench")
	alpha := search.NewAlpha(net.Space())
	alpha.Init(stream, 1e-3)
	s := &SupernetStep{SupernetCase: c, net: net, ga: make([]kernels.Float, len(alpha.Values))}
	s.pass = supernet.Pass{Params: net.NewParams(), Alpha: alpha.Values, Images: kernels.Alloc(c.Batch * net.In.Len()), Labels: make([]int32, c.Batch)}
	s.pass.Params.Init(1)
	if c.Drawn {
		s.pass.Gate = supernet.NewGumbel(net.Space(), rng.New(1, "bench draws"))
	}
	s.sgd = optim.NewSGD(net.Layout.Size(), optim.SGDOptions{Momentum: .9, WeightDecay: 3e-4})
	for i := range s.pass.Images {
		s.pass.Images[i] = kernels.Float(stream.NormFloat64())
	}
	for i := range s.pass.Labels {
		s.pass.Labels[i] = int32(stream.IntN(net.Classes()))
	}
	return s, nil
}

// Run takes one step.
func (s *SupernetStep) Run() error {
	p := s.pass.Params
	if _, err := s.net.Gradient(p.Grads, s.ga, s.pass); err != nil {
		return err
	}
	s.sgd.Step(p.Values, p.Grads, .025)
	return nil
}

// SupernetRound is a served round.
type SupernetRound struct {
	MS        float64 `json:"ms"`
	PeakRSSMB float64 `json:"peak_rss_mb"`
}

// ServeSupernet takes a timed step for each line of in, after two that are not timed, and answers with a SupernetRound.
func ServeSupernet(c SupernetCase, in io.Reader, out io.Writer, now Clock) error {
	s, err := NewSupernetStep(c)
	if err != nil {
		return err
	}
	for range 2 {
		if err := s.Run(); err != nil {
			return err
		}
	}
	if err := writeJSON(out, about{c.Name, kernels.Threads(), kernels.ISA()}); err != nil {
		return err
	}
	return eachLine(in, func(string) error {
		start := now()
		if err := s.Run(); err != nil {
			return err
		}
		return writeJSON(out, SupernetRound{float64(now().Sub(start).Nanoseconds()) / 1e6, peakRSS()})
	})
}

// SupernetRowOf sums rounds of a case up.
func SupernetRowOf(c SupernetCase, threads int, rounds []SupernetRound) SupernetRow {
	var ms []float64
	peak := 0.0
	for _, r := range rounds {
		ms = append(ms, r.MS)
		peak = max(peak, r.PeakRSSMB)
	}
	m := median(ms)
	return SupernetRow{c.Name, c.Cells, c.Batch, c.edges(), threads, m, 1e3 * float64(c.Batch) / m, peak}
}

// SupernetTable writes rows for people or as JSON.
func SupernetTable(w io.Writer, asJSON bool, rows []SupernetRow) error {
	head := fmt.Sprintf("%-30s %6s %6s %6s %12s %10s %10s", "search step", "cells", "batch", "edges", "median ms", "images/s", "peak MB")
	return writeTable(w, asJSON, head, rows, func(r SupernetRow) string {
		return fmt.Sprintf("%-30s %6d %6d %6d %12.1f %10.1f %10.0f", r.Name, r.Cells, r.Batch, r.Edges, r.MedianMS, r.ImagesPerS, r.PeakRSSMB)
	})
}
