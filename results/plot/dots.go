package plot

import (
	"errors"
	"fmt"
)

// Dots are runs of one thing in a scatter plot.
type Dots struct {
	Name string
	X    float64   // where they stand
	Y    []float64 // one value a run
}

// NewScatter makes a figure of dots over a linear axis x. Under five runs each is a dot beside the mean's mark and a whisker
// spans them, from five on the whisker is one standard deviation to each side.
func NewScatter(title, x, y string, dots ...Dots) (*Figure, error) {
	if len(dots) == 0 {
		return nil, errors.New("plot: a scatter plot without dots")
	}
	p := newPanel()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.X.Tick.Marker, p.Y.Tick.Marker = valueTicks{}, valueTicks{}
	f := newFigure(title, "", p)
	var counts []int
	for i, d := range dots {
		if _, err := check("where "+d.Name+" stands", []float64{d.X}); err != nil {
			return nil, err
		}
		if len(d.Y) == 0 {
			return nil, fmt.Errorf("plot: %s has no values", d.Name)
		}
		s, err := check(d.Name, d.Y)
		if err != nil {
			return nil, err
		}
		c := &curve{look: lookOf(i), at: []float64{d.X}, samples: []sample{s}}
		p.Add(c)
		f.legend.Add(d.Name, c)
		counts = append(counts, len(d.Y))
	}
	f.caption = runs(counts, false)
	pad(&p.X)
	pad(&p.Y)
	return f, nil
}
