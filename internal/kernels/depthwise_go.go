package kernels

import "unsafe"

// depthwiseGo is the plain-Go implementation, four channels at a time.
var depthwiseGo = func() (k depthwiseKernels) {
	for taps := 1; taps < len(k.sum); taps++ {
		k.sum[taps] = []func(*gemmArgs){1: dwSumGo(taps)}
		for rows := 1; rows < len(k.grad[taps]); rows++ {
			k.grad[taps][rows] = dwGradGo(taps, rows)
		}
	}
	return k
}()

// dwSumGo is the loop that every implementation of sum computes, for one pixel a tile.
func dwSumGo(width int) func(*gemmArgs) {
	return func(a *gemmArgs) {
		live := tailOf(a.Mask)
		for r := range a.NR {
			taps := unsafe.Slice((*dwTap)(unsafe.Add(unsafe.Pointer(a.Taps), a.Ahead+r*a.K)), a.NT)
			for t := range a.NM {
				var s0, s1, s2, s3 Float
				b := a.BOff
				for _, tap := range taps {
					p := a.AOff + r*a.ARow + t*a.AStep + tap.offset
					for range width {
						x, w := four(a.A, p), four(a.B, b)
						s0 += x[0] * w[0]
						s1 += x[1] * w[1]
						s2 += x[2] * w[2]
						s3 += x[3] * w[3]
						p, b = p+a.Sam, b+channelBlock*elem
					}
				}
				storeGo(a, a.COff+r*a.CRow+t*a.CStep, [4]Float{s0, s1, s2, s3}, live)
			}
		}
	}
}

// storeGo stores the live sums, or adds them to C.
func storeGo(a *gemmArgs, to int, s [4]Float, live int) {
	for i := range live {
		c := (*Float)(unsafe.Add(a.C, to+i*elem))
		if a.Acc != 0 {
			s[i] += *c
		}
		*c = s[i]
	}
}

// dwGradGo is the loop that every implementation of grad computes.
func dwGradGo(taps, rows int) func(*gemmArgs) {
	return func(a *gemmArgs) {
		live := tailOf(a.Mask)
		// A tap is a dwTap for each row, and b.
		words := 2*rows + 1
		table := unsafe.Slice(a.Taps, a.NT*words)
		for r := range rows {
			for k := range taps {
				var s [4]Float
				for t := range a.NT {
					p, b := a.AOff+table[t*words+2*r]+k*a.Sam, a.BOff+table[t*words+2*rows]
					for range a.K {
						for i := range live {
							s[i] += load(a.A, p+i*elem) * load(a.B, b+i*elem)
						}
						p, b = p+a.Sam, b+a.Ldb
					}
				}
				storeGo(a, a.COff+r*a.CRow+k*a.Ldc, s, live)
			}
		}
	}
}
