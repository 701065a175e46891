package kernels

// MaxPool is a planned max pooling. Padding never wins; NaN does. The first maximum of a window in row order gets the
// gradient.
type MaxPool struct {
	PoolShape

	runs                      []poolRun
	x, y, g, dx               []Float
	stats                     *Norm
	forwardUnit, backwardUnit func(worker, unit int)
}

// NewMaxPool plans max pooling. An impossible shape panics with what Validate says.
func NewMaxPool(s PoolShape) *MaxPool {
	p := &MaxPool{PoolShape: s, runs: s.runs()}
	p.forwardUnit, p.backwardUnit = p.forwardImage, p.backwardImage
	return p
}

// Forward writes y (N,OH,OW,C). Unless stats is nil, stats.Gather(y) is done as y is written.
func (p *MaxPool) Forward(y, x []Float, stats *Norm) {
	check("max pooling: x", len(x), p.XLen())
	check("max pooling: y", len(y), p.YLen())
	p.y, p.x, p.stats = y, x, stats
	Parallel(p.N, p.forwardUnit)
	if stats != nil {
		stats.merge()
	}
	p.y, p.x, p.stats = nil, nil, nil
}

func (p *MaxPool) forwardImage(_, n int) {
	x := p.input(p.x, n)
	y := p.output(p.y, n)
	p.kernels(x).maxPool(y, x, p.runs, p.C)
	if p.stats != nil {
		p.stats.gatherImage(n, y)
	}
}

// kernels chooses those that can compute the image x.
func (p *MaxPool) kernels(x []Float) *vectorKernels {
	if vector.finiteAlone && !vector.finite(x) {
		return &vectorGo
	}
	return vector
}

// Backward writes dx (N,H,W,C) from x and the gradient g (N,OH,OW,C).
func (p *MaxPool) Backward(dx, x, g []Float) {
	check("max pooling: x", len(x), p.XLen())
	check("max pooling: dx", len(dx), p.XLen())
	check("max pooling: g", len(g), p.YLen())
	p.dx, p.x, p.g = dx, x, g
	Parallel(p.N, p.backwardUnit)
	p.dx, p.x, p.g = nil, nil, nil
}

func (p *MaxPool) backwardImage(_, n int) {
	x, dx := p.input(p.x, n), p.input(p.dx, n)
	clear(dx)
	p.kernels(x).maxGradient(dx, x, p.output(p.g, n), p.runs, p.C)
}

// AvgPool is a planned average pooling that does not count padding.
type AvgPool struct {
	PoolShape

	runs                      []poolRun
	x, y                      []Float // backward: dx and g
	stats                     *Norm
	forwardUnit, backwardUnit func(worker, unit int)
}

// NewAvgPool plans average pooling. An impossible shape panics with what Validate says.
func NewAvgPool(s PoolShape) *AvgPool {
	p := &AvgPool{PoolShape: s, runs: s.runs()}
	p.forwardUnit, p.backwardUnit = p.forwardImage, p.backwardImage
	return p
}

// Forward writes y (N,OH,OW,C). Unless stats is nil, stats.Gather(y) is done as y is written.
func (p *AvgPool) Forward(y, x []Float, stats *Norm) {
	check("average pooling: x", len(x), p.XLen())
	check("average pooling: y", len(y), p.YLen())
	p.y, p.x, p.stats = y, x, stats
	Parallel(p.N, p.forwardUnit)
	if stats != nil {
		stats.merge()
	}
	p.y, p.x, p.stats = nil, nil, nil
}

func (p *AvgPool) forwardImage(_, n int) {
	y := p.output(p.y, n)
	vector.averagePool(y, p.input(p.x, n), p.runs, p.C)
	if p.stats != nil {
		p.stats.gatherImage(n, y)
	}
}

// Backward writes dx (N,H,W,C) from the gradient g (N,OH,OW,C).
func (p *AvgPool) Backward(dx, g []Float) {
	check("average pooling: dx", len(dx), p.XLen())
	check("average pooling: g", len(g), p.YLen())
	p.x, p.y = dx, g
	Parallel(p.N, p.backwardUnit)
	p.x, p.y = nil, nil
}

func (p *AvgPool) backwardImage(_, n int) {
	dx := p.input(p.x, n)
	clear(dx)
	vector.averageGradient(dx, p.output(p.y, n), p.runs, p.C)
}

func (s PoolShape) input(x []Float, n int) []Float {
	size := s.H * s.W * s.C
	return x[n*size:][:size]
}

func (s PoolShape) output(y []Float, n int) []Float {
	size := s.OH() * s.OW() * s.C
	return y[n*size:][:size]
}

// runs cuts the output of an image into runs of windows that lose the same taps to the padding.
func (s PoolShape) runs() (runs []poolRun) {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	type window struct{ top, bottom, left, right int }
	known := map[window][]int{} // taps
	for oh := range s.OH() {
		top, bottom := s.clip(oh, s.H)
		for ow := range s.OW() {
			left, right := s.clip(ow, s.W)
			w := window{top, bottom, left, right}
			taps := known[w]
			if taps == nil {
				for h := top; h < bottom; h++ {
					for v := left; v < right; v++ {
						taps = append(taps, ((h-top)*s.W+v-left)*s.C)
					}
				}
				known[w] = taps
			}
			if last := len(runs) - 1; ow > 0 && &runs[last].taps[0] == &taps[0] {
				runs[last].pixels++
				continue
			}
			row := 0
			if bottom-top == 3 && right-left == 3 {
				row = s.W * s.C
			}
			runs = append(runs, poolRun{
				y:      (oh*s.OW() + ow) * s.C,
				x:      ((oh*s.Stride-s.Pad+top)*s.W + ow*s.Stride - s.Pad + left) * s.C,
				pixels: 1,
				step:   s.Stride * s.C,
				row:    row,
				taps:   taps,
				weight: 1 / Float(len(taps)),
			})
		}
	}
	return runs
}

// clip is the range of the K rows (or columns) of window o that lie in an image of n.
func (s PoolShape) clip(o, n int) (from, to int) {
	first := o*s.Stride - s.Pad
	return max(0, -first), min(s.K, n-first)
}
