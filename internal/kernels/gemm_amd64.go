//go:build amd64 && !noasm && !f64

package kernels

// sum512 adds whole vectors in assembly and the rest in Go.
func sum512(dst, src []Float, count, stride int) {
	n := len(dst) &^ 15
	if n > 0 {
		sumRows512(&dst[0], &src[0], n/16, count, stride*elem)
	}
	if n < len(dst) {
		sumGo(dst[n:], src[n:], count, stride)
	}
}

// scatterRows512 is scatter for panels of 16 or 32 elements.
func scatterRows512(dst, src []Float, pixels, channels, width, panelStep, srcStep int) {
	panels := ceilDiv(channels, width)
	last := channels - (panels-1)*width
	_, _ = dst[(panels-1)*panelStep+pixels*width-1], src[(pixels-1)*srcStep+channels-1]
	tail := (srcStep - (panels-1)*width) * elem
	switch {
	case width == 16:
		scatter512x1(&dst[0], &src[0], pixels, panels, panelStep*elem, tail, 1<<last-1)
	case width == 32 && last > 16:
		scatter512x2(&dst[0], &src[0], pixels, panels, panelStep*elem, tail, 1<<(last-16)-1)
	default:
		scatterGo(dst, src, pixels, channels, width, panelStep, srcStep)
	}
}

// sum2 is sum512 with AVX2.
func sum2(dst, src []Float, count, stride int) {
	n := len(dst) &^ 7
	if n > 0 {
		sumRows2(&dst[0], &src[0], n/8, count, stride*elem)
	}
	if n < len(dst) {
		sumGo(dst[n:], src[n:], count, stride)
	}
}
