package kernels

import "math"

// vectorGo is the plain-Go implementation.
var vectorGo = vectorKernels{
	affine:          affineGo,
	addAffine:       addAffineGo,
	addAffines:      addAffinesGo,
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

// affineOf is max(low, (v−mean)·scale+shift). The product is rounded on its own, so that every use gives the same bits.
func affineOf(v, mean, scale, shift, low Float) Float {
	r := Float((v-mean)*scale) + shift
	if r < low {
		return low
	}
	return r
}

// passes says whether a gradient passes where affineOf gave y.
func passes(y, low Float) bool { return !(y <= low) }

func affineGo(dst, src, mean, scale, shift []Float, low Float, pixels, c int) {
	mean, scale, shift = mean[:c], scale[:c], shift[:c]
	for p := range pixels {
		d, s := dst[p*c:][:c], src[p*c:][:c]
		for k, v := range s {
			d[k] = affineOf(v, mean[k], scale[k], shift[k], low)
		}
	}
}

func addAffineGo(dst, a, mean, scale, shift []Float, low Float, b []Float, pixels, c int) {
	for p := range pixels {
		d, s, t := dst[p*c:][:c], a[p*c:][:c], b[p*c:][:c]
		for k, v := range s {
			d[k] = rectified(affineOf(v, mean[k], scale[k], shift[k], low) + t[k])
		}
	}
}

func addAffinesGo(dst, a, mean, scale, shift []Float, low Float, b, mean2, scale2, shift2 []Float, low2 Float, pixels, c int) {
	for p := range pixels {
		d, s, t := dst[p*c:][:c], a[p*c:][:c], b[p*c:][:c]
		for k, v := range s {
			d[k] = rectified(affineOf(v, mean[k], scale[k], shift[k], low) + affineOf(t[k], mean2[k], scale2[k], shift2[k], low2))
		}
	}
}

// rectified is max(0, v); NaN passes.
func rectified(v Float) Float {
	if v < 0 {
		return 0
	}
	return v
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
			var q Float
			if passes(affineOf(v, mean[k], scale[k], shift[k], low), low) {
				q = gp[k]
			}
			sums[k] += float64(q)
			products[k] += float64(q) * float64(v-mean[k])
		}
	}
}

func gradientGo(dst, x, g, mean, scale, shift []Float, low Float, coef []Float, pixels, c int) {
	for p := range pixels {
		d, gp := dst[p*c:][:c], g[p*c:][:c]
		for k, v := range x[p*c:][:c] {
			var q Float
			if passes(affineOf(v, mean[k], scale[k], shift[k], low), low) {
				q = gp[k]
			}
			d[k] = coef[k]*q + coef[c+k]*(v-mean[k]) + coef[2*c+k]
		}
	}
}

func addReLUGo(dst, a, b []Float) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = rectified(a[i] + b[i])
	}
}

func reluGo(dst, src []Float) {
	for i, v := range src[:len(dst)] {
		dst[i] = rectified(v)
	}
}

func reluGradientGo(dst, y, g []Float) {
	y, g = y[:len(dst)], g[:len(dst)]
	for i := range dst {
		if passes(y[i], 0) {
			dst[i] = g[i]
		} else {
			dst[i] = 0
		}
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
					if wins(v, d[k]) {
						d[k] = v
					}
				}
			}
		}
	}
}

// wins says whether v replaces the maximum m of the taps before it.
func wins(v, m Float) bool { return v > m || v != v && m == m }

func maxGradientGo(dx, x, g []Float, runs []poolRun, c int) {
	for i := range runs {
		r := &runs[i]
		for p := range r.pixels {
			at := r.x + p*r.step
			for k, v := range g[r.y+p*c:][:c] {
				best := at + r.taps[0] + k
				for _, t := range r.taps[1:] {
					if wins(x[at+t+k], x[best]) {
						best = at + t + k
					}
				}
				dx[best] += v
			}
		}
	}
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
