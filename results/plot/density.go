package plot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Pruned is what pruned networks of one density reached.
type Pruned struct {
	Density  float64   // share of the weights that remain, in (0,1]
	Accuracy []float64 // in percent, one value a run
}

// A Method is one way of pruning, measured at several densities.
type Method struct {
	Name   string
	Points []Pruned
}

// Density describes a figure of accuracy against remaining weights.
type Density struct {
	Title   string
	Label   string    // of the accuracy axis; default "test accuracy (%)"
	Dense   []float64 // accuracy of the networks before pruning in percent, one value a run; none draws no line
	Zero    bool      // the axis of the values begins at zero, for costs
	Methods []Method
}

// NewDensity makes a figure of accuracy against remaining weights, densest first, on a logarithmic axis. The dense
// network is a dashed line across. Points are joined in order of density; under five runs each run is a dot and a
// whisker spans them, from five on the whisker is one standard deviation to each side of the mean. Points of several methods
// at one density stand a little aside, in the order of the legend.
func NewDensity(d Density) (*Figure, error) {
	if len(d.Methods) == 0 {
		return nil, fmt.Errorf("plot: accuracy against remaining weights: no methods")
	}
	p := newPanel()
	p.X.Label.Text = "remaining weights"
	p.Y.Label.Text = d.Label
	if d.Label == "" {
		p.Y.Label.Text = "test accuracy (%)"
	}
	p.X.Scale = plot.InvertedScale{Normalizer: plot.LogScale{}}
	p.X.Tick.Marker = percentTicks{}
	p.Y.Tick.Marker = valueTicks{}

	var curves []*curve
	var counts []int
	for i, m := range d.Methods {
		c, err := newCurve(m, lookOf(i))
		if err != nil {
			return nil, err
		}
		curves = append(curves, c)
		for _, s := range c.samples {
			counts = append(counts, len(s))
		}
	}
	f := newFigure(d.Title, runs(counts, false), p)
	if len(d.Dense) > 0 {
		s, err := check("dense accuracy", d.Dense)
		if err != nil {
			return nil, err
		}
		l := &level{y: s.mean(), style: draw.LineStyle{Color: ink, Width: vg.Points(1.25), Dashes: []vg.Length{5, 4}}}
		p.Add(l)
		f.legend.Add(fmt.Sprintf("dense (%.1f %%)", l.y), l)
	}
	step := min(aside, room/vg.Length(len(curves)))
	for i, c := range curves {
		c.shift = step * (vg.Length(i) - vg.Length(len(curves)-1)/2)
		p.Add(c)
		f.legend.Add(d.Methods[i].Name, c)
	}
	margin := math.Pow(p.X.Max/p.X.Min, 0.06)
	if margin == 1 {
		margin = 2
	}
	p.X.Min, p.X.Max = p.X.Min/margin, p.X.Max*margin
	if d.Zero {
		p.Y.Min = 0
	}
	pad(&p.Y)
	return f, nil
}

// aside is how far apart the points of neighbouring methods at one density are drawn, so that whiskers do not cover each
// other; together they take no more than room.
const (
	aside = vg.Length(3)
	room  = vg.Length(18)
)

func newCurve(m Method, l look) (*curve, error) {
	if m.Name == "" {
		return nil, fmt.Errorf("plot: accuracy against remaining weights: a method has no name")
	}
	if len(m.Points) == 0 {
		return nil, fmt.Errorf("plot: %s: no points", m.Name)
	}
	points := slices.Clone(m.Points)
	slices.SortStableFunc(points, func(a, b Pruned) int {
		switch {
		case a.Density > b.Density:
			return -1
		case a.Density < b.Density:
			return 1
		}
		return 0
	})
	c := &curve{look: l}
	for i, pt := range points {
		if !(pt.Density > 0 && pt.Density <= 1) {
			return nil, fmt.Errorf("plot: %s: density %v is outside (0,1]", m.Name, pt.Density)
		}
		if i > 0 && pt.Density == points[i-1].Density {
			return nil, fmt.Errorf("plot: %s: density %v stands twice; put its runs into one point", m.Name, pt.Density)
		}
		s, err := check(fmt.Sprintf("%s at density %v", m.Name, pt.Density), pt.Accuracy)
		if err != nil {
			return nil, err
		}
		c.at, c.samples = append(c.at, pt.Density), append(c.samples, s)
	}
	return c, nil
}

// level is a horizontal line across the data area.
type level struct {
	y     float64
	style draw.LineStyle
}

// Plot implements plot.Plotter.
func (l *level) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	c.StrokeLine2(l.style, c.Min.X, y(l.y), c.Max.X, y(l.y))
}

// DataRange implements plot.DataRanger.
func (l *level) DataRange() (xmin, xmax, ymin, ymax float64) {
	return math.Inf(1), math.Inf(-1), l.y, l.y
}

// Thumbnail implements plot.Thumbnailer.
func (l *level) Thumbnail(c *draw.Canvas) { thumbnail(c, l.style) }
