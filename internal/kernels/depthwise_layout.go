package kernels

import "unsafe"

// dwLayout is where the pixels of a source stand, and how the phases of an operation visit them.
type dwLayout struct {
	row, pixel int       // bytes between neighbours
	origin     int       // bytes from the slice's begin to the first bordered pixel
	block      int       // elements from a block of channels to the next
	standing   bool      // the source has no border: it is the image itself
	zeros      [][]Float // what rows beyond the edges are, if it is standing; taps hold their addresses
	lines      []dwLine  // of all phases, in order
	sparse     bool      // a phase has no taps: its pixels are 0
}

// dwLine is a subset of a phase's columns, j0, j0+step, … (n of them), and one group of neighbouring taps in each kernel
// row. Dilation and stride are taken apart here: with L the least common multiple of the distance of neighbouring pixels
// and of neighbouring taps in the source, the pixels j ≡ j0 and the taps k ≡ k0 that share a residue modulo L form an
// ordinary convolution on every L-th source pixel. Sets of columns of equal size, j0+1, j0+1+step, … and so on, are computed
// in turn, tile by tile, so that memory is met in order. Where a kernel can do with a gap between its taps, nothing is taken
// apart.
type dwLine struct {
	phase       *dwPhase
	j0, step, n int
	sets        int     // of columns
	pitch       int     // bytes between neighbours in the source
	width, gap  int     // taps, and their distance in neighbours: 1, or 2 for a kernel of its own
	first       bool    // no line before this one has written these pixels
	pack        int     // where its weights are packed
	positions   []int   // kernel position of each row's each tap
	taps        []dwTap // of each kernel row; in a source without border, of each output row
	nextTaps    int     // bytes from an output row's taps to the next one's
	tiles       []dwTile
}

// dwTile is one call of a kernel for neighbouring columns, or for several tiles of them, each with its masks.
type dwTile struct {
	kernel                       func(*gemmArgs)
	source, y, sourceStep, yStep int // bytes
	masks                        []dwEdges
}

// copied is the layout of the bordered copy.
func (l *lattice) copied() dwLayout {
	return dwLayout{row: l.pw * channelBlock * elem, pixel: channelBlock * elem, block: l.blockLen}
}

// standing is the layout of the image itself.
func (l *lattice) standing() dwLayout {
	return dwLayout{row: l.step * l.pitch * elem, pixel: l.step * l.ch * elem, block: channelBlock, standing: true,
		origin: ((l.at-l.top*l.step)*l.pitch + (l.at-l.left*l.step)*l.ch) * elem}
}

// standingChannels is up to how many channels images are read where they stand. The pixels of wider ones share a few lines
// of the first-level cache.
const standingChannels = 64

// inPlace is true if the image's channels can be read where they stand.
func (l *lattice) inPlace() bool {
	return l.ch%channelBlock == 0 && l.ch <= standingChannels && l.h > 0
}

// lay works out the lines. It is false if the edges of the image meet the tiles in a way that masks cannot express.
func (c *depthwiseSums) lay(p *dwLayout, kw int) bool {
	c.packSize = 0
	ok := true
	for i := range c.phases {
		f := &c.phases[i]
		rows, cols := f.rows, f.cols
		if len(rows.taps) == 0 || len(cols.taps) == 0 {
			p.sparse = true
			continue
		}
		gap := cols.gap()
		apart := cols.step * gap / gcd(cols.step, gap)
		step, groups, together := min(apart/cols.step, f.nw), apart/gap, 1
		if f.nw%step == 0 {
			together = step
		}
		tapGap := 1
		if t := len(cols.taps); cols.step == 1 && gap == 2 && f.nw%apartPixels == 0 && t < len(c.kernels.apart) && c.kernels.apart[t] != nil {
			step, together, apart, tapGap = 1, 1, 1, 2
		}
		for j0 := 0; j0 < step; j0 += together {
			first := true
			for k0 := range min(groups, len(cols.taps)) {
				var group []tapAt
				for k := k0; k < len(cols.taps); k += groups {
					group = append(group, cols.taps[k])
				}
				for len(group) > 0 {
					n := c.kernels.supported(len(group))
					l := dwLine{phase: f, j0: j0, step: step, n: ceilDiv(f.nw-j0, step), sets: together, pitch: apart * p.pixel,
						width: n, gap: tapGap, first: first, pack: c.packSize}
					for _, r := range rows.taps {
						for _, t := range group[:n] {
							l.positions = append(l.positions, r.k*kw+t.k)
						}
					}
					c.packSize += len(l.positions) * channelBlock
					c.rowTaps(p, &l)
					ok = c.cut(p, &l, group[0].o, apart) && ok
					p.lines = append(p.lines, l)
					group, first = group[n:], false
				}
			}
		}
	}
	return ok
}

