package nn

import (
	"fmt"

	"espalier/internal/kernels"
)

// Conv is a dense convolution without bias: square kernel, the same stride, padding and dilation in both directions.
type Conv struct {
	Channels int `json:"channels"` // of the output
	Kernel   int `json:"kernel"`   // pixels
	Stride   int `json:"stride,omitempty"`
	Pad      int `json:"pad,omitempty"`
	Dilation int `json:"dilation,omitempty"`
}

// Kind is "conv".
func (c Conv) Kind() string { return "conv" }

// shape is the geometry for n images. A zero stride or dilation means 1.
func (c Conv) shape(n int, in Shape) kernels.ConvShape {
	return kernels.ConvShape{N: n, H: in.H, W: in.W, IC: in.C, OC: c.Channels, KH: c.Kernel, KW: c.Kernel,
		Stride: orOne(c.Stride), Pad: c.Pad, Dilation: orOne(c.Dilation)}
}

// orOne is n, or 1 for 0.
func orOne(n int) int {
	if n == 0 {
		return 1
	}
	return n
}

// Out is the shape of the output.
func (c Conv) Out(in Shape) (Shape, error) {
	s := c.shape(1, in)
	if err := s.Validate(); err != nil {
		return Shape{}, err
	}
	return Shape{s.OH(), s.OW(), s.OC}, nil
}

// Params is the weight (K,K,IC,OC).
func (c Conv) Params(in Shape) []Param {
	return []Param{{Name: "weight", Shape: []int{c.Kernel, c.Kernel, in.C, c.Channels}, Kind: ConvWeight}}
}

// MACs is OH·OW·K·K·IC·OC.
func (c Conv) MACs(in Shape) int { return c.shape(1, in).MACs() }

// Build makes the convolution as a layer of its own.
func (c Conv) Build(p *Plan, in Shape) Layer { return convNorm{conv: c}.Build(p, in) }

// label names the convolution in profiles.
func (c Conv) label() string { return convLabel("conv", c.Kernel, c.Stride, c.Dilation) }

func convLabel(kind string, kernel, stride, dilation int) string {
	s := fmt.Sprintf("%s %dx%d", kind, kernel, kernel)
	if stride > 1 {
		s += fmt.Sprintf(" /%d", stride)
	}
	if dilation > 1 {
		s += fmt.Sprintf(" dilated %d", dilation)
	}
	return s
}
