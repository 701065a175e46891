// Package datasets reads labelled images into memory, splits them, and hands them out in batches, augmented.
//
// A Set holds 8-bit images (N,H,W,C) and their labels in two parts, for training and for testing: CIFAR10, CIFAR100,
// FashionMNIST and Folder read it from disk, Synthetic makes it from a seed, and Open does either by name, looking in the
// usual places. List says which sets are there and under which terms, Fetch downloads what can be downloaded, and Check
// verifies a set that was read. A Split divides the training part into disjoint lists of indices. A Loader runs through
// one list, epoch by epoch, and writes normalised, augmented batches (B,H,W,C) ahead of the computation.
//
// All randomness comes from named streams: a batch depends on the seed, the stream's name, the epoch and the images, never
// on the clock, the number of threads or on where an interrupted epoch was taken up again.
package datasets

import (
	"fmt"
	"math"
)

// Shape is the size of every image of a set.
type Shape struct {
	H, W, C int // rows, columns, channels
}

// Len is the number of values in an image.
func (s Shape) Len() int { return s.H * s.W * s.C }

// String is the shape as "32x32x3".
func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.H, s.W, s.C) }

// Part is one of the parts of a set, such as its training images.
type Part struct {
	Shape
	Pixels []uint8 // (N,H,W,C)
	Labels []int32 // (N), each in [0, classes)
}

// Len is the number of images.
func (p Part) Len() int { return len(p.Labels) }

// Image is a view of image i. // (H,W,C)
func (p Part) Image(i int) []uint8 {
	n := p.Shape.Len()
	return p.Pixels[i*n : (i+1)*n : (i+1)*n]
}

// maxPixels bounds the bytes of a part's pixels in memory, so that a size chosen too large is an error and not the end of
// the machine.
const maxPixels = 1 << 33

// Set is a data set in memory. Train is for training and, split off it, for validation; Test is for the last word alone.
type Set struct {
	Name    string   // as it is called on the command line: cifar10
	Source  string   // where it came from: a directory, or a description of how it was made
	Classes []string // the name of each label
	Norm    Norm     // to normalise by; measured on training images alone
	Train   Part
	Test    Part
}

// Shape is the size of the images.
func (s *Set) Shape() Shape { return s.Train.Shape }

// Norm says how 8-bit pixels become numbers: (v/255 − Mean[c]) / Std[c] in channel c. The zero Norm leaves v/255.
type Norm struct {
	Mean, Std []float64 // a value a channel, of pixels in [0,1]
}

// Measure is the mean and standard deviation of each channel over the images of p at indices, or over all if indices is
// nil. A channel that is constant gets the deviation 1, so that it normalises to zero. It panics without an image.
func Measure(p Part, indices []int) Norm {
	n := len(indices)
	if indices == nil {
		n = p.Len()
	}
	if n == 0 {
		panic("datasets: the mean of no images was asked for")
	}
	counts := make([][256]int64, p.C)
	for k := range n {
		i := k
		if indices != nil {
			i = indices[k]
		}
		image := p.Image(i)
		for len(image) > 0 {
			for c, v := range image[:p.C] {
				counts[c][v]++
			}
			image = image[p.C:]
		}
	}
	norm := Norm{Mean: make([]float64, p.C), Std: make([]float64, p.C)}
	total := float64(n * p.H * p.W)
	for c := range counts {
		var mean, variance float64
		for v, count := range counts[c] {
			mean += float64(v) / 255 * float64(count)
		}
		mean /= total
		for v, count := range counts[c] {
			d := float64(v)/255 - mean
			variance += d * d * float64(count)
		}
		norm.Mean[c], norm.Std[c] = mean, math.Sqrt(variance/total)
		if norm.Std[c] == 0 {
			norm.Std[c] = 1
		}
	}
	return norm
}

// validate says what is wrong with the norm for images of c channels.
func (n Norm) validate(c int) error {
	if n.Mean == nil && n.Std == nil {
		return nil
	}
	if len(n.Mean) != c || len(n.Std) != c {
		return fmt.Errorf("datasets: normalisation has %d means and %d deviations for images of %d channels",
			len(n.Mean), len(n.Std), c)
	}
	for i := range c {
		if !(n.Std[i] > 0) || math.IsInf(n.Std[i], 1) || math.IsNaN(n.Mean[i]) || math.IsInf(n.Mean[i], 0) {
			return fmt.Errorf("datasets: normalisation of channel %d by mean %v and deviation %v", i, n.Mean[i], n.Std[i])
		}
	}
	return nil
}
