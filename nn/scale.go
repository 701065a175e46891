package nn

import "espalier/internal/kernels"

// scale multiplies the channels of images by factors of their own.
type scale struct {
	batch, pixels, channels int
	images, factors         *dagValue // (N,H,W,C), (N,1,1,C)

	y, g                                []Float // of the running call
	add                                 bool
	gatherUnit, imagesUnit, factorsUnit func(worker, unit int)
}

func newScale(batch int, from []*dagValue) *scale {
	s := from[0].shape
	c := &scale{batch: batch, pixels: s.H * s.W, channels: s.C, images: from[0], factors: from[1]}
	c.gatherUnit, c.imagesUnit, c.factorsUnit = c.gatherImage, c.scatterImage, c.scatterFactors
	return c
}

func (c *scale) gather(y []Float) {
	c.y = y
	kernels.Parallel(c.batch, c.gatherUnit)
	c.y = nil
}

// image is image n of v, as large as the images.
func (c *scale) image(v []Float, n int) []Float {
	return v[n*c.pixels*c.channels:][:c.pixels*c.channels]
}

func (c *scale) gatherImage(_, n int) {
	c.multiply(c.image(c.y, n), c.image(c.images.data.Data, n), n, false)
}

// multiply writes dst = src·factors for image n, or adds it.
func (c *scale) multiply(dst, src []Float, n int, add bool) {
	factors := c.factors.data.Data[n*c.channels:][:c.channels]
	for p := 0; p < len(dst); p += c.channels {
		to, from := dst[p:][:c.channels], src[p:][:c.channels]
		for k, f := range factors {
			if add {
				to[k] += from[k] * f
			} else {
				to[k] = from[k] * f
			}
		}
	}
}

func (c *scale) scatter(k int, g []Float, add bool) {
	c.g, c.add = g, add
	unit := c.imagesUnit
	if k == 1 {
		unit = c.factorsUnit
	}
	kernels.Parallel(c.batch, unit)
	c.g = nil
}

func (c *scale) scatterImage(_, n int) {
	c.multiply(c.image(c.images.grad.Data, n), c.image(c.g, n), n, c.add)
}

func (c *scale) scatterFactors(_, n int) {
	x, g := c.image(c.images.data.Data, n), c.image(c.g, n)
	grad := c.factors.grad.Data[n*c.channels:][:c.channels]
	for k := range grad {
		sum := 0.0
		for p := k; p < len(x); p += c.channels {
			sum += float64(x[p]) * float64(g[p])
		}
		if c.add {
			sum += float64(grad[k])
		}
		grad[k] = Float(sum)
	}
}
