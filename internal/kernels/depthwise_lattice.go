package kernels

// lattice is the pixels of an image that a depthwise convolution reads, copied into bordered blocks. Where stride and
// dilation have a common divisor, that is every step-th pixel in each direction, from (at,at) on.
type lattice struct {
	blockedImages
	step, at int
	pitch    int // elements of a row of the tensor
}

// lattice takes the common divisor of stride and dilation out of s: of the pixels that it leaves, the result is the
// convolution. The output's size is that of s.
func (s ConvShape) lattice() (t ConvShape, l lattice) {
	t = s
	l.step = gcd(s.Stride, s.Dilation)
	l.at = mod(-s.Pad, l.step)
	t.Stride, t.Dilation, t.Pad = s.Stride/l.step, s.Dilation/l.step, (s.Pad+l.at)/l.step
	t.H, t.W = ceilDiv(s.H-l.at, l.step), ceilDiv(s.W-l.at, l.step)
	if t.H == 0 || t.W == 0 { // padding alone
		t.H, t.W = 0, 0
	}
	size := func(pixels, out, k int) int { return max(t.Pad+pixels, (out-1)*t.Stride+(k-1)*t.Dilation+1) }
	l.blockedImages = blockedImages{h: t.H, w: t.W, ch: s.IC, top: t.Pad, left: t.Pad,
		ph: size(t.H, s.OH(), s.KH), pw: size(t.W, s.OW(), s.KW)}
	l.pitch = s.W * s.IC
	return t, l
}

func (l *lattice) plan() {
	l.images, l.whole, l.micro = 1, true, micro
	l.blockedImages.plan()
	needScratch(l.need())
}

// need is the scratch memory of an image.
func (l *lattice) need() int { return l.blocks*l.blockLen + l.pitch + 2*scratchGap }

// row is scratch memory for one row of the tensor, behind that of the image.
func (l *lattice) row(worker int) []Float {
	return scratchOf(worker, l.blocks*l.blockLen+scratchGap, l.pitch)
}

// load copies the rows [from,to) of the lattice from the image x to dst, through in if it is not nil.
func (l *lattice) load(dst, row, x []Float, from, to int, in *Affine) {
	if l.step == 1 {
		l.blockedImages.load(dst, row, x, 0, from, to, in)
		return
	}
	pixels := (l.w-1)*l.step + 1
	for r := from; r < to; r++ {
		src := x[(l.at+r*l.step)*l.pitch+l.at*l.ch:][:pixels*l.ch]
		if in != nil {
			in.rows(row[:len(src)], src, pixels, l.ch)
			src = row[:len(src)]
		}
		l.micro.scatter(dst[l.blockedImages.at(0, r):], src, l.w, l.ch, l.width, l.blockLen, l.step*l.ch)
	}
}

// ahead is the address of the row of x that follows the first `rows` of the lattice: what is wanted next.
func (l *lattice) ahead(x []Float, rows int) uintptr {
	return uintptr(address(x)) + uintptr(((l.at+rows*l.step)*l.pitch+l.at*l.ch)*elem)
}
