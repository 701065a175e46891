package nn

import "espalier/internal/kernels"

// concat puts channels of several values side by side. Its closures are made once, since a closure a call would allocate.
type concat struct {
	batch, pixels, channels int
	from                    []*dagValue
	offsets                 []int // of each source's channels in the output

	y, g        []Float // of the running call
	source      int
	add         bool
	gatherUnit  func(worker, unit int)
	scatterUnit func(worker, unit int)
}

func newConcat(batch int, from []*dagValue, out Shape) *concat {
	c := &concat{batch: batch, pixels: out.H * out.W, channels: out.C, from: from}
	offset := 0
	for _, a := range from {
		c.offsets = append(c.offsets, offset)
		offset += a.shape.C
	}
	c.gatherUnit, c.scatterUnit = c.gatherImage, c.scatterImage
	return c
}

func (c *concat) gather(y []Float) {
	c.y = y
	kernels.Parallel(c.batch, c.gatherUnit)
	c.y = nil
}

func (c *concat) gatherImage(_, n int) {
	size := c.pixels * c.channels
	y := c.y[n*size:][:size]
	for k, a := range c.from {
		m, at := a.shape.C, c.offsets[k]
		x := a.data.Data[n*c.pixels*m:][:c.pixels*m]
		for p := range c.pixels {
			copy(y[p*c.channels+at:][:m], x[p*m:])
		}
	}
}

func (c *concat) scatter(k int, g []Float, add bool) {
	c.g, c.source, c.add = g, k, add
	kernels.Parallel(c.batch, c.scatterUnit)
	c.g = nil
}

func (c *concat) scatterImage(_, n int) {
	size := c.pixels * c.channels
	a, at := c.from[c.source], c.offsets[c.source]
	m := a.shape.C
	g, dx := c.g[n*size:][:size], a.grad.Data[n*c.pixels*m:][:c.pixels*m]
	for p := range c.pixels {
		src, dst := g[p*c.channels+at:][:m], dx[p*m:][:m]
		if !c.add {
			copy(dst, src)
			continue
		}
		for i, v := range src {
			dst[i] += v
		}
	}
}
