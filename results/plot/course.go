package plot

import (
	"fmt"
	"slices"
)

// A Course is a figure over epochs, of runs with the same number of epochs.
type Course struct {
	Name string
	Runs [][]float64 // run × epoch
	// Epochs are those of the values; nil: they follow each other.
	Epochs []int
}

// NewCourses makes a figure of courses over epochs, which count from first. A line joins the means of the runs; under five runs
// each is a dot and a whisker spans them, from five on the whisker is one standard deviation to each side. Over more than
// fifteen epochs a pale band takes the place of whiskers and dots.
func NewCourses(title, label string, first int, courses ...Course) (*Figure, error) {
	if len(courses) == 0 {
		return nil, fmt.Errorf("plot: %s: no courses", label)
	}
	p := newPanel()
	p.X.Label.Text, p.Y.Label.Text = "epoch", label
	p.X.Tick.Marker, p.Y.Tick.Marker = countTicks{}, valueTicks{}
	var curves []*curve
	var counts []int
	for i, c := range courses {
		k, err := epochCurve(label+": "+c.Name, c.Runs, lookOf(i), first)
		if err == nil && c.Epochs != nil {
			err = k.move(c.Epochs)
		}
		if err != nil {
			return nil, err
		}
		curves, counts = append(curves, k), append(counts, len(c.Runs))
	}
	f := newFigure(title, runs(counts, curves[0].plain), p)
	for i, k := range curves {
		p.Add(k)
		f.legend.Add(courses[i].Name, k)
	}
	p.X.Min, p.X.Max = p.X.Min-0.5, p.X.Max+0.5
	pad(&p.Y)
	return f, nil
}

// epochCurve is a curve over epochs, which count from first.
func epochCurve(what string, runs [][]float64, l look, first int) (*curve, error) {
	if len(runs) == 0 || len(runs[0]) == 0 {
		return nil, fmt.Errorf("plot: %s: no epochs", what)
	}
	c := &curve{look: l, plain: len(runs[0]) > 15}
	for e := range runs[0] {
		var values []float64
		for _, r := range runs {
			if len(r) != len(runs[0]) {
				return nil, fmt.Errorf("plot: %s: runs of %d and %d epochs", what, len(runs[0]), len(r))
			}
			values = append(values, r[e])
		}
		s, err := check(fmt.Sprintf("%s in epoch %d", what, e+first), values)
		if err != nil {
			return nil, err
		}
		c.at, c.samples = append(c.at, float64(e+first)), append(c.samples, s)
	}
	return c, nil
}

// move puts the points of a curve at these epochs.
func (c *curve) move(epochs []int) error {
	if len(epochs) != len(c.at) {
		return fmt.Errorf("plot: %d values at %d epochs", len(c.at), len(epochs))
	}
	for i, e := range epochs {
		c.at[i] = float64(e)
	}
	return nil
}

// percents are shares as percent.
func percents(runs [][]float64) (all [][]float64) {
	for _, r := range runs {
		r = slices.Clone(r)
		for i := range r {
			r[i] *= 100
		}
		all = append(all, r)
	}
	return all
}
