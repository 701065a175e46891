package kernels

// The twins are the plainest loops that compute what the engine's operations compute, over float32 or float64. They fuse
// nothing: what a fused option does is another twin, called before or after.

type real interface{ float32 | float64 }

// window calls visit for every product of a convolution with shape s that does not fall on padding: pixel y of the output,
// kernel position w and pixel x of the input.
func (s ConvShape) window(visit func(y, w, x int)) {
	s.padded(func(y, w, x int) {
		if x >= 0 {
			visit(y, w, x)
		}
	})
}

// padded is window with the products that fall on padding: there x is -1.
func (s ConvShape) padded(visit func(y, w, x int)) {
	oh, ow := s.OH(), s.OW()
	for n := range s.N {
		for r := range oh {
			for c := range ow {
				for kh := range s.KH {
					for kw := range s.KW {
						ih, iw := r*s.Stride-s.Pad+kh*s.Dilation, c*s.Stride-s.Pad+kw*s.Dilation
						visit((n*oh+r)*ow+c, kh*s.KW+kw, pixelOf(n, ih, iw, s.H, s.W))
					}
				}
			}
		}
	}
}

// scattered calls visit for every product of the gradient at the input, as the convolution of g that it is: y is -1 where that
// reads around g.
func (s ConvShape) scattered(visit func(x, w, y int)) {
	for n := range s.N {
		for r := range s.H {
			for c := range s.W {
				for kh := range s.KH {
					for kw := range s.KW {
						oh, ow := r+s.Pad-kh*s.Dilation, c+s.Pad-kw*s.Dilation
						if mod(oh, s.Stride) == 0 && mod(ow, s.Stride) == 0 {
							visit((n*s.H+r)*s.W+c, kh*s.KW+kw, pixelOf(n, oh/s.Stride, ow/s.Stride, s.OH(), s.OW()))
						}
					}
				}
			}
		}
	}
}

// pixelOf is the index of pixel (r,c) of image n, of (h,w) pixels, or -1 outside of it.
func pixelOf(n, r, c, h, w int) int {
	if r < 0 || r >= h || c < 0 || c >= w {
		return -1
	}
	return (n*h+r)*w + c
}

// twinConvForward writes y (N,OH,OW,OC) = conv(x, w).
func twinConvForward[T real](y, x, w []T, s ConvShape) {
	clear(y)
	s.window(func(py, pw, px int) {
		for i := range s.IC {
			for o := range s.OC {
				y[py*s.OC+o] += x[px*s.IC+i] * w[(pw*s.IC+i)*s.OC+o]
			}
		}
	})
}

// twinConvData writes dx (N,H,W,IC), or adds to it.
func twinConvData[T real](dx, g, w []T, s ConvShape, accumulate bool) {
	if !accumulate {
		clear(dx)
	}
	s.window(func(py, pw, px int) {
		for i := range s.IC {
			for o := range s.OC {
				dx[px*s.IC+i] += g[py*s.OC+o] * w[(pw*s.IC+i)*s.OC+o]
			}
		}
	})
}

// twinConvWeights writes dw (KH,KW,IC,OC).
func twinConvWeights[T real](dw, x, g []T, s ConvShape) {
	clear(dw)
	s.window(func(py, pw, px int) {
		for i := range s.IC {
			for o := range s.OC {
				dw[(pw*s.IC+i)*s.OC+o] += x[px*s.IC+i] * g[py*s.OC+o]
			}
		}
	})
}

// twinDepthwiseForward writes y (N,OH,OW,C) = depthwise(x, w).
func twinDepthwiseForward[T real](y, x, w []T, s ConvShape) {
	clear(y)
	s.window(func(py, pw, px int) {
		for k := range s.IC {
			y[py*s.IC+k] += x[px*s.IC+k] * w[pw*s.IC+k]
		}
	})
}

// twinDepthwiseData writes dx (N,H,W,C).
func twinDepthwiseData[T real](dx, g, w []T, s ConvShape) {
	clear(dx)
	s.window(func(py, pw, px int) {
		for k := range s.IC {
			dx[px*s.IC+k] += g[py*s.IC+k] * w[pw*s.IC+k]
		}
	})
}

// twinDepthwiseWeights writes dw (KH,KW,C).
func twinDepthwiseWeights[T real](dw, x, g []T, s ConvShape) {
	clear(dw)
	s.window(func(py, pw, px int) {
		for k := range s.IC {
			dw[pw*s.IC+k] += x[px*s.IC+k] * g[py*s.IC+k]
		}
	})
}

// twinAffine writes y = Affine(x) for pixels of len(mean) channels.
func twinAffine[T real](y, x, mean, scale, shift []T, relu bool) {
	c := len(mean)
	for i, v := range x {
		k := i % c
		y[i] = (v-mean[k])*scale[k] + shift[k]
		if relu && y[i] < 0 {
			y[i] = 0
		}
	}
}

// twinMoments writes the mean and the biased variance of each of c channels.
func twinMoments[T real](mean, variance, x []T, c int) {
	clear(mean)
	clear(variance)
	pixels := T(len(x) / c)
	for i, v := range x {
		mean[i%c] += v / pixels
	}
	for i, v := range x {
		d := v - mean[i%c]
		variance[i%c] += d * d / pixels
	}
}

// twinNormSums writes sums (2,C) = Σ p, Σ p·(x−mean) over pixels, where p is g wherever the ReLU of twinAffine let
// through.
func twinNormSums[T real](sums, x, g, mean, scale, shift []T, relu bool) {
	c := len(mean)
	clear(sums)
	for i, v := range x {
		k := i % c
		if relu && (v-mean[k])*scale[k]+shift[k] <= 0 {
			continue
		}
		sums[k] += g[i]
		sums[c+k] += g[i] * (v - mean[k])
	}
}

// twinNormBackward writes dx, the gradient at the input of a batch norm whose Affine is mean, scale, shift with variance
// 1/inv², from the sums of twinNormSums; constant statistics carry no gradient.
func twinNormBackward[T real](dx, x, g, sums, mean, scale, shift, inv []T, relu, constant bool) {
	c := len(mean)
	pixels := T(len(x) / c)
	for i, v := range x {
		k := i % c
		var p T
		if !(relu && (v-mean[k])*scale[k]+shift[k] <= 0) {
			p = g[i]
		}
		if !constant {
			p -= sums[k]/pixels + (v-mean[k])*inv[k]*inv[k]*sums[c+k]/pixels
		}
		dx[i] = scale[k] * p
	}
}
