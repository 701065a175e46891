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

// scatterRows2 is scatter for panels of 8, 16 or 24 elements.
func scatterRows2(dst, src []Float, pixels, channels, width, panelStep, srcStep int) {
	panels := ceilDiv(channels, width)
	last := channels - (panels-1)*width
	_, _ = dst[(panels-1)*panelStep+pixels*width-1], src[(pixels-1)*srcStep+channels-1]
	kernel := scatter2x1
	switch width {
	case 8:
	case 16:
		kernel = scatter2x2
	case 24:
		kernel = scatter2x3
	default:
		scatterGo(dst, src, pixels, channels, width, panelStep, srcStep)
		return
	}
	kernel(&dst[0], &src[0], pixels, panels, panelStep*elem, (srcStep-(panels-1)*width)*elem, &scatterMasks[24-last])
}

// scatterMasks[24-n:] begins with n times -1.
var scatterMasks = [48]int32{
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
}
