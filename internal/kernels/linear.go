package kernels

// Linear is a planned fully connected layer: x (N,In), w (In,Out), b (Out), y (N,Out). It is a pointwise convolution of
// images of one pixel.
type Linear struct {
	N, In, Out int

	conv *Conv
}

// NewLinear plans y = x·w + b.
func NewLinear(n, in, out int) *Linear {
	checkSizes("linear", n, in, out)
	return &Linear{n, in, out, NewConv(ConvShape{N: n, H: 1, W: 1, IC: in, OC: out, KH: 1, KW: 1, Stride: 1, Dilation: 1})}
}

// Forward writes y; a nil b is zero.
func (l *Linear) Forward(y, x, w, b []Float) {
	check("linear: x", len(x), l.N*l.In)
	check("linear: w", len(w), l.In*l.Out)
	check("linear: y", len(y), l.N*l.Out)
	l.conv.Forward(y, x, w, ConvForward{})
	if b == nil {
		return
	}
	check("linear: b", len(b), l.Out)
	for n := range l.N {
		vector.add(y[n*l.Out:][:l.Out], y[n*l.Out:][:l.Out], b[:l.Out])
	}
}

// Backward writes dx (N,In), dw (In,Out) and db (Out) from the gradient g (N,Out); nil ones are not computed.
func (l *Linear) Backward(dx, dw, db, x, g, w []Float) {
	check("linear: g", len(g), l.N*l.Out)
	if dx != nil {
		check("linear: dx", len(dx), l.N*l.In)
		check("linear: w", len(w), l.In*l.Out)
		l.conv.BackwardData(dx, g, w)
	}
	if dw != nil {
		check("linear: dw", len(dw), l.In*l.Out)
		check("linear: x", len(x), l.N*l.In)
		l.conv.BackwardWeights(dw, x, g)
	}
	if db != nil {
		check("linear: db", len(db), l.Out)
		db = db[:l.Out]
		clear(db)
		for n := range l.N {
			vector.add(db, db, g[n*l.Out:][:l.Out])
		}
	}
}
