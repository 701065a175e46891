package datasets

import (
	"fmt"
	"math"
	"testing"

	"espalier/internal/kernels"
	"espalier/internal/rng"
)

// noise is a part of random images with labels in [0,classes).
func noise(s Shape, n, classes int) Part {
	r := rng.New(3, "noise")
	p := Part{Shape: s, Pixels: make([]uint8, n*s.Len()), Labels: make([]int32, n)}
	for i := range p.Pixels {
		p.Pixels[i] = uint8(r.Uint32())
	}
	for i := range p.Labels {
		p.Labels[i] = int32(r.IntN(classes))
	}
	return p
}

// naive augments step by step as the papers describe it: pad, crop, flip, normalise, cut out.
func naive(a Augment, image []uint8, s Shape, norm Norm, v view) []kernels.Float {
	side := Shape{H: s.H + 2*a.Pad, W: s.W + 2*a.Pad, C: s.C}
	padded := make([]uint8, side.Len())
	for y := range s.H {
		for x := range s.W {
			for c := range s.C {
				padded[((y+a.Pad)*side.W+x+a.Pad)*s.C+c] = image[(y*s.W+x)*s.C+c]
			}
		}
	}
	out := make([]kernels.Float, s.Len())
	for y := range s.H {
		for x := range s.W {
			for c := range s.C {
				from := x
				if v.flip {
					from = s.W - 1 - x
				}
				pixel := padded[((y+a.Pad+v.dy)*side.W+from+a.Pad+v.dx)*s.C+c]
				value := (float64(pixel)/255 - norm.Mean[c]) / norm.Std[c]
				top, left := v.cy-a.Cutout/2, v.cx-a.Cutout/2
				if y >= top && y < top+a.Cutout && x >= left && x < left+a.Cutout {
					value = 0
				}
				out[(y*s.W+x)*s.C+c] = kernels.Float(value)
			}
		}
	}
	return out
}

func TestRender(t *testing.T) {
	r := rng.New(8, "render")
	for _, s := range []Shape{{32, 32, 3}, {28, 28, 1}, {5, 9, 4}, {3, 2, 3}, {1, 1, 1}} {
		norm := Norm{Mean: make([]float64, s.C), Std: make([]float64, s.C)}
		for c := range s.C {
			norm.Mean[c], norm.Std[c] = r.Float64(), .1+r.Float64()
		}
		p := noise(s, 1, 10)
		for _, a := range []Augment{{}, {Pad: 4}, {Flip: true}, {Pad: 1, Flip: true}, {Pad: 4, Flip: true, Cutout: 16},
			{Pad: 7, Cutout: 3}, {Cutout: 2}} {
			for range 40 {
				v := a.view(s, r.Uint64())
				got := make([]kernels.Float, s.Len())
				for i := range got {
					got[i] = kernels.Float(math.NaN()) // what is not written shows
				}
				a.render(got, p.Image(0), s, norm.tables(s.C), v)
				want := naive(a, p.Image(0), s, norm, v)
				for i := range want {
					if got[i] != want[i] {
						t.Fatalf("%v, %+v, %+v: value %d is %v, want %v", s, a, v, i, got[i], want[i])
					}
				}
			}
		}
	}
}

// Every offset, both orientations and every centre are drawn equally often, and independently as far as pairs show.
func TestDraws(t *testing.T) {
	s, a := Shape{8, 6, 3}, Augment{Pad: 2, Flip: true, Cutout: 4}
	r := rng.New(1, "draws")
	const n = 120000
	counts := map[string]int{}
	for range n {
		v := a.view(s, r.Uint64())
		counts[fmt.Sprintf("y %d x %d", v.dy, v.dx)]++
		counts[fmt.Sprintf("x %d flip %v", v.dx, v.flip)]++
		counts[fmt.Sprintf("centre %d %d", v.cy, v.cx)]++
	}
	cells := map[byte]int{'y': 25, 'x': 10, 'c': 48}
	if len(counts) != 25+10+48 {
		t.Fatalf("%d kinds of draw, want %d", len(counts), 25+10+48)
	}
	for what, count := range counts {
		p := 1 / float64(cells[what[0]])
		if z := (float64(count) - n*p) / math.Sqrt(n*p*(1-p)); !(math.Abs(z) < 4.5) {
			t.Errorf("%s was drawn %d times of %d, %.1f deviations off", what, count, n, z)
		}
	}
}

func TestFlipIsIndependentOfPad(t *testing.T) {
	s := Shape{8, 8, 3}
	for i := range uint64(100) {
		bits := rng.New(2).At(i).Uint64()
		if a, b := (Augment{Pad: 4, Flip: true}).view(s, bits), (Augment{Pad: 4, Flip: true, Cutout: 8}).view(s, bits); a != b {
			t.Fatalf("cutout changed the view from %+v to %+v", a, b)
		}
	}
}

func TestMeasure(t *testing.T) {
	p := noise(Shape{4, 5, 3}, 60, 2)
	indices := []int{3, 7, 59, 3}
	for _, list := range [][]int{nil, indices} {
		norm := Measure(p, list)
		if list == nil {
			for i := range p.Len() {
				list = append(list, i)
			}
		}
		for c := range 3 {
			var sum, square, n float64
			for _, i := range list {
				for k := c; k < p.Shape.Len(); k += 3 {
					v := float64(p.Image(i)[k]) / 255
					sum, square, n = sum+v, square+v*v, n+1
				}
			}
			mean := sum / n
			if std := math.Sqrt(square/n - mean*mean); !(math.Abs(norm.Mean[c]-mean) < 1e-12) || !(math.Abs(norm.Std[c]-std) < 1e-12) {
				t.Errorf("channel %d: mean %v, deviation %v, want %v, %v", c, norm.Mean[c], norm.Std[c], mean, std)
			}
		}
	}
	flat := Part{Shape: Shape{1, 1, 1}, Pixels: []uint8{7, 7}, Labels: []int32{0, 0}}
	if got := Measure(flat, nil).Std[0]; got != 1 {
		t.Errorf("the deviation of a constant channel is %v, want 1", got)
	}
}
