package kernels

import "unsafe"

// microGo is the plain-Go implementation: vectors of four elements, tiles of up to four rows.
var microGo = microkernels{
	lanes:     4,
	gemm:      [3][]func(*gemmArgs){1: {1: gemmGo(1), 2: gemmGo(2), 3: gemmGo(3), 4: gemmGo(4)}},
	depthwise: &depthwiseGo,
	sum:       sumGo,
	scatter:   scatterGo,
}

// gemmGo is the loop that every implementation of gemm computes, for tiles of mr rows and one vector.
func gemmGo(mr int) func(*gemmArgs) {
	return func(a *gemmArgs) {
		live := tailOf(a.Mask)
		taps := unsafe.Slice(a.Taps, a.NT)
		for r := range a.NR {
			for t := range a.NM {
				from := unsafe.Add(a.A, r*a.ARow+t*a.AStep)
				to := unsafe.Add(a.C, r*a.CRow+t*a.CStep)
				i := 0
				for ; i+2 <= mr; i += 2 {
					twoRowsGo(a, taps, unsafe.Add(from, i*a.Sam), unsafe.Add(to, i*a.Ldc), live)
				}
				if i < mr {
					oneRowGo(a, taps, unsafe.Add(from, i*a.Sam), unsafe.Add(to, i*a.Ldc), live)
				}
			}
		}
	}
}

func twoRowsGo(a *gemmArgs, taps []int, from, to unsafe.Pointer, live int) {
	if live < 4 {
		oneRowGo(a, taps, from, to, live)
		oneRowGo(a, taps, unsafe.Add(from, a.Sam), unsafe.Add(to, a.Ldc), live)
		return
	}
	c0, c1 := (*[4]Float)(to), (*[4]Float)(unsafe.Add(to, a.Ldc))
	var s00, s01, s02, s03, s10, s11, s12, s13 Float
	if a.Acc != 0 {
		s00, s01, s02, s03 = c0[0], c0[1], c0[2], c0[3]
		s10, s11, s12, s13 = c1[0], c1[1], c1[2], c1[3]
	}
	b := a.B
	for _, tap := range taps {
		p := unsafe.Add(from, tap)
		q := unsafe.Add(p, a.Sam)
		for range a.K {
			w := (*[4]Float)(b)
			u, v := *(*Float)(p), *(*Float)(q)
			s00 += u * w[0]
			s01 += u * w[1]
			s02 += u * w[2]
			s03 += u * w[3]
			s10 += v * w[0]
			s11 += v * w[1]
			s12 += v * w[2]
			s13 += v * w[3]
			p, q, b = unsafe.Add(p, a.Sak), unsafe.Add(q, a.Sak), unsafe.Add(b, a.Ldb)
		}
		b = unsafe.Add(b, a.BSkip)
	}
	c0[0], c0[1], c0[2], c0[3] = s00, s01, s02, s03
	c1[0], c1[1], c1[2], c1[3] = s10, s11, s12, s13
}

func oneRowGo(a *gemmArgs, taps []int, from, to unsafe.Pointer, live int) {
	for j := range live {
		c := (*Float)(unsafe.Add(to, j*elem))
		var s Float
		if a.Acc != 0 {
			s = *c
		}
		b := unsafe.Add(a.B, j*elem)
		for _, tap := range taps {
			p := unsafe.Add(from, tap)
			for range a.K {
				s += *(*Float)(p) * *(*Float)(b)
				p, b = unsafe.Add(p, a.Sak), unsafe.Add(b, a.Ldb)
			}
			b = unsafe.Add(b, a.BSkip)
		}
		*c = s
	}
}

func tailOf(mask int) int {
	n := 0
	for ; mask != 0; mask >>= 1 {
		n++
	}
	return n
}

// sumGo adds count rows, stride apart in src, in order.
func sumGo(dst, src []Float, count, stride int) {
	copy(dst, src)
	for k := 1; k < count; k++ {
		for i, v := range src[k*stride:][:len(dst)] {
			dst[i] += v
		}
	}
}

// scatterGo is the loop that every implementation of scatter computes.
func scatterGo(dst, src []Float, pixels, channels, width, panelStep, srcStep int) {
	for p := range pixels {
		at := p * width
		for c := 0; c < channels; c += width {
			copy(dst[at:][:min(width, channels-c)], src[p*srcStep+c:])
			at += panelStep
		}
	}
}
