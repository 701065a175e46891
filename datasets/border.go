package datasets

import (
	"fmt"
	"math"
)

// Bordered is the set with images whose sides are the next multiples of k, each image in the middle of its canvas: where the
// border is odd, the further row or column is at the bottom and on the right. The border has the mean colour of the set's Norm,
// rounded to a pixel's value, which is zero after normalisation but for that rounding; with the zero Norm it is black. Images whose sides
// are such multiples come back as they are. k below 1 panics; a set too large for memory is an error.
func (s *Set) Bordered(k int) (*Set, error) {
	if k < 1 {
		panic(fmt.Sprintf("datasets: a border to multiples of %d", k))
	}
	to := s.Shape()
	to.H, to.W = (to.H+k-1)/k*k, (to.W+k-1)/k*k
	if to == s.Shape() {
		return s, nil
	}
	colour := make([]uint8, to.C)
	for c := range s.Norm.Mean {
		colour[c] = uint8(math.Round(255 * min(max(s.Norm.Mean[c], 0), 1)))
	}
	out := *s
	for _, p := range []*Part{&out.Train, &out.Test} {
		if p.Len() > maxPixels/to.Len() {
			return nil, fmt.Errorf("datasets: %d images of %v, with a border to multiples of %d, are more than %d bytes", p.Len(), to, k, maxPixels)
		}
		*p = p.bordered(to, colour)
	}
	return &out, nil
}

// bordered puts each image in the middle of a canvas.
func (p Part) bordered(to Shape, colour []uint8) Part {
	canvas := Part{Shape: to, Pixels: make([]uint8, p.Len()*to.Len()), Labels: p.Labels}
	top, left := (to.H-p.H)/2, (to.W-p.W)/2
	for i := 0; i < len(canvas.Pixels); i += to.C {
		copy(canvas.Pixels[i:], colour)
	}
	for i := range p.Len() {
		from, onto := p.Image(i), canvas.Image(i)
		for y := range p.H {
			copy(onto[((top+y)*to.W+left)*to.C:], from[y*p.W*p.C:][:p.W*p.C])
		}
	}
	return canvas
}
