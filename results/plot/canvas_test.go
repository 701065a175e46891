package plot

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// inspector is a canvas that notes the box of each text and each stroked path in page coordinates.
type inspector struct {
	now   affine
	stack []affine
	ink   color.Color
	dash  []vg.Length
	texts []label
	lines []stroke
}

type label struct {
	text string
	box  vg.Rectangle
}

type stroke struct {
	color  color.Color
	dashed bool
	box    vg.Rectangle
}

type affine struct{ a, b, c, d, x, y float64 } // (x,y) ↦ (a·x+c·y+x, b·x+d·y+y)

func (m affine) at(p vg.Point) vg.Point {
	return vg.Point{
		X: vg.Length(m.a*float64(p.X) + m.c*float64(p.Y) + m.x),
		Y: vg.Length(m.b*float64(p.X) + m.d*float64(p.Y) + m.y),
	}
}

func (m affine) times(n affine) affine {
	return affine{
		m.a*n.a + m.c*n.b, m.b*n.a + m.d*n.b,
		m.a*n.c + m.c*n.d, m.b*n.c + m.d*n.d,
		m.a*n.x + m.c*n.y + m.x, m.b*n.x + m.d*n.y + m.y,
	}
}

func (c *inspector) SetLineWidth(vg.Length)                 {}
func (c *inspector) SetLineDash(d []vg.Length, _ vg.Length) { c.dash = d }
func (c *inspector) SetColor(col color.Color)               { c.ink = col }
func (c *inspector) Translate(p vg.Point) {
	c.now = c.now.times(affine{1, 0, 0, 1, float64(p.X), float64(p.Y)})
}
func (c *inspector) Scale(x, y float64)                  { c.now = c.now.times(affine{x, 0, 0, y, 0, 0}) }
func (c *inspector) Push()                               { c.stack = append(c.stack, c.now) }
func (c *inspector) Pop()                                { c.now, c.stack = c.stack[len(c.stack)-1], c.stack[:len(c.stack)-1] }
func (c *inspector) Fill(vg.Path)                        {}
func (c *inspector) DrawImage(vg.Rectangle, image.Image) {}
func (c *inspector) Rotate(rad float64) {
	s, k := math.Sincos(rad)
	c.now = c.now.times(affine{k, s, -s, k, 0, 0})
}

func (c *inspector) Stroke(p vg.Path) {
	var points []vg.Point
	for _, part := range p {
		if part.Type != vg.CloseComp {
			points = append(points, c.now.at(part.Pos))
		}
	}
	c.lines = append(c.lines, stroke{c.ink, len(c.dash) > 0, hull(points)})
}

func (c *inspector) FillString(f font.Face, at vg.Point, text string) {
	e, w := f.Extents(), f.Width(text)
	c.texts = append(c.texts, label{text, hull([]vg.Point{
		c.now.at(vg.Point{X: at.X, Y: at.Y - e.Descent}), c.now.at(vg.Point{X: at.X + w, Y: at.Y - e.Descent}),
		c.now.at(vg.Point{X: at.X, Y: at.Y + e.Ascent}), c.now.at(vg.Point{X: at.X + w, Y: at.Y + e.Ascent}),
	})})
}

func hull(points []vg.Point) vg.Rectangle {
	r := vg.Rectangle{Min: points[0], Max: points[0]}
	for _, p := range points {
		r.Min.X, r.Min.Y = min(r.Min.X, p.X), min(r.Min.Y, p.Y)
		r.Max.X, r.Max.Y = max(r.Max.X, p.X), max(r.Max.Y, p.Y)
	}
	return r
}

func apart(a, b vg.Rectangle) bool {
	return a.Max.X <= b.Min.X || b.Max.X <= a.Min.X || a.Max.Y <= b.Min.Y || b.Max.Y <= a.Min.Y
}

// inspect draws a figure and fails if a text leaves the page, meets another text, or if two texts are equal in one place.
func inspect(t *testing.T, f *Figure) *inspector {
	t.Helper()
	c := &inspector{now: affine{1, 0, 0, 1, 0, 0}}
	f.Draw(draw.NewCanvas(c, Width, Height))
	for i, a := range c.texts {
		if !(a.box.Min.X >= 0 && a.box.Min.Y >= 0 && a.box.Max.X <= Width && a.box.Max.Y <= Height) {
			t.Errorf("%q at %v leaves the page of %v by %v", a.text, a.box, Width, Height)
		}
		for _, b := range c.texts[:i] {
			if !apart(a.box, b.box) {
				t.Errorf("%q at %v overlaps %q at %v", a.text, a.box, b.text, b.box)
			}
		}
	}
	return c
}

// text is the box of the one text with these words.
func (c *inspector) text(t *testing.T, words string) vg.Rectangle {
	t.Helper()
	var found []vg.Rectangle
	var all []string
	for _, l := range c.texts {
		all = append(all, l.text)
		if l.text == words {
			found = append(found, l.box)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%q stands %d times among %s", words, len(found), fmt.Sprintf("%q", all))
	}
	return found[0]
}
