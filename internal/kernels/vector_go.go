package kernels

import "math"

// vectorGo is the plain-Go implementation.
var vectorGo = vectorKernels{
	affine:          affineGo,
	addAffine:       addAffineGo,
	addAffines:      addAffinesGo,
	accumulate:      accumulateGo,
	sum:             sumPixelsGo,
	moments:         momentsGo,
	gradientSums:    gradientSumsGo,
	gradient:        gradientGo,
	addReLU:         addReLUGo,
	relu:            reluGo,
	reluGradient:    reluGradientGo,
	add:             addGo,
	mul:             mulGo,
	axpy:            axpyGo,
	scale:           scaleGo,
	lerp:            lerpGo,
	dot:             dotGo,
	finite:          finiteGo,
	descend:         descendGo,
	sgd:             sgdGo,
	nesterov:        nesterovGo,
	adam:            adamGo,
	maxPool:         maxPoolGo,
	averagePool:     averagePoolGo,
	maxGradient:     maxGradientGo,
	averageGradient: averageGradientGo,
}

// affineOf is (v−mean)·scale+shift. The product is rounded on its own, so that every use gives the same bits.
func affineOf(v, mean, scale, shift Float) Float { return Float((v-mean)*scale) + shift }

// floor is low, or -Inf if low is NaN: max(v, floor) is v then.
func floor(low Float) Float {
	if low != low {
		return Float(math.Inf(-1))
	}
	return low
}

// gated is g where y > low or y is NaN, else 0. It works on bits, which compile to a conditional move: the branch of a ReLU
// cannot be predicted.
func gated(g, y, low Float) Float {
	if elem == 4 {
		b := math.Float32bits(float32(g))
		if y <= low {
			b = 0
		}
		return Float(math.Float32frombits(b))
	}
	b := math.Float64bits(float64(g))
	if y <= low {
		b = 0
	}
	return Float(math.Float64frombits(b))
}

func affineGo(dst, src, mean, scale, shift []Float, low Float, pixels, c int) {
	low = floor(low)
	for p := range pixels {
		d, s := dst[p*c:][:c], src[p*c:][:c]
		for k, v := range s {
			d[k] = max(affineOf(v, mean[k], scale[k], shift[k]), low)
		}
	}
}

func addAffineGo(dst, a, mean, scale, shift []Float, low Float, b []Float, pixels, c int) {
	low = floor(low)
	for p := range pixels {
		d, s, t := dst[p*c:][:c], a[p*c:][:c], b[p*c:][:c]
		for k, v := range s {
			d[k] = max(max(affineOf(v, mean[k], scale[k], shift[k]), low)+t[k], 0)
		}
	}
}

func addAffinesGo(dst, a, mean, scale, shift []Float, low Float, b, mean2, scale2, shift2 []Float, low2 Float, pixels, c int) {
	low, low2 = floor(low), floor(low2)
	for p := range pixels {
		d, s, t := dst[p*c:][:c], a[p*c:][:c], b[p*c:][:c]
		for k, v := range s {
			u := max(affineOf(v, mean[k], scale[k], shift[k]), low)
			d[k] = max(u+max(affineOf(t[k], mean2[k], scale2[k], shift2[k]), low2), 0)
		}
	}
}

func accumulateGo(dst, src, mean, scale, shift []Float, pixels, c int) {
	for p := range pixels {
		d, s := dst[p*c:][:c], src[p*c:][:c]
		for k, v := range s {
			d[k] += affineOf(v, mean[k], scale[k], shift[k])
		}
	}
}

func sumPixelsGo(dst []float64, x []Float, pixels, c, step int) {
	for p := range pixels {
		for k, v := range x[p*step:][:c] {
			dst[k] += float64(v)
		}
	}
}

func momentsGo(dst []float64, x, shift []Float, pixels, c int) {
	sums, squares := dst[:c], dst[c:2*c]
	for p := range pixels {
		for k, v := range x[p*c:][:c] {
			d := float64(v - shift[k])
			sums[k] += d
			squares[k] += d * d
		}
	}
}

func gradientSumsGo(dst []float64, x, g, mean, scale, shift []Float, low Float, pixels, c int) {
	sums, products := dst[:c], dst[c:2*c]
	for p := range pixels {
		gp := g[p*c:][:c]
		for k, v := range x[p*c:][:c] {
			q := gated(gp[k], affineOf(v, mean[k], scale[k], shift[k]), low)
			sums[k] += float64(q)
			products[k] += float64(q) * float64(v-mean[k])
		}
	}
}

func gradientGo(dst, x, g, mean, scale, shift []Float, low Float, coef []Float, pixels, c int) {
	for p := range pixels {
		d, gp := dst[p*c:][:c], g[p*c:][:c]
		for k, v := range x[p*c:][:c] {
			q := gated(gp[k], affineOf(v, mean[k], scale[k], shift[k]), low)
			d[k] = coef[k]*q + coef[c+k]*(v-mean[k]) + coef[2*c+k]
		}
	}
}

