package plot

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"espalier/internal/atomicfile"
)

// Width and Height are a figure's size, DPI the resolution of its PNG: 1440 by 832 pixels.
const (
	Width  = 7.5 * vg.Inch
	Height = 13 * vg.Inch / 3
	DPI    = 192
)

// Distances between the parts of a figure.
const (
	margin    = vg.Length(8)
	legendGap = vg.Length(12)
	panelGap  = vg.Length(14)
)

// fallback is the share by which a legend's text may be wider than measured, where a drawing is shown without the fonts
// that it names: DejaVu Sans is a sixth wider than Liberation Sans.
const fallback = 0.18

// A Figure is one or more panels, side by side or in rows, under a title, with the legend to the right of the data and a caption below.
type Figure struct {
	title   string
	caption string
	panels  []*plot.Plot
	columns int       // panels side by side; 0: all
	height  vg.Length // 0: Height
	legend  plot.Legend
}

func newFigure(title, caption string, panels ...*plot.Plot) *Figure {
	f := &Figure{title: title, caption: caption, panels: panels, legend: plot.NewLegend()}
	f.legend.TextStyle = textStyle(tickSize)
	f.legend.Top, f.legend.Left = true, true
	f.legend.ThumbnailWidth, f.legend.Padding = 34, 6
	f.legend.YPosition = draw.PosCenter
	return f
}

// Draw draws the figure on the whole of a canvas.
func (f *Figure) Draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)

	if f.title != "" {
		sty := textStyle(titleSize)
		sty.XAlign, sty.YAlign = draw.XLeft, draw.YTop
		c.FillText(sty, vg.Point{X: c.Min.X, Y: c.Max.Y}, f.title)
		c.Max.Y -= sty.Rectangle(f.title).Size().Y + margin
	}
	sty := textStyle(captionSize)
	sty.XAlign, sty.YAlign = draw.XLeft, draw.YBottom
	c.FillText(sty, c.Min, f.caption)
	c.Min.Y += sty.Rectangle(f.caption).Size().Y + margin

	width := f.legend.Rectangle(c).Size().X
	width += fallback * (width - f.legend.ThumbnailWidth - f.legend.Padding)
	side := draw.Crop(c, c.Size().X-width, 0, 0, 0)
	f.legend.Draw(side)
	c.Max.X -= width + legendGap

	columns := cmp.Or(f.columns, len(f.panels))
	rows := (len(f.panels) + columns - 1) / columns
	grid := make([][]*plot.Plot, rows)
	for i := range grid {
		grid[i] = make([]*plot.Plot, columns) // nil where there is none
		copy(grid[i], f.panels[i*columns:])
	}
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: panelGap, PadY: panelGap}
	for i, row := range plot.Align(grid, tiles, c) {
		for k, at := range row {
			if p := grid[i][k]; p != nil {
				p.Draw(at)
			}
		}
	}
}

// size is the figure's height.
func (f *Figure) size() vg.Length { return cmp.Or(f.height, Height) }

// PNG writes the figure as an image at DPI, of Width by Height unless it has many panels.
func (f *Figure) PNG(w io.Writer) error { return writePNG(w, Width, f.size(), f.Draw) }

// SVG writes the figure as a drawing. Fonts are named, not embedded: Liberation Sans, or else Arial or Helvetica, which
// share its measures.
func (f *Figure) SVG(w io.Writer) error { return writeSVG(w, Width, f.size(), f.Draw) }

// Save writes the figure to a file whose extension says how: .png or .svg. A file of that name is replaced at once or
// not at all.
func (f *Figure) Save(path string) error {
	return save(path, map[string]func(io.Writer) error{".png": f.PNG, ".svg": f.SVG})
}

func writePNG(w io.Writer, width, height vg.Length, paint func(draw.Canvas)) error {
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(DPI))
	paint(draw.New(c))
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

func writeSVG(w io.Writer, width, height vg.Length, paint func(draw.Canvas)) error {
	c := vgsvg.New(width, height)
	paint(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	const family = "font-family:Liberation Sans"
	_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte(family), []byte(family+",Arial,Helvetica,sans-serif")))
	return err
}

// save writes a file in the way that its extension says.
func save(path string, ways map[string]func(io.Writer) error) error {
	ext := strings.ToLower(filepath.Ext(path))
	write, ok := ways[ext]
	if !ok {
		known := slices.Sorted(maps.Keys(ways))
		last := len(known) - 1
		return fmt.Errorf("plot: %s: figures are saved as %s or %s, not %q", path, strings.Join(known[:last], ", "), known[last], ext)
	}
	if err := atomicfile.Write(path, write); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
