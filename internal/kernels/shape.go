package kernels

import "fmt"

// ConvShape is the geometry of a 2-d convolution: x (N,H,W,IC), w (KH,KW,IC,OC), y (N,OH,OW,OC). Stride, padding and
// dilation are in pixels and the same in both directions.
type ConvShape struct {
	N, H, W, IC, OC       int
	KH, KW                int
	Stride, Pad, Dilation int
}

// OH is the height of the output.
func (s ConvShape) OH() int { return outSize(s.H, s.KH, s.Stride, s.Pad, s.Dilation) }

// OW is the width of the output.
func (s ConvShape) OW() int { return outSize(s.W, s.KW, s.Stride, s.Pad, s.Dilation) }

// XLen, WLen and YLen are the numbers of elements of the three tensors.
func (s ConvShape) XLen() int { return s.N * s.H * s.W * s.IC }
func (s ConvShape) WLen() int { return s.KH * s.KW * s.IC * s.OC }
func (s ConvShape) YLen() int { return s.N * s.OH() * s.OW() * s.OC }

// MACs is the number of multiply-adds of one direction, positions that fall on padding included.
func (s ConvShape) MACs() int { return s.N * s.OH() * s.OW() * s.WLen() }

// Validate says what is impossible about s.
func (s ConvShape) Validate() error {
	if s.N < 1 || s.H < 1 || s.W < 1 || s.IC < 1 || s.OC < 1 || s.KH < 1 || s.KW < 1 || s.Stride < 1 || s.Dilation < 1 || s.Pad < 0 {
		return fmt.Errorf("kernels: convolution %+v: sizes, stride and dilation must be at least 1, padding at least 0", s)
	}
	if s.OH() < 1 || s.OW() < 1 {
		return fmt.Errorf("kernels: convolution %+v: the kernel is larger than the padded image", s)
	}
	return nil
}

// PoolShape is the geometry of a pooling window of K×K pixels: x (N,H,W,C), y (N,OH,OW,C).
type PoolShape struct {
	N, H, W, C     int
	K, Stride, Pad int
}

// OH is the height of the output.
func (s PoolShape) OH() int { return outSize(s.H, s.K, s.Stride, s.Pad, 1) }

// OW is the width of the output.
func (s PoolShape) OW() int { return outSize(s.W, s.K, s.Stride, s.Pad, 1) }

// XLen and YLen are the numbers of elements of input and output.
func (s PoolShape) XLen() int { return s.N * s.H * s.W * s.C }
func (s PoolShape) YLen() int { return s.N * s.OH() * s.OW() * s.C }

// Validate says what is impossible about s.
func (s PoolShape) Validate() error {
	if s.N < 1 || s.H < 1 || s.W < 1 || s.C < 1 || s.K < 1 || s.Stride < 1 || s.Pad < 0 || s.Pad >= s.K {
		return fmt.Errorf("kernels: pooling %+v: sizes and stride must be at least 1, padding from 0 to K-1", s)
	}
	if s.OH() < 1 || s.OW() < 1 {
		return fmt.Errorf("kernels: pooling %+v: the window is larger than the padded image", s)
	}
	return nil
}

func outSize(n, k, stride, pad, dilation int) int {
	v := n + 2*pad - dilation*(k-1) - 1
	if v < 0 {
		return 0
	}
	return v/stride + 1
}
