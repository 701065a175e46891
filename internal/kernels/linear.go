package kernels

// Linear is a planned fully connected layer: x (N,In), w (In,Out), b (Out), y (N,Out).
type Linear struct{ N, In, Out int }

// NewLinear plans y = x·w + b.
func NewLinear(n, in, out int) *Linear {
	checkSizes("linear", n, in, out)
	return &Linear{n, in, out}
}

// Forward writes y; a nil b is zero.
func (l *Linear) Forward(y, x, w, b []Float) {
	check("linear: x", len(x), l.N*l.In)
	check("linear: w", len(w), l.In*l.Out)
	check("linear: y", len(y), l.N*l.Out)
	for n := range l.N {
		row := y[n*l.Out:][:l.Out]
		clear(row)
		copy(row, b)
		for i, v := range x[n*l.In:][:l.In] {
			for k, u := range w[i*l.Out:][:l.Out] {
				row[k] += v * u
			}
		}
	}
}

// Backward writes dx (N,In), dw (In,Out) and db (Out) from the gradient g (N,Out); nil ones are not computed.
func (l *Linear) Backward(dx, dw, db, x, g, w []Float) {
	check("linear: g", len(g), l.N*l.Out)
	if dx != nil {
		check("linear: dx", len(dx), l.N*l.In)
		check("linear: w", len(w), l.In*l.Out)
		for n := range l.N {
			for i := range l.In {
				var s Float
				for k, v := range g[n*l.Out:][:l.Out] {
					s += v * w[i*l.Out+k]
				}
				dx[n*l.In+i] = s
			}
		}
	}
	if dw != nil {
		check("linear: dw", len(dw), l.In*l.Out)
		check("linear: x", len(x), l.N*l.In)
		clear(dw[:l.In*l.Out])
		for n := range l.N {
			for i, u := range x[n*l.In:][:l.In] {
				for k, v := range g[n*l.Out:][:l.Out] {
					dw[i*l.Out+k] += u * v
				}
			}
		}
	}
	if db != nil {
		check("linear: db", len(db), l.Out)
		clear(db[:l.Out])
		for n := range l.N {
			for k, v := range g[n*l.Out:][:l.Out] {
				db[k] += v
			}
		}
	}
}
