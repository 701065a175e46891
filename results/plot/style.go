package plot

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// look is what tells one curve from another: colour, marker and dashes.
type look struct {
	color  color.Color
	dashes []vg.Length
	glyph  draw.GlyphDrawer
}

// looks begins with the colours that differ most in lightness, so that the usual two or three curves survive greyscale.
// The palette's yellow and black are left out: one vanishes on white, the other is the reference line's.
var looks = []look{
	{color.NRGBA{0x00, 0x72, 0xB2, 0xFF}, nil, draw.CircleGlyph{}},                                       // blue
	{color.NRGBA{0xE6, 0x9F, 0x00, 0xFF}, []vg.Length{6, 3}, draw.BoxGlyph{}},                            // orange
	{color.NRGBA{0xD5, 0x5E, 0x00, 0xFF}, []vg.Length{1.5, 2.5}, draw.PyramidGlyph{}},                    // vermilion
	{color.NRGBA{0x56, 0xB4, 0xE9, 0xFF}, []vg.Length{8, 2.5, 1.5, 2.5}, diamond{}},                      // sky blue
	{color.NRGBA{0x00, 0x9E, 0x73, 0xFF}, []vg.Length{3, 2}, draw.CrossGlyph{}},                          // bluish green
	{color.NRGBA{0xCC, 0x79, 0xA7, 0xFF}, []vg.Length{8, 2.5, 1.5, 2.5, 1.5, 2.5}, draw.TriangleGlyph{}}, // reddish purple
	{color.NRGBA{0x60, 0x60, 0x60, 0xFF}, []vg.Length{10, 4}, draw.PlusGlyph{}},                          // grey
	{color.NRGBA{0x00, 0x72, 0xB2, 0xFF}, []vg.Length{2, 2, 6, 2}, draw.RingGlyph{}},                     // blue again
	{color.NRGBA{0xD5, 0x5E, 0x00, 0xFF}, []vg.Length{4, 4}, draw.SquareGlyph{}},                         // vermilion again
	{color.NRGBA{0x00, 0x9E, 0x73, 0xFF}, nil, draw.BoxGlyph{}},                                          // bluish green again
	{color.NRGBA{0xCC, 0x79, 0xA7, 0xFF}, []vg.Length{6, 3}, draw.CircleGlyph{}},                         // reddish purple again
	{color.NRGBA{0x60, 0x60, 0x60, 0xFF}, []vg.Length{1.5, 2.5}, diamond{}},                              // grey again
	{color.NRGBA{0x56, 0xB4, 0xE9, 0xFF}, []vg.Length{3, 2}, draw.PyramidGlyph{}},                        // sky blue again
}

// Curves is how many curves a figure can hold that look different.
var Curves = len(looks)

func lookOf(i int) look { return looks[i%len(looks)] }

func (l look) line(width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: l.color, Width: width, Dashes: l.dashes}
}

func (l look) marker(radius vg.Length) draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color, Radius: radius, Shape: l.glyph}
}

// diamond is a filled square on its corner.
type diamond struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (diamond) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	r := sty.Radius * 1.25
	c.FillPolygon(sty.Color, []vg.Point{
		{X: at.X, Y: at.Y + r}, {X: at.X + r, Y: at.Y}, {X: at.X, Y: at.Y - r}, {X: at.X - r, Y: at.Y},
	})
}

// Sizes in points. A figure is shown about 830 pixels wide in a README, which makes 11 points 17 pixels high.
const (
	lineWidth   = vg.Length(1.75)
	whiskWidth  = vg.Length(1)
	markRadius  = vg.Length(3.25)
	seedRadius  = vg.Length(1.5)
	titleSize   = vg.Length(14)
	labelSize   = vg.Length(12)
	tickSize    = vg.Length(11)
	captionSize = vg.Length(10)
)

var (
	ink  = color.NRGBA{0x22, 0x22, 0x22, 0xFF}
	rule = color.NRGBA{0xE4, 0xE4, 0xE4, 0xFF}
)

func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func textStyle(size vg.Length) text.Style {
	return text.Style{Color: ink, Font: sans(size), Handler: plot.DefaultTextHandler}
}

// thumbnail draws a legend's sample of a line, at the height where the text's small letters have their middle, and says
// where the sample's middle is.
func thumbnail(c *draw.Canvas, sty draw.LineStyle) vg.Point {
	at := c.Center()
	at.Y += 1.5
	c.StrokeLine2(sty, c.Min.X, at.Y, c.Max.X, at.Y)
	return at
}

// newPanel is an empty plot in the house style.
func newPanel() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle.Color, axis.LineStyle.Width = ink, vg.Points(0.75)
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Color = sans(labelSize), ink
		axis.Label.Padding = 4
		axis.Tick.Label.Font, axis.Tick.Label.Color = sans(tickSize), ink
		axis.Tick.LineStyle.Color, axis.Tick.LineStyle.Width = ink, vg.Points(0.75)
		axis.Tick.Length = 5
		axis.Padding = 6
	}
	p.Add(rules{})
	return p
}

// pad widens an axis, so that no point stands on the edge of the data area and equal data have room.
func pad(a *plot.Axis) {
	margin := 0.04 * (a.Max - a.Min)
	if !(margin > 1e-9*math.Abs(a.Max)) {
		margin = 1
	}
	a.Min, a.Max = a.Min-margin, a.Max+margin
}

// rules draws light lines across the data area at the labelled ticks.
type rules struct{}

// Plot implements plot.Plotter.
func (rules) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	sty := draw.LineStyle{Color: rule, Width: vg.Points(0.75)}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if at := x(t.Value); t.Label != "" && c.ContainsX(at) {
			c.StrokeLine2(sty, at, c.Min.Y, at, c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(t.Value); t.Label != "" && c.ContainsY(at) {
			c.StrokeLine2(sty, c.Min.X, at, c.Max.X, at)
		}
	}
}