func addReLUGo(dst, a, b []Float) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = max(a[i]+b[i], 0)
	}
}

func reluGo(dst, src []Float) {
	for i, v := range src[:len(dst)] {
		dst[i] = max(v, 0)
	}
}

func reluGradientGo(dst, y, g []Float) {
	y, g = y[:len(dst)], g[:len(dst)]
	for i := range dst {
		dst[i] = gated(g[i], y[i], 0)
	}
}

func addGo(dst, a, b []Float) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func mulGo(dst, a, b []Float) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func axpyGo(dst, x []Float, s Float) {
	for i, v := range x[:len(dst)] {
		dst[i] += s * v
	}
}

func scaleGo(dst []Float, s Float) {
	for i := range dst {
		dst[i] *= s
	}
}

func lerpGo(dst, x []Float, t Float) {
	for i, v := range x[:len(dst)] {
		dst[i] += t * (v - dst[i])
	}
}

func dotGo(x, y []Float) (s float64) {
	for i, v := range y[:len(x)] {
		s += float64(v) * float64(x[i])
	}
	return s
}

func finiteGo(x []Float) bool {
	for _, v := range x {
		if v-v != 0 {
			return false
		}
	}
	return true
}

func descendGo(w, g []Float, lr, decay Float) {
	g = g[:len(w)]
	for i := range w {
		w[i] -= lr * (g[i] + decay*w[i])
	}
}

func sgdGo(w, v, g []Float, lr, momentum, decay Float) {
	v, g = v[:len(w)], g[:len(w)]
	for i := range w {
		v[i] = momentum*v[i] + (g[i] + decay*w[i])
		w[i] -= lr * v[i]
	}
}

func nesterovGo(w, v, g []Float, lr, momentum, decay Float) {
	v, g = v[:len(w)], g[:len(w)]
	for i := range w {
		d := g[i] + decay*w[i]
		v[i] = momentum*v[i] + d
		w[i] -= lr * (d + momentum*v[i])
	}
}

func adamGo(w, m, v, g []Float, s *adamCoefficients) {
	m, v, g = m[:len(w)], v[:len(w)], g[:len(w)]
	for i := range w {
		d := g[i] + s.decay*w[i]
		m[i] = s.beta1*m[i] + s.rest1*d
		v[i] = s.beta2*v[i] + s.rest2*d*d
		w[i] = s.keep*w[i] - s.rate*m[i]/(Float(math.Sqrt(float64(v[i])))*s.root+s.eps)
	}
}

func maxPoolGo(y, x []Float, runs []poolRun, c int) {
	for i := range runs {
		r := &runs[i]
		for p := range r.pixels {
			d := y[r.y+p*c:][:c]
			at := r.x + p*r.step
			copy(d, x[at+r.taps[0]:])
			for _, t := range r.taps[1:] {
				for k, v := range x[at+t:][:c] {
					d[k] = max(d[k], v)
				}
			}
		}
	}
}

func maxGradientGo(dx, x, g []Float, runs []poolRun, c int) {
	const block = 64
	var largest [block]Float
	var where [block]int
	for i := range runs {
		r := &runs[i]
		for p := range r.pixels {
			for from := 0; from < c; from += block {
				n := min(block, c-from)
				at := r.x + p*r.step + from
				m, first := largest[:n], where[:n]
				copy(m, x[at+r.taps[0]:])
				for k := range first {
					first[k] = r.taps[0]
				}
				for _, t := range r.taps[1:] {
					for k, v := range x[at+t:][:n] {
						f := first[k]
						if v > m[k] { // a conditional move
							f = t
						}
						first[k], m[k] = f, max(m[k], v)
					}
				}
				for k, v := range g[r.y+p*c+from:][:n] {
					if m[k] != m[k] {
						first[k] = firstNaN(x[at+k:], r.taps)
					}
					dx[at+first[k]+k] += v
				}
			}
		}
	}
}

func firstNaN(x []Float, taps []int) int {
	for _, t := range taps {
		if x[t] != x[t] {
			return t
		}
	}
	panic("kernels: a maximum is NaN, but no tap")
}

func averagePoolGo(y, x []Float, runs []poolRun, c int) {
	for i := range runs {
		r := &runs[i]
		for p := range r.pixels {
			d := y[r.y+p*c:][:c]
			at := r.x + p*r.step
			copy(d, x[at+r.taps[0]:])
			for _, t := range r.taps[1:] {
				for k, v := range x[at+t:][:c] {
					d[k] += v
				}
			}
			for k := range d {
				d[k] *= r.weight
			}
		}
	}
}

func averageGradientGo(dx, g []Float, runs []poolRun, c int) {
	for i := range runs {
		r := &runs[i]
		for p := range r.pixels {
			s := g[r.y+p*c:][:c]
			at := r.x + p*r.step
			for _, t := range r.taps {
				d := dx[at+t:][:c]
				for k, v := range s {
					d[k] += v * r.weight
				}
			}
		}
	}
}
