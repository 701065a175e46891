package kernels

// channelBlock is the number of channels that stand together in blocked images.
const channelBlock = 16

// blockedImages copies images (n,H,W,C) into bordered images of channelBlock channels, all images of the first block,
// then all of the second: neighbouring pixels are 64 bytes apart whatever C is. In the tensor, those of wide layers
// stand a power of two bytes apart, and would share a few lines of the cache.
type blockedImages struct {
	images            int // at most
	h, w, ch          int
	top, left, ph, pw int
	whole             bool // blocks are channelBlock wide even where C is less, and x never serves itself
	width             int  // of a block: channelBlock, or C where that is less
	blockLen, blocks  int  // elements of a block; their number
	micro             *microkernels
}

func (b *blockedImages) plan() {
	b.width = channelBlock
	if !b.whole {
		b.width = min(channelBlock, b.ch)
	}
	b.blockLen = b.images * b.ph * b.pw * b.width
	b.blocks = ceilDiv(b.ch, b.width)
}

// need is the scratch memory that load uses.
func (b *blockedImages) need() int { return b.blocks*b.blockLen + b.w*b.ch + 2*scratchGap }

// load puts n images of x, through in if it is not nil, into scratch memory from offset on. Where nothing is to be done,
// x itself serves.
func (b *blockedImages) load(worker, offset int, x []Float, n int, in *Affine) []Float {
	same := b.width == b.ch
	bordered := b.ph != b.h || b.pw != b.w
	if same && !bordered && in == nil && !b.whole {
		return x
	}
	dst := scratchOf(worker, offset, b.blocks*b.blockLen)
	if bordered {
		b.border(dst, n)
	}
	row := scratchOf(worker, offset+b.blocks*b.blockLen+scratchGap, b.w*b.ch)
	for i := range n {
		for r := range b.h {
			src := x[(i*b.h+r)*b.w*b.ch:][:b.w*b.ch]
			at := dst[((i*b.ph+r+b.top)*b.pw+b.left)*b.width:]
			switch {
			case same && in != nil:
				in.rows(at[:len(src)], src, b.w, b.ch)
			case same:
				copy(at, src)
			case in != nil:
				in.rows(row, src, b.w, b.ch)
				b.micro.scatter(at, row, b.w, b.ch, b.width, b.blockLen, b.ch)
			default:
				b.micro.scatter(at, src, b.w, b.ch, b.width, b.blockLen, b.ch)
			}
		}
	}
	return dst
}

// border clears what load does not write of n images.
func (b *blockedImages) border(dst []Float, n int) {
	for k := range b.blocks {
		block := dst[k*b.blockLen:][:n*b.ph*b.pw*b.width]
		at := 0
		for i := range n {
			for r := range b.h {
				start := ((i*b.ph+r+b.top)*b.pw + b.left) * b.width
				clear(block[at:start])
				at = start + b.w*b.width
			}
		}
		clear(block[at:])
	}
}
