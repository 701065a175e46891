package kernels

// channelBlock is the number of channels that stand together in blocked images.
const channelBlock = 16

// blockedImages copies images (n,H,W,C) into bordered images of channelBlock channels, all images of the first block,
// then all of the second: neighbouring pixels are 64 bytes apart whatever C is. In the tensor, those of wide layers
// stand a power of two bytes apart, and would share a few lines of the cache.
type blockedImages struct {
	images            int // at most
	pitch             int // channels of a pixel of x, if only ch of them are loaded; 0 means ch
	h, w, ch          int
	top, left, ph, pw int
	plain             bool // one block of all channels
	whole             bool // blocks are channelBlock wide even where C is less, and x never serves itself
	width             int  // of a block: channelBlock, or C where that is less
	blockLen, blocks  int  // elements of a block; their number
	micro             *microkernels
}

func (b *blockedImages) plan() {
	b.pitch = max(b.pitch, b.ch)
	b.width = channelBlock
	switch {
	case b.plain:
		b.width = b.ch
	case !b.whole:
		b.width = min(channelBlock, b.ch)
	}
	b.blockLen = b.images * b.ph * b.pw * b.width
	b.blocks = ceilDiv(b.ch, b.width)
}

// need is the scratch memory that load uses.
func (b *blockedImages) need() int { return b.blocks*b.blockLen + b.w*b.ch + 2*scratchGap }

// inPlace says that load with a nil in returns x itself, since nothing is to be done.
func (b *blockedImages) inPlace() bool {
	return !b.whole && b.width == b.pitch && b.ph == b.h && b.pw == b.w
}

// reserve is the scratch memory of the images, from offset on. If it is not clean, its borders are cleared.
func (b *blockedImages) reserve(worker, offset int, clean bool) []Float {
	dst := scratchOf(worker, offset, b.blocks*b.blockLen)
	if !clean {
		for k := range b.blocks {
			clearBorders(dst[k*b.blockLen:], b.images, b.h, b.w, b.top, b.left, b.ph, b.pw, b.width)
		}
	}
	return dst
}

// row is scratch memory for one row of an image, behind that of the images.
func (b *blockedImages) row(worker, offset int) []Float {
	return scratchOf(worker, offset+b.blocks*b.blockLen+scratchGap, b.w*b.ch)
}

// load copies the rows [from,to) of image i from x, that image (from its first loaded channel on), to dst, through in if it
// is not nil; then all channels are loaded.
func (b *blockedImages) load(dst, row, x []Float, i, from, to int, in *Affine) {
	if in == nil && b.width != b.pitch {
		for r := from; r < to; r++ {
			b.micro.scatter(dst[b.at(i, r):], x[r*b.w*b.pitch:], b.w, b.ch, b.width, b.blockLen, b.pitch)
		}
		return
	}
	for r := from; r < to; r++ {
		src, at := x[r*b.w*b.ch:][:b.w*b.ch], dst[b.at(i, r):]
		switch {
		case b.width == b.ch && in != nil:
			in.rows(at[:len(src)], src, b.w, b.ch)
		case b.width == b.ch:
			copy(at, src)
		default:
			in.rows(row, src, b.w, b.ch)
			b.micro.scatter(at, row, b.w, b.ch, b.width, b.blockLen, b.ch)
		}
	}
}

// at is where row r of image i begins in the first block.
func (b *blockedImages) at(i, r int) int { return ((i*b.ph+r+b.top)*b.pw + b.left) * b.width }
