package plot

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// An EdgeCourse is how the weights of an edge's candidates went in a search.
type EdgeCourse struct {
	Name    string      // such as "0 → 2"
	Choices []string    // the candidates
	Weights [][]float64 // candidate × epoch, from epoch 0; NaN leaves a gap
}

// NewEdgeCourses makes a figure of one small panel for each edge of a cell, with a line for each candidate: its weight in the
// edge's sum against the epoch, all on one scale. A candidate of several edges looks the same in all.
func NewEdgeCourses(title string, edges ...EdgeCourse) (*Figure, error) {
	if len(edges) == 0 {
		return nil, fmt.Errorf("plot: weights of edges: no edges")
	}
	var choices []string
	looks := map[string]look{}
	legend := map[string]*trace{}
	lowest, highest := math.Inf(1), 0.
	var panels []*plot.Plot
	for _, e := range edges {
		if len(e.Weights) != len(e.Choices) || len(e.Choices) == 0 {
			return nil, fmt.Errorf("plot: weights of edge %s: %d candidates with the weights of %d", e.Name, len(e.Choices), len(e.Weights))
		}
		p := newPanel()
		p.X.Label.Text = e.Name
		p.X.Tick.Marker, p.Y.Tick.Marker = countTicks{}, valueTicks{}
		p.X.Tick.Label.Font.Size, p.Y.Tick.Label.Font.Size = captionSize, captionSize
		for i, name := range e.Choices {
			if _, known := looks[name]; !known {
				looks[name] = lookOf(len(choices))
				choices = append(choices, name)
			}
			t, err := weightTrace(e.Name, e.Weights[i], len(e.Weights[0]), looks[name])
			if err != nil {
				return nil, err
			}
			if t.Len() == 0 {
				continue
			}
			p.Add(t)
			_, _, low, high := t.DataRange()
			lowest, highest = math.Min(lowest, low), math.Max(highest, high)
			if legend[name] == nil {
				legend[name] = t
			}
		}
		panels = append(panels, p)
	}
	f := newFigure(title, "weight of each candidate in the sum of the edge that is named below, after each epoch; n = 1 search", panels...)
	f.columns = columnsFor(len(panels))
	if rows := (len(panels) + f.columns - 1) / f.columns; rows > 2 {
		f.height = Height * vg.Length(rows) / 2
	}
	for _, p := range panels {
		p.X.Min, p.X.Max = -0.5, float64(len(edges[0].Weights[0]))-0.5
		p.Y.Min, p.Y.Max = math.Min(lowest, highest), highest
		pad(&p.Y)
	}
	for _, name := range choices {
		if legend[name] != nil {
			f.legend.Add(name, legend[name])
		}
	}
	return f, nil
}

// columnsFor is how many panels stand side by side.
func columnsFor(n int) int {
	switch {
	case n <= 3:
		return n
	case n <= 9:
		return 3
	}
	return 4
}

// weightTrace is the line of a candidate.
func weightTrace(edge string, weights []float64, epochs int, l look) (*trace, error) {
	if len(weights) != epochs || epochs == 0 {
		return nil, fmt.Errorf("plot: weights of edge %s: candidates with %d and %d epochs", edge, epochs, len(weights))
	}
	t, open := &trace{look: l}, false
	for e, w := range weights {
		if math.IsInf(w, 0) {
			return nil, fmt.Errorf("plot: weights of edge %s: an infinite weight in epoch %d", edge, e)
		}
		open = t.add(open, float64(e), w)
	}
	return t, nil
}
