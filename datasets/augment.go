package datasets

import (
	"fmt"
	"math/bits"

	"espalier/internal/kernels"
)

// Augment says how training images are varied. The zero value leaves them as they are.
//
// The draws of an image depend on the seed, the stream's name, the epoch and the image's index in its part alone, and each
// kind of draw on no other kind's size.
type Augment struct {
	// Pad is the border of black pixels put round the image, in pixels, before a window of the image's own size is cut out
	// at random: 4 for CIFAR (He et al., "Deep Residual Learning for Image Recognition", 2016, §4.2).
	Pad int
	// Flip mirrors the image left to right, one time in two.
	Flip bool
	// Cutout is the side in pixels of a square about a random pixel, cut off at the borders, that is set to the mean, that
	// is to zero after normalising (DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with
	// Cutout", 2017): 16 for CIFAR-10, 0 for none.
	Cutout int
}

// CIFARAugment is the usual augmentation of 32×32 images: a crop out of 4 pixels of padding, and a flip.
func CIFARAugment() Augment { return Augment{Pad: 4, Flip: true} }

// maxPad bounds paddings and cutouts: far more than any image needs, and no product of draws comes near 2⁶⁴.
const maxPad = 1 << 10

func (a Augment) validate() error {
	if a.Pad < 0 || a.Pad > maxPad || a.Cutout < 0 || a.Cutout > maxPad {
		return fmt.Errorf("datasets: padding of %d and cutout of %d pixels, each must be in [0,%d]", a.Pad, a.Cutout, maxPad)
	}
	return nil
}

// view is how one image is seen in one epoch.
type view struct {
	dy, dx int  // offset of the window: output (y,x) shows input (y+dy,x+dx)
	flip   bool // after the crop
	cy, cx int  // centre of the cutout
}

// view takes the draws of an image of the given shape out of 64 random bits: the fraction bits/2⁶⁴ is stretched over the
// values of a draw, and what remains between two values serves the next draw.
func (a Augment) view(s Shape, random uint64) view {
	v := view{
		dy: draw(&random, 2*a.Pad+1) - a.Pad,
		dx: draw(&random, 2*a.Pad+1) - a.Pad,
	}
	v.flip = draw(&random, 2) == 1 && a.Flip
	v.cy, v.cx = draw(&random, s.H), draw(&random, s.W)
	return v
}

func draw(random *uint64, n int) int {
	hi, lo := bits.Mul64(*random, uint64(n))
	*random = lo
	return int(hi)
}

// table turns a pixel of a channel into its normalised value.
type table [256]kernels.Float

func (n Norm) tables(channels int) []table {
	t := make([]table, channels)
	for c := range t {
		mean, std := 0., 1.
		if n.Mean != nil {
			mean, std = n.Mean[c], n.Std[c]
		}
		for v := range t[c] {
			t[c][v] = kernels.Float((float64(v)/255 - mean) / std)
		}
	}
	return t
}

// render writes the image (H,W,C) of shape s to out (H,W,C), normalised by the tables and seen as v and a.Cutout say.
func (a Augment) render(out []kernels.Float, image []uint8, s Shape, t []table, v view) {
	// Columns [x0,x1) of the window lie inside the image.
	x0, x1 := clamp(-v.dx, 0, s.W), clamp(s.W-v.dx, 0, s.W)
	for y := range s.H {
		row := out[y*s.W*s.C:][:s.W*s.C]
		if from := y + v.dy; from < 0 || from >= s.H || x0 >= x1 {
			black(row, t)
		} else if src := image[from*s.W*s.C:][:s.W*s.C]; v.flip {
			black(row[:(s.W-x1)*s.C], t)
			mirror(row[(s.W-x1)*s.C:(s.W-x0)*s.C], src[(x0+v.dx)*s.C:(x1+v.dx)*s.C], t)
			black(row[(s.W-x0)*s.C:], t)
		} else {
			black(row[:x0*s.C], t)
			straight(row[x0*s.C:x1*s.C], src[(x0+v.dx)*s.C:(x1+v.dx)*s.C], t)
			black(row[x1*s.C:], t)
		}
	}
	if a.Cutout > 0 {
		top, left := v.cy-a.Cutout/2, v.cx-a.Cutout/2
		y0, y1 := clamp(top, 0, s.H), clamp(top+a.Cutout, 0, s.H)
		x0, x1 := clamp(left, 0, s.W), clamp(left+a.Cutout, 0, s.W)
		for y := y0; y < y1; y++ {
			clear(out[(y*s.W+x0)*s.C : (y*s.W+x1)*s.C])
		}
	}
}

// black writes pixels of value 0.
func black(row []kernels.Float, t []table) {
	for len(row) > 0 {
		for c := range t {
			row[c] = t[c][0]
		}
		row = row[len(t):]
	}
}

// straight writes pixels in their order.
func straight(row []kernels.Float, src []uint8, t []table) {
	if len(t) == 3 {
		t0, t1, t2 := &t[0], &t[1], &t[2]
		for len(row) >= 3 && len(src) >= 3 {
			row[0], row[1], row[2] = t0[src[0]], t1[src[1]], t2[src[2]]
			row, src = row[3:], src[3:]
		}
		return
	}
	for len(row) > 0 {
		for c := range t {
			row[c] = t[c][src[c]]
		}
		row, src = row[len(t):], src[len(t):]
	}
}

// mirror writes pixels from the last to the first.
func mirror(row []kernels.Float, src []uint8, t []table) {
	for len(row) > 0 {
		last := src[len(src)-len(t):]
		for c := range t {
			row[c] = t[c][last[c]]
		}
		row, src = row[len(t):], src[:len(src)-len(t)]
	}
}

func clamp(v, lo, hi int) int { return max(lo, min(v, hi)) }
