package datasets

import (
	"math"
	"testing"
)

// TestBordered: an image stands in the middle of its canvas, and the border normalises to zero as nearly as a pixel can.
func TestBordered(t *testing.T) {
	for _, shape := range []Shape{{30, 30, 3}, {28, 29, 1}, {5, 8, 3}, {1, 3, 1}} {
		set := &Set{Norm: Norm{Mean: []float64{.3, .5, .9}[:shape.C], Std: []float64{.2, .25, .3}[:shape.C]}}
		for i, p := range []*Part{&set.Train, &set.Test} {
			*p = Part{Shape: shape, Pixels: make([]uint8, (i+1)*shape.Len()), Labels: make([]int32, i+1)}
			for k := range p.Pixels {
				p.Pixels[k] = uint8(7*k + 1)
			}
		}
		got, err := set.Bordered(4)
		if err != nil {
			t.Fatal(err)
		}
		to := got.Shape()
		if to.H%4 != 0 || to.W%4 != 0 || to.H-shape.H > 3 || to.W-shape.W > 3 || to.H < shape.H || to.W < shape.W || got.Test.Shape != to {
			t.Fatalf("%v became %v and %v", shape, to, got.Test.Shape)
		}
		l, err := NewLoader(got.Test, nil, LoaderOptions{Batch: 2, Norm: set.Norm})
		if err != nil {
			t.Fatal(err)
		}
		l.Start(0, 0)
		x := l.Next().X
		for i := range x {
			image, y, column, c := i/to.Len(), i/(to.W*to.C)%to.H, i/to.C%to.W, i%to.C
			y, column = y-(to.H-shape.H)/2, column-(to.W-shape.W)/2
			want, tolerance := 0., 0.5/255/set.Norm.Std[c]+1e-6
			if y >= 0 && y < shape.H && column >= 0 && column < shape.W {
				pixel := set.Test.Image(image)[(y*shape.W+column)*shape.C+c]
				want, tolerance = (float64(pixel)/255-set.Norm.Mean[c])/set.Norm.Std[c], 1e-5
			}
			if !(math.Abs(float64(x[i])-want) <= tolerance) {
				t.Fatalf("%v: element %d is %v, want %v", shape, i, x[i], want)
			}
		}
		l.Close()
	}
	set := &Set{Train: Part{Shape: Shape{8, 12, 3}}}
	if got, err := set.Bordered(4); err != nil || got != set {
		t.Errorf("a set that fits was copied, %v", err)
	}
}
