package kernels

// Linear is a planned fully connected layer: x (N,In), w (In,Out), b (Out), y (N,Out).
type Linear struct{ N, In, Out int }

// NewLinear plans y = x·w + b.
func NewLinear(n, in, out int) *Linear { panic("TODO") }

// Forward writes y; a nil b is zero.
func (l *Linear) Forward(y, x, w, b []Float) { panic("TODO") }

// Backward writes dx (N,In), dw (In,Out) and db (Out) from the gradient g (N,Out); nil ones are not computed.
func (l *Linear) Backward(dx, dw, db, x, g, w []Float) { panic("TODO") }

// CrossEntropy computes the softmax cross-entropy of logits (N,K) against labels (N), smoothed: the target of the label
// is 1−smoothing+smoothing/K, of the others smoothing/K. It returns the mean loss over the N rows and how many rows have
// their largest logit (the first, where several are equal; NaN is never right) at the label, and writes grad (N,K), the
// gradient of the mean loss, unless it is nil. A label outside [0,K) panics.
func CrossEntropy(grad, logits []Float, labels []int32, k int, smoothing float64) (loss float64, correct int) {
	panic("TODO")
}
