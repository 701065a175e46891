package kernels

import (
	"math/bits"
	"unsafe"
)

// microGo is the plain-Go implementation: vectors of four elements, tiles of up to four rows.
var microGo = microkernels{
	lanes:     4,
	gemm:      [5][]func(*gemmArgs){1: {1: gemmGo(1), 2: gemmGo(2), 4: gemmGo(4)}},
	depthwise: &depthwiseGo,
	sum:       sumGo,
	scatter:   scatterGo,
	peak:      peakGo,
	peakFlops: 12 * 2,
}

// load and four read what stands off bytes from p. A pointer that a loop advances would in the end point past its slice,
// which the garbage collector does not allow: offsets are advanced instead.
func load(p unsafe.Pointer, off int) Float     { return *(*Float)(unsafe.Add(p, off)) }
func four(p unsafe.Pointer, off int) *[4]Float { return (*[4]Float)(unsafe.Add(p, off)) }

// gemmGo is the loop that every implementation of gemm computes, for tiles of mr rows and one vector.
func gemmGo(mr int) func(*gemmArgs) {
	return func(a *gemmArgs) {
		live := tailOf(a.Mask)
		taps := unsafe.Slice(a.Taps, a.NT)
		for r := range a.NR {
			for t := range a.NM {
				from, to := a.AOff+r*a.ARow+t*a.AStep, a.COff+r*a.CRow+t*a.CStep
				i := 0
				for ; i+2 <= mr && live == 4; i += 2 {
					twoRowsGo(a, taps, from+i*a.Sam, to+i*a.Ldc)
				}
				for ; i < mr; i++ {
					oneRowGo(a, taps, from+i*a.Sam, to+i*a.Ldc, live)
				}
			}
		}
	}
}

func twoRowsGo(a *gemmArgs, taps []int, from, to int) {
	var s00, s01, s02, s03, s10, s11, s12, s13 Float
	b := a.BOff
	for _, tap := range taps {
		p := from + tap
		for range a.K {
			w := four(a.B, b)
			u, v := load(a.A, p), load(a.A, p+a.Sam)
			s00 += u * w[0]
			s01 += u * w[1]
			s02 += u * w[2]
			s03 += u * w[3]
			s10 += v * w[0]
			s11 += v * w[1]
			s12 += v * w[2]
			s13 += v * w[3]
			p, b = p+a.Sak, b+a.Ldb
		}
		b += a.BSkip
	}
	c0, c1 := four(a.C, to), four(a.C, to+a.Ldc)
	if a.Acc != 0 {
		s00, s01, s02, s03 = s00+c0[0], s01+c0[1], s02+c0[2], s03+c0[3]
		s10, s11, s12, s13 = s10+c1[0], s11+c1[1], s12+c1[2], s13+c1[3]
	}
	c0[0], c0[1], c0[2], c0[3] = s00, s01, s02, s03
	c1[0], c1[1], c1[2], c1[3] = s10, s11, s12, s13
}

func oneRowGo(a *gemmArgs, taps []int, from, to, live int) {
	for j := range live {
		var s Float
		b := a.BOff + j*elem
		for _, tap := range taps {
			p := from + tap
			for range a.K {
				s += load(a.A, p) * load(a.B, b)
				p, b = p+a.Sak, b+a.Ldb
			}
			b += a.BSkip
		}
		c := (*Float)(unsafe.Add(a.C, to+j*elem))
		if a.Acc != 0 {
			s += *c
		}
		*c = s
	}
}

// tailOf is the number of live elements that a mask of low bits stands for.
func tailOf(mask int) int { return bits.Len(uint(mask)) }

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
