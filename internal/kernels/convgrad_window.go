package kernels

// A block of a wide convolution has so many channels of x and g that its sums, and the images that a call of add covers,
// stay in the second-level cache.
const (
	windowInputs  = 64
	windowOutputs = 256
)

// wideWeights is the most weights of a kernel position whose sums stay in the second-level cache although no channels of x
// are left out.
const wideWeights = 128 * 128

// inPlaceOutputs is up to how many channels g is read where it stands. Neighbouring pixels of wider tensors stand a
// power of two bytes apart and would share a few lines of the first-level cache.
const inPlaceOutputs = 64

// joinedChannels is the number of input channels from which on they fill tiles without their neighbours' help.
const joinedChannels = 8

// planWindows cuts the channels into blocks and panels.
//
// x is first copied into bordered images of channelBlock channels, one after the other, and g into panels of as many
// channels as a microkernel takes: see inPlaceOutputs.
func (q *weightGradient) planWindows() {
	s := q.s
	q.panels = q.micro.columns(s.OC, false)
	q.perBlock = len(q.panels)
	if s.OC > windowOutputs {
		q.perBlock = ceilDiv(len(q.panels), ceilDiv(s.OC, windowOutputs))
	}
	if s.IC*s.OC > wideWeights && s.IC%windowInputs == 0 {
		q.inBlock = windowInputs
	}
	q.slide = s.KW == 3 && s.Dilation == 1 && s.Stride <= 2 && q.micro.grad[1] != nil
	q.joined = s.Dilation == 1 && s.IC < joinedChannels && !q.slide
}

// correlate adds the share of n images, whose channels from `channel` on are in src.
func (q *weightGradient) correlate(a *gemmArgs, panels []panel, src, g, gp, dst []Float, n, gsize, pitch, channel int) {
	s := q.s
	pixels := s.OH() * s.OW()
	a.NR, a.ARow, a.BSkip = 1, 0, 0
	a.Ldc = s.OC * elem
	inPlace := pitch == s.OW() && gsize == pixels*s.OC && s.OC <= inPlaceOutputs && s.OC%q.micro.lanes == 0
	if !inPlace {
		q.panelGradient(gp, g, panels, n, gsize, pitch)
	}
	// A row is a row of the output, or a pixel of flat images.
	rows, width := n*s.OH(), s.OW()
	if q.flat {
		rows, width = n*pixels, 1
	}
	step := rows
	if q.micro.windowPixels > 0 {
		step = max(1, q.micro.windowPixels/width)
	}
	for r := 0; r < rows; r += step {
		a.Taps, a.NT, a.K = &q.rows[0], 1, min(step, rows-r)
		from := r * q.input.width * elem
		if !q.flat {
			a.Taps, a.NT, a.K, from = &q.rows[r], a.K, width, 0
		}
		for j := range panels {
			c := &panels[j]
			a.tail(c.cols-(c.nv-1)*q.micro.lanes, q.micro)
			if inPlace {
				a.B, a.BOff, a.Ldb = address(g), (r*width*s.OC+c.off)*elem, s.OC*elem
			} else {
				a.Ldb = c.nv * q.micro.lanes * elem
				a.B, a.BOff = address(gp[j*q.panelLen:]), r*width*a.Ldb
			}
			q.positions(a, c, src, dst, channel, from)
		}
		a.Acc = 1
	}
}

// panelGradient arranges the panels' channels of n images of g, which have pitch pixels a row.
func (q *weightGradient) panelGradient(dst, g []Float, panels []panel, n, gsize, pitch int) {
	s := q.s
	rows := 1 // that follow each other
	if pitch == s.OW() {
		rows = s.OH()
	}
	for i := range n {
		for r := 0; r < s.OH(); r += rows {
			q.arrange(dst, g[i*gsize+r*pitch*s.OC:], panels, (i*s.OH()+r)*s.OW(), rows*s.OW(), s.OC)
		}
	}
}

// positions visits all kernel positions; what they read of src begins from bytes later than the taps say.
func (q *weightGradient) positions(a *gemmArgs, c *panel, src, dst []Float, channel, from int) {
	table := q.micro.gemm[c.nv]
	kernels := q.s.KW
	if q.slide || q.joined {
		kernels = 1
	}
	if q.slide {
		table = q.micro.grad[c.nv]
		if q.s.Stride == 2 {
			table = q.micro.grad2[c.nv]
		}
	}
	for b := 0; b < q.inBlock; b += q.input.width {
		for kh := range q.s.KH {
			for kw := range kernels {
				q.tap(a, c, table, src, dst, channel, b, kh, kw, from)
			}
		}
	}
}

// tap computes the rows of dw of kernel position (kh,kw), or of the kernel row kh if the table slides or columns are joined,
// from the input channels in src that begin with b, which is channel+b of x.
func (q *weightGradient) tap(a *gemmArgs, c *panel, table []func(*gemmArgs), src, dst []Float, channel, b, kh, kw, from int) {
	s := q.s
	width := min(q.input.width, q.inBlock-b)
	if q.joined {
		width *= s.KW
	}
	a.A, a.AOff = address(src), (b/q.input.width*q.input.blockLen+(kh*q.input.pw+kw)*s.Dilation*q.input.width)*elem+from
	a.C, a.COff = address(dst[((kh*s.KW+kw)*s.IC+channel+b)*s.OC+c.off:]), 0
	if q.slide {
		a.Sam, a.Sak, a.CRow = q.input.width*elem, 0, s.IC*a.Ldc
	} else {
		a.Sam, a.Sak, a.CRow = elem, s.Stride*q.input.width*elem, 0
		a.Ahead, a.AheadStep = 512, a.Sak
	}
	a.neighbours(width, table)
}

// neighbours computes n rows of C from neighbouring elements of A.
func (a *gemmArgs) neighbours(n int, table []func(*gemmArgs)) {
	for n > 0 {
		m, count := tiles(n, table)
		a.NM, a.AStep, a.CStep = count, m*elem, m*a.Ldc
		table[m](a)
		a.AOff, a.COff = a.AOff+count*a.AStep, a.COff+count*a.CStep
		n -= m * count
	}
}
