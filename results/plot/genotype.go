package plot

import (
	"fmt"
	"image/color"
	"io"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"espalier/search"
)

// A Drawing is a genotype as a picture: each kind of cell a graph that is read from left to right. Nodes are numbered as in
// the genotype's text and add up what comes in; boxes are operations. The drawing is as large as its cells need.
type Drawing struct {
	title    string
	genotype search.Genotype
	cells    []*cellDrawing
	caption  []string
}

// NewDrawing lays a genotype out. The title may be empty. Operations of any name are drawn; an impossible wiring is an error.
func NewDrawing(title string, g search.Genotype) (*Drawing, error) {
	if err := g.Check(); err != nil {
		return nil, fmt.Errorf("plot: %w", err)
	}
	d := &Drawing{title: title, genotype: g}
	s := g.Skeleton()
	if s == search.Staged {
		d.cells = append(d.cells, newCellDrawing("", g.Normal, s, false))
		d.caption = []string{"Each node is the sum of what leads to it."}
		return d, nil
	}
	d.cells = append(d.cells, newCellDrawing("normal cell", g.Normal, s, false), newCellDrawing("reduction cell", g.Reduce, s, true))
	d.caption = []string{
		"Each node is the sum of what leads to it; the output holds the channels of all nodes that lead to it.",
		"k−1 and k−2 are the cells before. /2: stride 2.",
	}
	return d, nil
}

// Distances within a drawing.
const (
	opHeight   = vg.Length(22)
	nodeSize   = vg.Length(24)
	textInset  = vg.Length(9)  // between a box and its text
	itemGap    = vg.Length(12) // between boxes of a column
	railGap    = vg.Length(13) // between a rail and its neighbours' edges
	leastGap   = vg.Length(30) // between columns
	entryGap   = vg.Length(24) // between operations and their nodes
	arrow      = vg.Length(6)
	cellGap    = vg.Length(22)
	wireWidth  = vg.Length(1.1)
	cornerSize = vg.Length(5)
)

// cellDrawing is a cell with the places of all its items.
type cellDrawing struct {
	heading       string
	graph         *layered
	left, right   []vg.Length // of the columns
	width, height vg.Length
	top           vg.Length // of the highest item, above its middle
}

func newCellDrawing(heading string, w search.Wiring, s search.Skeleton, reduce bool) *cellDrawing {
	g := newLayered(w, s, reduce)
	g.order()
	g.place(func(a, b *item) float64 {
		gap := itemGap
		if a.kind == railItem || b.kind == railItem {
			gap = railGap
		}
		return float64(a.height()/2 + b.height()/2 + gap)
	})
	d := &cellDrawing{heading: heading, graph: g}
	x := vg.Length(0)
	for c, column := range g.columns {
		width := vg.Length(0)
		for _, it := range column {
			width = max(width, it.width())
		}
		if c > 0 {
			x += g.gap(c)
		}
		d.left, d.right = append(d.left, x), append(d.right, x+width)
		x += width
	}
	d.width = x
	bottom := vg.Length(0)
	for _, column := range g.columns {
		for _, it := range column {
			d.top = max(d.top, vg.Length(it.y)+it.height()/2)
			bottom = min(bottom, vg.Length(it.y)-it.height()/2)
		}
	}
	d.height = d.top - bottom
	return d
}

// gap is the room before a column: wires that climb far need more.
func (g *layered) gap(column int) vg.Length {
	gap, steepest := leastGap, 0.0
	if len(g.columns[column]) > 0 && column%2 == 0 && g.columns[column-1] != nil {
		gap = entryGap
	}
	for _, w := range g.wires {
		if w.to.column == column {
			steepest = max(steepest, w.from.y-w.to.y, w.to.y-w.from.y)
		}
	}
	return max(gap, min(90, vg.Length(0.45*steepest)))
}

func (i *item) height() vg.Length {
	switch i.kind {
	case railItem:
		return 0
	case opItem:
		return opHeight
	}
	return nodeSize
}

// width has room for fonts that are wider than those measured.
func (i *item) width() vg.Length {
	if i.kind == railItem {
		return 0
	}
	sty := textStyle(tickSize)
	w := sty.Width(i.text)*(1+fallback) + 2*textInset
	if i.kind == nodeItem {
		return max(nodeSize, w)
	}
	return w
}

