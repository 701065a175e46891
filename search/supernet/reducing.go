package supernet

import (
	"espalier/internal/kernels"
	"espalier/nn"
	"espalier/search"
)

// reducing is search.FactorizedReduce without its ReLU and norm as one convolution. Two 1×1 convolutions of every other pixel,
// the second moved by one in both directions, are one of 2×2 pixels whose weights (2,2,IC,OC) are zero but for the first half of
// the output channels at (0,0) and the second half at (1,1). That is four times the work, but one pass over the image.
type reducing struct {
	conv   *kernels.Conv
	ic, oc int
	w, dw  []nn.Float // of the convolution
}

// newReducing plans the convolution for n images of shape in.
func newReducing(n int, in nn.Shape, channels int) (*reducing, nn.Shape, error) {
	out, err := search.FactorizedReduce(channels, true).Out(in)
	if err != nil {
		return nil, out, err
	}
	size := 4 * in.C * channels
	return &reducing{
		conv: kernels.NewConv(convShape(n, in, channels, 2, 2, 0, 1)),
		ic:   in.C, oc: channels, w: make([]nn.Float, size), dw: make([]nn.Float, size),
	}, out, nil
}

// weights is the convolution's weights from those of the two.
func (r *reducing) weights(first, second []nn.Float) []nn.Float {
	r.each(r.w, first, second, func(wide, narrow []nn.Float) { copy(wide, narrow) })
	return r.w
}

// backward is Conv.Backward with the weights of the two and the gradients there, which are nil if they are not wanted.
func (r *reducing) backward(dx, first, second, x, g, w, w2 []nn.Float, b kernels.ConvBackward) {
	if first == nil {
		r.conv.Backward(dx, nil, x, g, r.weights(w, w2), b)
		return
	}
	r.conv.Backward(dx, r.dw, x, g, r.weights(w, w2), b)
	r.each(r.dw, first, second, func(wide, narrow []nn.Float) { copy(narrow, wide) })
}

// each visits the rows of the two convolutions' weights in those of the one.
func (r *reducing) each(wide, first, second []nn.Float, visit func(wide, narrow []nn.Float)) {
	half, last := r.oc/2, 3*r.ic*r.oc
	for i := range r.ic {
		visit(wide[i*r.oc:][:half], first[i*half:][:half])
		visit(wide[last+i*r.oc+half:][:r.oc-half], second[i*(r.oc-half):][:r.oc-half])
	}
}
