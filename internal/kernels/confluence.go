package kernels

import "unsafe"

// Confluence is a planned sum of gradients at a tensor x (N,H,W,C) that many operations read: at ReLU(x), at pools of x, at x
// itself, scaled. Image by image, everything stays in the cache.
type Confluence struct {
	N, HW, C int

	dx, x  []Float // of the running call
	b      ConfluenceBackward
	slopes []Float // (2,C) for each pool: see slope
	zeros  []Float // (C)
	unit   func(worker, unit int)
}

// ConfluenceBackward names what flows together, each part optional.
type ConfluenceBackward struct {
	Begun  bool    // dx has a share of the gradient already; else it is written over
	Active []Float // the gradient at ReLU(x), (N,H,W,C)
	Direct []Scaled
	Pools  []Pooled
}

// Scaled is a gradient, of x's shape, with a weight.
type Scaled struct {
	G      []Float
	Weight Float
}

// Pooled is a pool of x whose output z the terms of mixtures read: Terms holds their norms and the gradients at their sums (in
// the place of X). Gradients of each norm has been called. One of Max and Avg is nil.
type Pooled struct {
	Max   *MaxPool
	Avg   *AvgPool
	Z     []Float // (N,OH,OW,C)
	Terms []Term
}

// NewConfluence plans the sum at an (N,HW,C) tensor, whose pools are no larger.
func NewConfluence(n, hw, c int) *Confluence {
	checkSizes("confluence", n, hw, c)
	m := &Confluence{N: n, HW: hw, C: c, zeros: Alloc(c)}
	m.unit = m.image
	needScratch(2*hw*c + 2*scratchGap)
	return m
}

// Backward writes dx (N,HW,C), or adds to it, from x and the gradients that b names. Without any, dx is zero.
func (m *Confluence) Backward(dx, x []Float, b ConfluenceBackward) {
	n := m.N * m.HW * m.C
	check("confluence: dx", len(dx), n)
	check("confluence: x", len(x), n)
	m.dx, m.x, m.b = dx, x, b
	for len(m.slopes) < 2*m.C*len(b.Pools) {
		m.slopes = append(m.slopes, m.zeros...)
	}
	for i := range b.Pools {
		b.Pools[i].slope(m.slopes[2*m.C*i:][:2*m.C])
	}
	Parallel(m.N, m.unit)
	m.dx, m.x, m.b = nil, nil, ConfluenceBackward{}
}

func (m *Confluence) image(worker, n int) {
	claimScratch(worker, unsafe.Pointer(m))
	size := m.HW * m.C
	dx, x := m.dx[n*size:][:size], m.x[n*size:][:size]
	sum, share := scratchOf(worker, 0, size), scratchOf(worker, size+scratchGap, size)
	switch {
	case m.b.Active == nil && !m.b.Begun:
		clear(dx)
	case m.b.Active == nil:
	case !m.b.Begun:
		vector.reluGradient(dx, x, m.b.Active[n*size:])
	default:
		vector.reluGradient(share, x, m.b.Active[n*size:])
		vector.add(dx, dx, share)
	}
	for _, s := range m.b.Direct {
		vector.axpy(dx, s.G[n*size:], s.Weight)
	}
	for i := range m.b.Pools {
		m.poolImage(&m.b.Pools[i], m.slopes[2*m.C*i:][:2*m.C], dx, x, sum, n)
	}
}

// slope adds up how the gradient at z depends on z, which all norms read: the factor of z − mean, mean being that of the first
// norm, and a constant.
func (p *Pooled) slope(dst []Float) {
	clear(dst)
	c := len(dst) / 2
	for _, t := range p.Terms {
		m := t.Norm
		for k := range c {
			slope := m.coef[c+k]
			dst[k] += slope
			dst[c+k] += slope * (p.Terms[0].Norm.Affine.Mean[k] - m.Affine.Mean[k])
		}
	}
}

// poolImage adds the pool's share of image n to dx: the gradients of all norms at z are added up in sum, first what depends on
// z, then, scaled, the gradients that they got.
func (m *Confluence) poolImage(p *Pooled, slope, dx, x, sum []Float, n int) {
	if len(p.Terms) == 0 {
		return
	}
	c := m.C
	pixels := p.Terms[0].Norm.HW
	size := pixels * c
	sum = sum[:size]
	vector.affine(sum, p.Z[n*size:][:size], p.Terms[0].Norm.Affine.Mean, slope[:c], slope[c:], unbounded, pixels, c)
	for i := range p.Terms {
		t := &p.Terms[i]
		scale, shift := t.Norm.coef[:c], t.Norm.coef[2*c:][:c]
		vector.accumulate(sum, t.X[n*size:][:size], m.zeros, scale, shift, pixels, c)
	}
	if p.Max != nil {
		p.Max.kernels(x).maxGradient(dx, x, sum, p.Max.runs, c)
	} else {
		vector.averageGradient(dx, sum, p.Avg.runs, c)
	}
}
