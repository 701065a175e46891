package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"espalier/results"
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
	f := newFigure(d.Title, runs(counts), p)
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

// curve is one method's points, in the order of the line.
type curve struct {
	look    look
	shift   vg.Length // to the right of where the points belong
	plain   bool      // there are too many points for marks and whiskers: a band spans the runs
	at      []float64
	samples []sample
}

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

// Plot implements plot.Plotter.
func (c *curve) Plot(canvas draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&canvas)
	if c.plain {
		c.plotPlain(canvas, x, y)
		return
	}
	line := make([]vg.Point, len(c.samples))
	whisker := draw.LineStyle{Color: c.look.color, Width: whiskWidth}
	for i, s := range c.samples {
		at := vg.Point{X: x(c.at[i]) + c.shift, Y: y(s.mean())}
		line[i] = at
		if len(s) == 1 {
			continue
		}
		low, high := s.whiskers()
		const cap = 4
		canvas.StrokeLine2(whisker, at.X, y(low), at.X, y(high))
		canvas.StrokeLine2(whisker, at.X-cap, y(low), at.X+cap, y(low))
		canvas.StrokeLine2(whisker, at.X-cap, y(high), at.X+cap, y(high))
		if len(s) < results.StdFrom {
			for _, v := range s {
				canvas.DrawGlyph(draw.GlyphStyle{Color: c.look.color, Radius: seedRadius, Shape: draw.CircleGlyph{}},
					vg.Point{X: at.X, Y: y(v)})
			}
		}
	}
	canvas.StrokeLines(c.look.line(lineWidth), line)
	for _, at := range line {
		canvas.DrawGlyph(c.look.marker(markRadius), at)
	}
}

// plotPlain draws the line over a pale band, so that others stay visible, and a few marks.
func (c *curve) plotPlain(canvas draw.Canvas, x, y func(float64) vg.Length) {
	var line, band []vg.Point
	for i, s := range c.samples {
		low, _ := s.whiskers()
		at := x(c.at[i]) + c.shift
		line, band = append(line, vg.Point{X: at, Y: y(s.mean())}), append(band, vg.Point{X: at, Y: y(low)})
	}
	for i := len(c.samples) - 1; i >= 0; i-- {
		_, high := c.samples[i].whiskers()
		band = append(band, vg.Point{X: x(c.at[i]) + c.shift, Y: y(high)})
	}
	r, g, b, _ := c.look.color.RGBA()
	canvas.FillPolygon(color.NRGBA{R: uint8(r >> 8), G: uint8(g >> 8), B: uint8(b >> 8), A: 0x28}, band)
	canvas.StrokeLines(c.look.line(lineWidth), line)
	every := max(1, len(line)/6)
	for i := 0; i < len(line); i += every {
		canvas.DrawGlyph(c.look.marker(markRadius), line[i])
	}
}

// DataRange implements plot.DataRanger.
func (c *curve) DataRange() (xmin, xmax, ymin, ymax float64) {
	ymin, ymax = math.Inf(1), math.Inf(-1)
	for _, s := range c.samples {
		low, high := s.whiskers()
		ymin, ymax = math.Min(ymin, low), math.Max(ymax, high)
	}
	return slices.Min(c.at), slices.Max(c.at), ymin, ymax
}

// Thumbnail implements plot.Thumbnailer.
func (c *curve) Thumbnail(canvas *draw.Canvas) {
	canvas.DrawGlyph(c.look.marker(markRadius), thumbnail(canvas, c.look.line(lineWidth)))
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
