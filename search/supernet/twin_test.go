package supernet

import (
	"math"

	"espalier/nn"
)

// array is a batch of images (N,H,W,C), or weights in the order (KH,KW,IC,OC), with the gradient there, in double precision.
type array struct {
	n, h, w, c int
	v, g       []float64
}

func newArray(n, h, w, c int) *array {
	return &array{n, h, w, c, make([]float64, n*h*w*c), make([]float64, n*h*w*c)}
}

func (x *array) like() *array { return newArray(x.n, x.h, x.w, x.c) }

// twin computes primitives by plain loops that state their definitions, and gradients by what each loop has put on a tape.
type twin struct {
	weights  map[string][]float64 // by the names of layers, read
	gradient map[string][]float64
	mean     map[string][]float64 // of batch norms, by the names of layers
	variance map[string][]float64 // unbiased
	tape     []func()
	kink     float64 // the least change of a number by which a ReLU or a maximum takes another side
}

func newTwin(weights map[string][]float64) *twin {
	return &twin{
		weights: weights, gradient: make(map[string][]float64),
		mean: make(map[string][]float64), variance: make(map[string][]float64), kink: math.Inf(1),
	}
}

// back goes back over the tape.
func (t *twin) back() {
	for i := len(t.tape) - 1; i >= 0; i-- {
		t.tape[i]()
	}
}

// weight is the weights of a layer and the place of the gradient there.
func (t *twin) weight(layer string) (w, g []float64) {
	w = t.weights[layer]
	if t.gradient[layer] == nil {
		t.gradient[layer] = make([]float64, len(w))
	}
	return w, t.gradient[layer]
}

func (t *twin) relu(x *array) *array {
	y := x.like()
	for i, v := range x.v {
		y.v[i] = max(0, v)
		t.kink = min(t.kink, math.Abs(v))
	}
	t.tape = append(t.tape, func() {
		for i, v := range x.v {
			if v > 0 {
				x.g[i] += y.g[i]
			}
		}
	})
	return y
}

// window is which pixels of x a pixel of y reads.
type window struct{ kernel, stride, pad, dilation int }

// out is the array that the window makes of x.
func (k window) out(x *array, c int) *array {
	side := func(n int) int { return (n+2*max(k.pad, 0)-k.dilation*(k.kernel-1)-1)/k.stride + 1 }
	return newArray(x.n, side(x.h), side(x.w), c)
}

// each visits all pairs of pixels, given by the places of their first channels, with the number of the tap between.
func (k window) each(x, y *array, visit func(in, out, tap int)) {
	for image := range y.n {
		for row := range y.h {
			for column := range y.w {
				for tap := range k.kernel * k.kernel {
					h := row*k.stride - k.pad + tap/k.kernel*k.dilation
					w := column*k.stride - k.pad + tap%k.kernel*k.dilation
					if h >= 0 && h < x.h && w >= 0 && w < x.w {
						visit(((image*x.h+h)*x.w+w)*x.c, ((image*y.h+row)*y.w+column)*y.c, tap)
					}
				}
			}
		}
	}
}

func (t *twin) dense(x *array, layer string, channels int, k window) *array {
	y := k.out(x, channels)
	w, dw := t.weight(layer)
	each := func(visit func(in, out, weight int)) {
		k.each(x, y, func(in, out, tap int) {
			for i := range x.c {
				for o := range y.c {
					visit(in+i, out+o, (tap*x.c+i)*y.c+o)
				}
			}
		})
	}
	each(func(in, out, weight int) { y.v[out] += x.v[in] * w[weight] })
	t.tape = append(t.tape, func() {
		each(func(in, out, weight int) {
			x.g[in] += y.g[out] * w[weight]
			dw[weight] += y.g[out] * x.v[in]
		})
	})
	return y
}

func (t *twin) depthwise(x *array, layer string, k window) *array {
	y := k.out(x, x.c)
	w, dw := t.weight(layer)
	each := func(visit func(in, out, weight int)) {
		k.each(x, y, func(in, out, tap int) {
			for c := range x.c {
				visit(in+c, out+c, tap*x.c+c)
			}
		})
	}
	each(func(in, out, weight int) { y.v[out] += x.v[in] * w[weight] })
	t.tape = append(t.tape, func() {
		each(func(in, out, weight int) {
			x.g[in] += y.g[out] * w[weight]
			dw[weight] += y.g[out] * x.v[in]
		})
	})
	return y
}

// norm is a batch norm by the batch's statistics, without scale and shift.
func (t *twin) norm(x *array, layer string) *array {
	y := x.like()
	n := float64(x.n * x.h * x.w)
	t.mean[layer], t.variance[layer] = make([]float64, x.c), make([]float64, x.c)
	for c := range x.c {
		mean, variance := 0.0, 0.0
		for i := c; i < len(x.v); i += x.c {
			mean += x.v[i] / n
		}
		for i := c; i < len(x.v); i += x.c {
			variance += (x.v[i] - mean) * (x.v[i] - mean) / n
		}
		t.mean[layer][c], t.variance[layer][c] = mean, variance*n/(n-1)
		scale := 1 / math.Sqrt(variance+nn.Eps)
		for i := c; i < len(x.v); i += x.c {
			y.v[i] = (x.v[i] - mean) * scale
		}
		t.tape = append(t.tape, func() {
			sum, product := 0.0, 0.0
			for i := c; i < len(x.v); i += x.c {
				sum += y.g[i] / n
				product += y.g[i] * y.v[i] / n
			}
			for i := c; i < len(x.v); i += x.c {
				x.g[i] += scale * (y.g[i] - sum - y.v[i]*product)
			}
		})
	}
	return y
}

