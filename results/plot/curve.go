package plot

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"espalier/results"
)

// curve is a line through samples, in the order of the line.
type curve struct {
	look    look
	shift   vg.Length // to the right of where the points belong
	plain   bool      // there are too many points for marks and whiskers: a band spans the runs
	at      []float64
	samples []sample
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
