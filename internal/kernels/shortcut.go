package kernels

import "fmt"

// pixelJob is the running call of the functions below, which have no plan; one closure a call would allocate.
type pixelJob struct {
	y, x             []Float
	h, w, ic, oc     int
	stride, oh, ow   int
	sums             []float64
	average, scatter func(worker, unit int)
	take, give       func(worker, unit int)
}

var pixelCall = newPixelJob()

func newPixelJob() *pixelJob {
	j := new(pixelJob)
	j.average, j.scatter, j.take, j.give = j.averageImage, j.scatterImage, j.takeImage, j.giveImage
	return j
}

// GlobalAvgPool writes y (N,C), the mean of x (N,HW,C) over HW.
func GlobalAvgPool(y, x []Float, n, hw, c int) {
	checkSizes("global average pooling", n, hw, c)
	check("global average pooling: x", len(x), n*hw*c)
	check("global average pooling: y", len(y), n*c)
	j := pixelCall
	if len(j.sums) < n*c {
		j.sums = make([]float64, n*c)
	}
	j.y, j.x, j.h, j.ic = y, x, hw, c
	Parallel(n, j.average)
	j.y, j.x = nil, nil
}

func (j *pixelJob) averageImage(_, n int) {
	hw, c := j.h, j.ic
	sums := j.sums[n*c:][:c]
	clear(sums)
	for p := 0; p < hw; p += block {
		vector.sum(sums, j.x[(n*hw+p)*c:], min(block, hw-p), c, c)
	}
	for k, s := range sums {
		j.y[n*c+k] = Float(s * (1 / float64(hw)))
	}
}

// GlobalAvgPoolBackward writes dx (N,HW,C) from g (N,C).
func GlobalAvgPoolBackward(dx, g []Float, n, hw, c int) {
	checkSizes("global average pooling", n, hw, c)
	check("global average pooling: dx", len(dx), n*hw*c)
	check("global average pooling: g", len(g), n*c)
	j := pixelCall
	j.x, j.y, j.h, j.ic = dx, g, hw, c
	Parallel(n, j.scatter)
	j.x, j.y = nil, nil
}

func (j *pixelJob) scatterImage(_, n int) {
	hw, c := j.h, j.ic
	image := j.x[n*hw*c:][:hw*c]
	for k, v := range j.y[n*c:][:c] {
		image[k] = v * (1 / Float(hw))
	}
	for done := c; done < len(image); done *= 2 {
		copy(image[done:], image[:done])
	}
}

// Subsample writes the parameter-free shortcut of a residual network (He et al., 2015, option A): y
// (N,⌈H/stride⌉,⌈W/stride⌉,OC) is x (N,H,W,IC) at every stride-th pixel, its channels in the middle and zeros on both
// sides, (OC−IC)/2 before and the rest after.
func Subsample(y, x []Float, n, h, w, ic, oc, stride int) {
	pixelCall.subsample(x, y, n, h, w, ic, oc, stride, pixelCall.take)
}

// SubsampleBackward adds the gradient of Subsample to dx (N,H,W,IC), from g (N,⌈H/stride⌉,⌈W/stride⌉,OC).
func SubsampleBackward(dx, g []Float, n, h, w, ic, oc, stride int) {
	pixelCall.subsample(dx, g, n, h, w, ic, oc, stride, pixelCall.give)
}

func (j *pixelJob) subsample(x, y []Float, n, h, w, ic, oc, stride int, unit func(worker, unit int)) {
	checkSizes("subsampling", n, h, w, ic, oc, stride)
	if oc < ic {
		panic(fmt.Sprintf("kernels: subsampling: %d output channels cannot hold %d input channels", oc, ic))
	}
	j.oh, j.ow = ceilDiv(h, stride), ceilDiv(w, stride)
	check("subsampling: input", len(x), n*h*w*ic)
	check("subsampling: output", len(y), n*j.oh*j.ow*oc)
	j.x, j.y, j.h, j.w, j.ic, j.oc, j.stride = x, y, h, w, ic, oc, stride
	Parallel(n, unit)
	j.x, j.y = nil, nil
}

func (j *pixelJob) takeImage(_, n int) {
	before := (j.oc - j.ic) / 2
	for r := range j.oh {
		for v := range j.ow {
			y := j.y[((n*j.oh+r)*j.ow+v)*j.oc:][:j.oc]
			clear(y[:before])
			copy(y[before:before+j.ic], j.x[((n*j.h+r*j.stride)*j.w+v*j.stride)*j.ic:])
			clear(y[before+j.ic:])
		}
	}
}

func (j *pixelJob) giveImage(_, n int) {
	before := (j.oc - j.ic) / 2
	for r := range j.oh {
		for v := range j.ow {
			dx := j.x[((n*j.h+r*j.stride)*j.w+v*j.stride)*j.ic:][:j.ic]
			g := j.y[((n*j.oh+r)*j.ow+v)*j.oc+before:][:j.ic]
			vector.add(dx, dx, g)
		}
	}
}
