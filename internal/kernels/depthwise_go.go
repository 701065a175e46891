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
func dwSumGo(taps int) func(*gemmArgs) {
	return func(a *gemmArgs) {
		live := tailOf(a.Mask)
		offsets := unsafe.Slice(a.Taps, a.NT)
		for r := range a.NR {
			for t := range a.NM {
				from := unsafe.Add(a.A, r*a.ARow+t*a.AStep)
				to := unsafe.Slice((*Float)(unsafe.Add(a.C, r*a.CRow+t*a.CStep)), live)
				var s0, s1, s2, s3 Float
				b := a.B
				for _, tap := range offsets {
					p := unsafe.Add(from, tap)
					for range taps {
						x, w := (*[4]Float)(p), (*[4]Float)(b)
						s0 += x[0] * w[0]
						s1 += x[1] * w[1]
						s2 += x[2] * w[2]
						s3 += x[3] * w[3]
						p, b = unsafe.Add(p, a.Sam), unsafe.Add(b, channelBlock*elem)
					}
				}
				for i, v := range [4]Float{s0, s1, s2, s3} {
					if i < live {
						if a.Acc != 0 {
							v += to[i]
						}
						to[i] = v
					}
				}
			}
		}
	}
}

// dwGradGo is the loop that every implementation of grad computes.
func dwGradGo(taps, rows int) func(*gemmArgs) {
	return func(a *gemmArgs) {
		live := tailOf(a.Mask)
		offsets := unsafe.Slice(a.Taps, a.NT)
		for r := range rows {
			for k := range taps {
				var s [4]Float
				b := a.B
				for _, tap := range offsets {
					p := unsafe.Add(a.A, tap+r*a.Sak+k*a.Sam)
					for range a.K {
						x, g := (*[4]Float)(p), unsafe.Slice((*Float)(b), live)
						for i, v := range g {
							s[i] += x[i] * v
						}
						p, b = unsafe.Add(p, a.Sam), unsafe.Add(b, a.Ldb)
					}
					b = unsafe.Add(b, a.BSkip)
				}
				to := unsafe.Slice((*Float)(unsafe.Add(a.C, r*a.CRow+k*a.Ldc)), live)
				for i := range to {
					if a.Acc != 0 {
						s[i] += to[i]
					}
					to[i] = s[i]
				}
			}
		}
	}
}