// zeroRow is the address of n zeros, which live as long as the layout.
func (p *dwLayout) zeroRow(n int) int {
	if last := len(p.zeros) - 1; last < 0 || len(p.zeros[last]) < n {
		p.zeros = append(p.zeros, Alloc(n))
	}
	return int(uintptr(address(p.zeros[len(p.zeros)-1])))
}

// rowTaps says where each kernel row begins, for every output row of the phase if some rows are beyond the edges.
func (c *depthwiseSums) rowTaps(p *dwLayout, l *dwLine) {
	taps := l.phase.rows.taps
	if !p.standing {
		for _, t := range taps {
			l.taps = append(l.taps, dwTap{t.o * p.row, -1})
		}
		return
	}
	zeros := p.zeroRow((len(c.kernels.sum[l.width]) + l.width*l.gap) * l.pitch / elem)
	for r := range l.phase.nh {
		for _, t := range taps {
			if at := r*c.rowStep + t.o - c.source.top; at >= 0 && at < c.source.h {
				l.taps = append(l.taps, dwTap{t.o * p.row, -1})
			} else {
				l.taps = append(l.taps, dwTap{zeros, 0})
			}
		}
	}
	l.nextTaps = len(taps) * int(unsafe.Sizeof(dwTap{}))
}

// cut cuts a line, whose first tap is at column o and whose neighbours stand `apart` columns from each other, into tiles.
func (c *depthwiseSums) cut(p *dwLayout, l *dwLine, o, apart int) bool {
	ok := true
	table, ch := c.kernels.sum[l.width], c.source.ch
	step := l.phase.cols.step
	from := l.j0*step + o
	left, right := 0, 0
	if p.standing {
		reads := l.n + (l.width-1)*l.gap
		left, right = c.source.beyond(from, apart, reads)
		for k := 1; k < l.sets; k++ {
			a, b := c.source.beyond(from+k*step, apart, reads)
			ok = ok && a == left && b == right
		}
	}
	for at := 0; at < l.n; {
		size := apartPixels
		kernel := c.kernels.apart[l.width]
		if l.gap == 1 {
			size = tile(l.n-at, table)
			kernel = table[size]
		}
		t := dwTile{kernel: kernel, source: p.origin + from*p.pixel + at*l.pitch, y: (l.phase.rw + (l.j0+at*l.step)*c.stride) * ch * elem}
		count := l.sets
		if count > 1 {
			t.sourceStep, t.yStep = step*p.pixel, c.stride*ch*elem
		} else {
			count = (l.n - at) / size
			t.sourceStep, t.yStep = size*l.pitch, size*l.step*c.stride*ch*elem
		}
		for k := range count {
			begin := at
			if l.sets == 1 {
				begin += (count - 1 - k) * size
			}
			before, after := max(0, left-begin), max(0, right-(l.n-begin-size))
			e, fits := edgesOf(l.width, l.gap, before, after)
			ok = ok && fits
			t.masks = append(t.masks, e)
		}
		l.tiles = append(l.tiles, t)
		if l.sets == 1 {
			size *= count
		}
		at += size
	}
	return ok
}

// beyond counts the pixels beyond the left and right edges, of n that begin with bordered column `from`, step apart.
func (l *lattice) beyond(from, step, n int) (left, right int) {
	for i := range n {
		switch at := from + i*step - l.left; {
		case at < 0:
			left++
		case at >= l.w:
			right++
		}
	}
	return left, right
}
