package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"espalier/internal/rng"
	"espalier/search"
)

// genotypes are the published ones, and one drawn at random of every space.
func genotypes(t *testing.T) []search.Genotype {
	t.Helper()
	var all []search.Genotype
	for _, name := range search.PublishedNames() {
		g, err := search.Published(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	for k, name := range search.SpaceNames() {
		s, _ := search.BuiltinSpace(name)
		a := search.NewAlpha(s)
		a.Init(rng.New(uint64(k), "drawings"), 1)
		g, err := search.Derive(s, search.Registry{}, a.Softmax())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	return append(all, search.NB201(0).Genotype())
}

// TestDrawing checks of many genotypes that all texts are on the page and apart, that every operation stands there, that no
// box meets another, and that no wire passes through a box.
func TestDrawing(t *testing.T) {
	for _, g := range genotypes(t) {
		d, err := NewDrawing("a title", g)
		if err != nil {
			t.Fatal(err)
		}
		width, height := d.Size()
		c := &inspector{now: affine{1, 0, 0, 1, 0, 0}}
		d.Draw(draw.NewCanvas(c, width, height))
		count := make(map[string]int)
		for i, a := range c.texts {
			count[strings.TrimSuffix(a.text, " /2")]++
			if !(a.box.Min.X >= 0 && a.box.Min.Y >= 0 && a.box.Max.X <= width && a.box.Max.Y <= height) {
				t.Errorf("%v: %q at %v leaves the page", g, a.text, a.box)
			}
			for _, b := range c.texts[:i] {
				if !apart(a.box, b.box) {
					t.Errorf("%v: %q at %v overlaps %q at %v", g, a.text, a.box, b.text, b.box)
				}
			}
		}
		for _, w := range []search.Wiring{g.Normal, g.Reduce} {
			for _, e := range w.Edges {
				count[opText(e.Op)]--
			}
		}
		for text, n := range count {
			if n != 0 && strings.Contains(text, "conv") {
				t.Errorf("%v: %q stands %d times too often", g, text, n)
			}
		}
		for _, cell := range d.cells {
			checkCell(t, g, cell)
		}
	}
}

// checkCell looks for boxes that meet, and for wires that leave their gap between columns or pass through what stands there.
func checkCell(t *testing.T, g search.Genotype, d *cellDrawing) {
	t.Helper()
	for _, column := range d.graph.columns {
		for i, a := range column {
			if i > 0 && d.box(a).Max.Y >= d.box(column[i-1]).Min.Y {
				t.Errorf("%v: %q meets %q", g, a.text, column[i-1].text)
			}
			if b := d.box(a); !(b.Min.X > d.left[a.column]-1e-6 && b.Max.X < d.right[a.column]+1e-6) {
				t.Errorf("%v: %q is wider than its column", g, a.text)
			}
		}
	}
	for _, w := range d.graph.wires {
		begin, bend, unbend, end := d.path(w)
		if w.to.column != w.from.column+1 || begin.Y != bend.Y || unbend.Y != end.Y || !(bend.X < unbend.X) {
			t.Errorf("%v: a wire from %q to %q bends within a column", g, w.from.text, w.to.text)
		}
	}
}

// TestDrawingFiles writes a genotype in every form and reads it.
func TestDrawingFiles(t *testing.T) {
	g, err := search.Published("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDrawing(`a "title" & <more>`, g)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := d.PNG(&b); err != nil {
		t.Fatal(err)
	}
	width, height := d.Size()
	if image, err := png.DecodeConfig(&b); err != nil || vg.Length(image.Width) < width || vg.Length(image.Height) < height {
		t.Errorf("%+v, %v", image, err)
	}
	b.Reset()
	if err := d.SVG(&b); err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(&b); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	b.Reset()
	if err := d.DOT(&b); err != nil {
		t.Fatal(err)
	}
	for text, n := range map[string]int{" -> ": 24, "dil conv 3×3": 1, "max pool 3×3 /2": 5, "subgraph": 2, `label="a \"title\" & <more>"`: 1, "{": 3, "}": 3} {
		if got := strings.Count(b.String(), text); got != n {
			t.Errorf("DOT has %q %d times, want %d:\n%s", text, got, n, b.String())
		}
	}
	dir := t.TempDir()
	for _, ext := range []string{".png", ".svg", ".dot"} {
		if err := d.Save(filepath.Join(dir, "cell"+ext)); err != nil {
			t.Error(err)
		}
	}
	if err := d.Save(filepath.Join(dir, "cell.gif")); err == nil || !strings.Contains(err.Error(), ".dot, .png or .svg") {
		t.Error(err)
	}
	if _, err := NewDrawing("", search.Genotype{}); err == nil {
		t.Error("nothing was drawn")
	}
}
