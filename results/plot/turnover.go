package plot

import (
	"fmt"

	"gonum.org/v1/plot"
)

// A Moved mask is how one way of pruning moved its mask, epoch by epoch: for each run the shares, in [0,1], of all mask bits
// that changed within an epoch, and of those that came back among them. Runs have the same number of epochs.
type Moved struct {
	Name             string
	Changed, Regrown [][]float64 // run × epoch
}

// NewTurnover makes a figure of the mask bits that changed (left) and that came back (right) in each epoch, in percent of all.
// A line joins the means of the runs; under five runs each is a dot and a whisker spans them, from five on the whisker is one
// standard deviation to each side.
func NewTurnover(title string, masks ...Moved) (*Figure, error) {
	if len(masks) == 0 {
		return nil, fmt.Errorf("plot: changes of masks: no masks")
	}
	changed, regrown := newPanel(), newPanel()
	changed.Y.Label.Text, regrown.Y.Label.Text = "mask bits changed (%)", "mask bits regrown (%)"
	var counts []int
	for _, m := range masks {
		counts = append(counts, len(m.Changed))
	}
	f := newFigure(title, runs(counts, false), changed, regrown)
	for i, m := range masks {
		for _, side := range []struct {
			panel *plot.Plot
			runs  [][]float64
			what  string
		}{{changed, m.Changed, "changed"}, {regrown, m.Regrown, "regrown"}} {
			c, err := epochCurve("changes of masks: "+m.Name+", "+side.what, percents(side.runs), lookOf(i), 1)
			if err != nil {
				return nil, err
			}
			side.panel.Add(c)
			if side.panel == changed {
				f.legend.Add(m.Name, c)
			}
		}
	}
	for _, p := range []*plot.Plot{changed, regrown} {
		p.X.Label.Text = "epoch"
		p.X.Tick.Marker, p.Y.Tick.Marker = countTicks{}, valueTicks{}
		p.X.Min, p.X.Max = min(p.X.Min, 1)-0.5, p.X.Max+0.5
		p.Y.Min = 0
		pad(&p.Y)
	}
	return f, nil
}