// Size is the size of the drawing.
func (d *Drawing) Size() (width, height vg.Length) {
	if d.title != "" {
		sty := textStyle(titleSize)
		width, height = sty.Width(d.title)*(1+fallback), sty.Rectangle(d.title).Size().Y+margin
	}
	for i, c := range d.cells {
		if width = max(width, c.width); i > 0 {
			height += cellGap
		}
		height += c.height + c.headingHeight()
	}
	sty := textStyle(captionSize)
	for _, line := range d.caption {
		width = max(width, sty.Width(line)*(1+fallback))
		height += sty.Rectangle(line).Size().Y + margin/2
	}
	return width + 4*margin, height + 5*margin
}

func (c *cellDrawing) headingHeight() vg.Length {
	if c.heading == "" {
		return 0
	}
	return textStyle(labelSize).Rectangle(c.heading).Size().Y + margin
}

// Draw draws on a canvas of the drawing's size.
func (d *Drawing) Draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	x, y := c.Min.X+2*margin, c.Max.Y-2*margin
	write := func(s string, size vg.Length, after vg.Length) {
		sty := textStyle(size)
		sty.XAlign, sty.YAlign = draw.XLeft, draw.YTop
		c.FillText(sty, vg.Point{X: x, Y: y}, s)
		y -= sty.Rectangle(s).Size().Y + after
	}
	if d.title != "" {
		write(d.title, titleSize, margin)
	}
	for i, cell := range d.cells {
		if i > 0 {
			y -= cellGap
		}
		if cell.heading != "" {
			write(cell.heading, labelSize, margin)
		}
		cell.draw(c, vg.Point{X: x, Y: y - cell.top})
		y -= cell.height
	}
	y -= margin
	for _, line := range d.caption {
		write(line, captionSize, margin/2)
	}
}

// draw draws the cell; at is the place of the left edge at height 0.
func (d *cellDrawing) draw(c draw.Canvas, at vg.Point) {
	for _, w := range d.graph.wires {
		d.drawWire(c, at, w)
	}
	for _, column := range d.graph.columns {
		for _, it := range column {
			d.drawItem(c, at, it)
		}
	}
}

// box is where an item stands. Operations and rails have the width of their column.
func (d *cellDrawing) box(it *item) vg.Rectangle {
	left, right, y := d.left[it.column], d.right[it.column], vg.Length(it.y)
	if it.kind == nodeItem {
		middle, half := (left+right)/2, it.width()/2
		left, right = middle-half, middle+half
	}
	return vg.Rectangle{Min: vg.Point{X: left, Y: y - it.height()/2}, Max: vg.Point{X: right, Y: y + it.height()/2}}
}

// path is the course of a wire: level within columns, so that it passes between the items there, and curved in the gap.
func (d *cellDrawing) path(w wire) (begin, bend, unbend, end vg.Point) {
	from, to := d.box(w.from), d.box(w.to)
	begin = vg.Point{X: from.Max.X, Y: vg.Length(w.from.y)}
	end = vg.Point{X: to.Min.X, Y: vg.Length(w.to.y)}
	bend = vg.Point{X: d.right[w.from.column], Y: begin.Y}
	unbend = vg.Point{X: d.left[w.to.column], Y: end.Y}
	return begin, bend, unbend, end
}

func (d *cellDrawing) drawWire(c draw.Canvas, at vg.Point, w wire) {
	sty := draw.LineStyle{Color: wireColor, Width: wireWidth}
	if w.from.op == "none" || w.to.op == "none" {
		sty.Color, sty.Dashes = faint, []vg.Length{3, 2.5}
	}
	c.SetLineStyle(sty)
	begin, bend, unbend, end := d.path(w)
	if w.from.kind == railItem {
		begin.X = d.left[w.from.column] // the rail itself
	}
	head := w.to.kind == nodeItem
	tip := at.Add(end)
	if head {
		end.X -= arrow - 1
		unbend.X = min(unbend.X, end.X)
	}
	var p vg.Path
	p.Move(at.Add(begin))
	p.Line(at.Add(bend))
	half := (unbend.X - bend.X) / 2
	p.CubeTo(at.Add(vg.Point{X: bend.X + half, Y: bend.Y}), at.Add(vg.Point{X: unbend.X - half, Y: unbend.Y}), at.Add(unbend))
	p.Line(at.Add(end))
	c.Stroke(p)
	if head {
		c.FillPolygon(sty.Color, []vg.Point{tip, {X: tip.X - arrow, Y: tip.Y + arrow/2}, {X: tip.X - arrow, Y: tip.Y - arrow/2}})
	}
}