func (t *twin) maxPool(x *array, k window) *array {
	y := k.out(x, x.c)
	from := make([]int, len(y.v))
	second := make([]float64, len(y.v))
	for i := range y.v {
		y.v[i], second[i] = math.Inf(-1), math.Inf(-1)
	}
	k.each(x, y, func(in, out, _ int) {
		for c := range x.c {
			if v := x.v[in+c]; v > y.v[out+c] {
				second[out+c], y.v[out+c], from[out+c] = y.v[out+c], v, in+c
			} else {
				second[out+c] = max(second[out+c], v)
			}
		}
	})
	for i, v := range y.v {
		t.kink = min(t.kink, v-second[i])
	}
	t.tape = append(t.tape, func() {
		for i, g := range y.g {
			x.g[from[i]] += g
		}
	})
	return y
}

// avgPool is the mean over those pixels of the window that lie in the image.
func (t *twin) avgPool(x *array, k window) *array {
	y := k.out(x, x.c)
	count := make([]float64, len(y.v))
	each := func(visit func(in, out int)) {
		k.each(x, y, func(in, out, _ int) {
			for c := range x.c {
				visit(in+c, out+c)
			}
		})
	}
	each(func(_, out int) { count[out]++ })
	each(func(in, out int) { y.v[out] += x.v[in] / count[out] })
	t.tape = append(t.tape, func() {
		each(func(in, out int) { x.g[in] += y.g[out] / count[out] })
	})
	return y
}

// beside puts the channels of two arrays side by side.
func (t *twin) beside(a, b *array) *array {
	y := newArray(a.n, a.h, a.w, a.c+b.c)
	each := func(visit func(x *array, in, out int)) {
		for p := range a.n * a.h * a.w {
			for c := range y.c {
				if c < a.c {
					visit(a, p*a.c+c, p*y.c+c)
				} else {
					visit(b, p*b.c+c-a.c, p*y.c+c)
				}
			}
		}
	}
	each(func(x *array, in, out int) { y.v[out] = x.v[in] })
	t.tape = append(t.tape, func() {
		each(func(x *array, in, out int) { x.g[in] += y.g[out] })
	})
	return y
}

// mix is the sum of arrays weighted by softmax(α); an array that is nil stands for zeros. The gradient at α is added to da.
func (t *twin) mix(xs []*array, alpha, da []float64, y *array) {
	w, sum := make([]float64, len(xs)), 0.0
	for i, a := range alpha {
		w[i] = math.Exp(a)
		sum += w[i]
	}
	for k, x := range xs {
		if w[k] /= sum; x != nil {
			for i, v := range x.v {
				y.v[i] += w[k] * v
			}
		}
	}
	t.tape = append(t.tape, func() {
		slope, mean := make([]float64, len(xs)), 0.0
		for k, x := range xs {
			if x != nil {
				for i, g := range y.g {
					slope[k] += g * x.v[i]
					x.g[i] += g * w[k]
				}
			}
			mean += w[k] * slope[k]
		}
		for k := range xs {
			da[k] += w[k] * (slope[k] - mean)
		}
	})
}

// primitive is a primitive of the given stride, whose layers' names begin with at; nil: zeros. Pools have a batch norm with
// norm.
func (t *twin) primitive(name, at string, x *array, stride int, norm bool) *array {
	point := window{1, 1, 0, 1}
	separable := func(x *array, kernel, stride int, layers ...string) *array {
		depth := window{kernel, stride, kernel / 2, 1}
		y := t.depthwise(t.relu(x), at+layers[0], depth)
		return t.norm(t.dense(y, at+layers[1], x.c, point), at+layers[2])
	}
	dilated := func(kernel int) *array {
		y := t.depthwise(t.relu(x), at+".op.1", window{kernel, stride, kernel - 1, 2})
		return t.norm(t.dense(y, at+".op.2", x.c, point), at+".op.3")
	}
	pool := func(y *array) *array {
		if norm {
			return t.norm(y, at+".1")
		}
		return y
	}
	kernel := int(name[len(name)-1] - '0')
	switch name {
	case "none":
		return nil
	case "skip_connect":
		if stride == 1 {
			return x
		}
		r := t.relu(x)
		one := t.dense(r, at+".conv_1", x.c/2, window{1, 2, 0, 1})
		two := t.dense(r, at+".conv_2", x.c/2, window{1, 2, -1, 1})
		return t.norm(t.beside(one, two), at+".bn")
	case "max_pool_3x3":
		return pool(t.maxPool(x, window{3, stride, 1, 1}))
	case "avg_pool_3x3":
		return pool(t.avgPool(x, window{3, stride, 1, 1}))
	case "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7":
		return separable(separable(x, kernel, stride, ".op.1", ".op.2", ".op.3"), kernel, 1, ".op.5", ".op.6", ".op.7")
	case "dil_conv_3x3", "dil_conv_5x5":
		return dilated(kernel)
	case "nor_conv_1x1", "nor_conv_3x3":
		return t.norm(t.dense(t.relu(x), at+".op.1", x.c, window{kernel, stride, kernel / 2, 1}), at+".op.2")
	}
	panic("no twin of " + name)
}
