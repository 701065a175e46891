package datasets

import (
	"fmt"

	"espalier/internal/rng"
)

// SyntheticOptions says how large a synthetic set is. The zero value is 4,000 and 1,000 images of 32×32×3.
type SyntheticOptions struct {
	Train    int // images to train on; 0 means 4000
	Test     int // images to test on; 0 means 1000
	Size     int // height and width in pixels, 16 to 256; 0 means 32
	Channels int // 1 or 3; 0 means 3
}

func (o SyntheticOptions) withDefaults() SyntheticOptions {
	fill := func(v *int, fallback int) {
		if *v == 0 {
			*v = fallback
		}
	}
	fill(&o.Train, 4000)
	fill(&o.Test, 1000)
	fill(&o.Size, 32)
	fill(&o.Channels, 3)
	return o
}

// Validate says which option is out of its range.
func (o SyntheticOptions) Validate() error {
	o = o.withDefaults()
	switch {
	case o.Size < 16 || o.Size > 256:
		return fmt.Errorf("datasets: synthetic images of %d pixels, must be 16 to 256", o.Size)
	case o.Channels != 1 && o.Channels != 3:
		return fmt.Errorf("datasets: synthetic images of %d channels, must be 1 or 3", o.Channels)
	}
	if most := maxPixels / o.shape().Len(); o.Train < 1 || o.Train > most || o.Test < 1 || o.Test > most {
		return fmt.Errorf("datasets: a synthetic set of %d and %d images, each must be 1 to %d", o.Train, o.Test, most)
	}
	return nil
}

func (o SyntheticOptions) shape() Shape { return Shape{H: o.Size, W: o.Size, C: o.Channels} }

// Synthetic makes a set of ten classes from a seed: images of a single figure or patch of texture on a plain ground.
//
//	horizontal, vertical, diagonal   stripes; diagonal ones lean either way
//	checks, dots                     regular textures
//	ring, square, triangle           outlines
//	plus, saltire                    crosses, upright and slanted
//
// What tells the classes apart is local: edges, corners, and how they repeat. All else is drawn anew for every image:
// place, size, tilt (up to 11°), period, phase, line width, colours, which of figure and ground is the lighter, a slope of
// light, short strokes strewn over the picture, and noise. Mean images are therefore alike: on the 1,000 test images a
// linear classifier of pixels stays under 20 %, where a ResNet-8 reaches more than 95 % after five epochs of the 4,000
// training images. No class changes by mirroring left to right.
//
// The classes take turns, so parts are balanced to one image. Image i of a part depends on the seed, the part and i alone,
// and is computed in integers: it has the same bits on every machine.
//
// Synthetic panics on options that Validate refuses.
func Synthetic(seed uint64, o SyntheticOptions) *Set {
	if err := o.Validate(); err != nil {
		panic(err.Error())
	}
	o = o.withDefaults()
	set := &Set{
		Name:   "synthetic",
		Source: fmt.Sprintf("made from seed %d", seed),
		Classes: []string{"horizontal", "vertical", "diagonal", "checks", "dots", "ring", "square", "triangle", "plus",
			"saltire"},
		Train: synthesize(rng.New(seed, "synthetic", "train"), o.Train, o),
		Test:  synthesize(rng.New(seed, "synthetic", "test"), o.Test, o),
	}
	set.Norm = Measure(set.Train, nil)
	return set
}

func synthesize(stream *rng.Stream, n int, o SyntheticOptions) Part {
	s := o.shape()
	p := Part{Shape: s, Pixels: make([]uint8, n*s.Len()), Labels: make([]int32, n)}
	for i := range n {
		class := i % 10
		p.Labels[i] = int32(class)
		paint(p.Image(i), s, class, stream.At(uint64(i)))
	}
	return p
}

// Strengths of what hides the figure, tuned so that a small network takes a few epochs to see through it.
const (
	contrastLow, contrastHigh = 40, 100 // difference of figure and ground in a channel, in grey levels
	noiseLow, noiseHigh       = 6, 20   // deviation of the noise, in grey levels
	strokes                   = 3       // at most, strewn over the picture
	slope                     = 30      // greatest change of light from the middle to an edge, in grey levels
)

// paint draws an image of a class.
func paint(image []uint8, s Shape, class int, r *rng.Stream) {
	var ground, figure, light [3]int
	for c := range s.C {
		ground[c] = between(r, 60, 195)
		figure[c] = sign(r) * between(r, contrastLow, contrastHigh)
		light[c] = between(r, 0, slope)
	}
	lightX, lightY := between(r, -64, 64), between(r, -64, 64)
	f := drawFigure(class, s, r)
	clutter := make([]figureAt, r.IntN(strokes+1))
	tint := make([][3]int, len(clutter))
	for k := range clutter {
		clutter[k] = drawStroke(s, r)
		for c := range s.C {
			tint[k][c] = sign(r) * between(r, contrastLow, contrastHigh)
		}
	}
	deviation := between(r, noiseLow, noiseHigh)
	noise := noiseSource{r: r}
	for y := range s.H {
		for x := range s.W {
			var value [3]int
			shade := lightX*(2*x-s.W)/s.W + lightY*(2*y-s.H)/s.H // −128 to 128
			cover := f.cover(x, y)
			for c := range s.C {
				value[c] = ground[c] + light[c]*shade/128
			}
			for k := range clutter {
				if part := clutter[k].cover(x, y); part > 0 {
					for c := range s.C {
						value[c] += tint[k][c] * part / 4
					}
				}
			}
			for c := range s.C {
				v := value[c] + figure[c]*cover/4 + noise.next(deviation)
				image[(y*s.W+x)*s.C+c] = uint8(clamp(v, 0, 255))
			}
		}
	}
}

// noiseSource gives nearly normal noise: the sum of four uniform bytes.
type noiseSource struct {
	r    *rng.Stream
	bits uint64
	left int
}

// next is a draw of the given deviation.
func (n *noiseSource) next(deviation int) int {
	if n.left == 0 {
		n.bits, n.left = n.r.Uint64(), 2
	}
	b := n.bits
	n.bits, n.left = b>>32, n.left-1
	sum := int(b&255+b>>8&255+b>>16&255+b>>24&255) - 2*255 // deviation 147.8
	return sum * deviation / 148
}

// between is a uniform integer from lo to hi, both included.
func between(r *rng.Stream, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

func sign(r *rng.Stream) int { return 2*r.IntN(2) - 1 }