func (d *cellDrawing) drawItem(c draw.Canvas, at vg.Point, it *item) {
	if it.kind == railItem {
		return
	}
	b := d.box(it)
	b.Min, b.Max = b.Min.Add(at), b.Max.Add(at)
	l := lookOfItem(it)
	corner := cornerSize
	if it.kind == nodeItem {
		corner = nodeSize / 2
	}
	p := rounded(b, corner)
	c.SetColor(l.fill)
	c.Fill(p)
	c.SetLineStyle(draw.LineStyle{Color: l.border, Width: wireWidth, Dashes: l.dashes})
	c.Stroke(p)
	sty := textStyle(tickSize)
	sty.Color = l.text
	sty.XAlign, sty.YAlign = draw.XCenter, draw.YCenter
	c.FillText(sty, vg.Point{X: (b.Min.X + b.Max.X) / 2, Y: (b.Min.Y+b.Max.Y)/2 + 0.5}, it.text)
}

// rounded is a rectangle with round corners.
func rounded(b vg.Rectangle, radius vg.Length) (p vg.Path) {
	const quarter = 0.5522847498 // of a circle as a cubic curve
	k := radius * (1 - quarter)
	corner := func(x, y, dx, dy vg.Length) {
		// from beside the corner along (−dx, 0) or (0, −dy), whichever comes first counterclockwise
		a, b := vg.Point{X: x - dx*radius, Y: y}, vg.Point{X: x, Y: y - dy*radius}
		ca, cb := vg.Point{X: x - dx*k, Y: y}, vg.Point{X: x, Y: y - dy*k}
		if dx*dy < 0 {
			p.Line(a)
			p.CubeTo(ca, cb, b)
			return
		}
		p.Line(b)
		p.CubeTo(cb, ca, a)
	}
	p.Move(vg.Point{X: b.Min.X + radius, Y: b.Min.Y})
	corner(b.Max.X, b.Min.Y, 1, -1)
	corner(b.Max.X, b.Max.Y, 1, 1)
	corner(b.Min.X, b.Max.Y, -1, 1)
	corner(b.Min.X, b.Min.Y, -1, -1)
	p.Close()
	return p
}

// itemLook is how an item is drawn. Fills are light and texts dark, so that a print in grey can be read; what an operation is
// stands in its text.
type itemLook struct {
	fill, border, text color.Color
	dashes             []vg.Length
}

var (
	wireColor = color.NRGBA{0x55, 0x55, 0x55, 0xFF}
	faint     = color.NRGBA{0xA8, 0xA8, 0xA8, 0xFF}
	muted     = color.NRGBA{0x70, 0x70, 0x70, 0xFF}
)

func lookOfItem(it *item) itemLook {
	l := itemLook{fill: color.NRGBA{0xF3, 0xF3, 0xF3, 0xFF}, border: ink, text: ink}
	if it.kind == nodeItem {
		return l
	}
	blue, green, orange, purple := looks[0].color, looks[4].color, looks[1].color, looks[5].color
	switch name := it.op; {
	case name == "none":
		return itemLook{fill: color.White, border: faint, text: muted, dashes: []vg.Length{3, 2.5}}
	case strings.HasPrefix(name, "skip"):
		l.fill, l.border = color.White, muted
	case strings.HasPrefix(name, "dil"):
		l.fill, l.border = color.NRGBA{0xD3, 0xEE, 0xE5, 0xFF}, green
	case strings.Contains(name, "pool"):
		l.fill, l.border = color.NRGBA{0xFC, 0xEC, 0xCB, 0xFF}, orange
	case strings.Contains(name, "conv"):
		l.fill, l.border = color.NRGBA{0xD4, 0xE7, 0xF4, 0xFF}, blue
	default:
		l.fill, l.border = color.NRGBA{0xF6, 0xE4, 0xEE, 0xFF}, purple
	}
	return l
}

// opText is a primitive's name as people write it: sep_conv_3x3 as "sep conv 3×3".
func opText(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words {
		if a, b, ok := strings.Cut(w, "x"); ok && digits(a) && digits(b) {
			words[i] = a + "×" + b
		}
	}
	return strings.Join(words, " ")
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// PNG writes the drawing as an image at DPI.
func (d *Drawing) PNG(w io.Writer) error {
	width, height := d.Size()
	return writePNG(w, width, height, d.Draw)
}

// SVG writes the drawing; fonts are named as in Figure.SVG.
func (d *Drawing) SVG(w io.Writer) error {
	width, height := d.Size()
	return writeSVG(w, width, height, d.Draw)
}

// Save writes the drawing to a file whose extension says how: .png, .svg or .dot. A file of that name is replaced at once or
// not at all.
func (d *Drawing) Save(path string) error {
	return save(path, map[string]func(io.Writer) error{".png": d.PNG, ".svg": d.SVG, ".dot": d.DOT})
}
