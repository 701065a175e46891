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

func pieces512(dst, src []Float, n, width, dstStep, srcStep int) {
	_, _ = dst[(n-1)*dstStep+width-1], src[(n-1)*srcStep+width-1]
	copyPieces512(&dst[0], &src[0], n, dstStep*elem, srcStep*elem, 1<<width-1)
}
