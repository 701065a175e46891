package kernels

import (
	"math"
	"testing"
)

func TestCrossEntropyKnown(t *testing.T) {
	// Equal logits: the loss is log K whatever the smoothing, and the first class counts as the largest.
	logits := make([]Float, 3*4)
	grad := make([]Float, 3*4)
	for _, smoothing := range []float64{0, 0.1} {
		loss, correct := CrossEntropy(grad, logits, []int32{0, 1, 0}, 4, smoothing)
		if !(math.Abs(loss-math.Log(4)) < 1e-12) || correct != 2 {
			t.Errorf("equal logits, smoothing %g: loss %g, want log 4; %d correct, want 2", smoothing, loss, correct)
		}
		for i, g := range grad {
			want := (0.25 - smoothing/4) / 3
			if i == 0 || i == 5 || i == 8 {
				want -= (1 - smoothing) / 3
			}
			if !(math.Abs(float64(g)-want) < 1e-7) {
				t.Errorf("equal logits, smoothing %g: gradient %d is %g, want %g", smoothing, i, g, want)
			}
		}
	}
	// Far apart: exp would overflow, and a masked class is -Inf.
	x := []Float{1e4, -1e4, Float(math.Inf(-1))}
	if loss, correct := CrossEntropy(nil, x, []int32{1}, 3, 0); loss != 2e4 || correct != 0 {
		t.Errorf("far logits: loss %g, want 20000; %d correct", loss, correct)
	}
	if loss, correct := CrossEntropy(nil, x, []int32{0}, 3, 0); loss != 0 || correct != 1 {
		t.Errorf("far logits: loss %g, want 0; %d correct", loss, correct)
	}
	// NaN is never right, wherever it stands.
	for at := range 3 {
		x := []Float{1, 2, 3}
		x[at] = Float(math.NaN())
		for label := range int32(3) {
			if loss, correct := CrossEntropy(nil, x, []int32{label}, 3, 0.1); !math.IsNaN(loss) || correct != 0 {
				t.Errorf("NaN at %d, label %d: loss %g, %d correct", at, label, loss, correct)
			}
		}
	}
}

// TestCrossEntropyGradient compares the gradient with differences of the loss, taken in float64 by a formula of its own.
func TestCrossEntropyGradient(t *testing.T) {
	const n, k = 5, 7
	labels := []int32{0, 6, 3, 3, 1}
	for _, smoothing := range []float64{0, 0.1, 1} {
		h := newHarness(t, 1, 1)
		logits, grad := h.normal("logits", n*k), h.out("grad", n*k)
		truth := func(x []float64) (loss float64) {
			for i, label := range labels {
				row := x[i*k:][:k]
				sum := 0.0
				for _, v := range row {
					sum += math.Exp(v)
				}
				for c, v := range row {
					target := smoothing / k
					if c == int(label) {
						target += 1 - smoothing
					}
					loss -= target * (v - math.Log(sum)) / n
				}
			}
			return loss
		}
		x := widen(logits)
		loss, _ := CrossEntropy(grad, logits, labels, k, smoothing)
		if !(math.Abs(loss-truth(x)) < 1e-12) {
			t.Errorf("smoothing %g: loss %g, want %g", smoothing, loss, truth(x))
		}
		for i := range x {
			const step = 1e-5
			v := x[i]
			x[i] = v + step
			up := truth(x)
			x[i] = v - step
			down := truth(x)
			x[i] = v
			if want := (up - down) / (2 * step); !(math.Abs(float64(grad[i])-want) < 1e-7) {
				t.Errorf("smoothing %g: gradient %d is %g, want %g", smoothing, i, grad[i], want)
			}
		}
		h.done()
	}
}

func TestCrossEntropyLabelOutside(t *testing.T) {
	for _, label := range []int32{-1, 3} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("label %d of 3 classes: no panic", label)
				}
			}()
			CrossEntropy(nil, make([]Float, 3), []int32{label}, 3, 0)
		}()
	}
}

func TestCrossEntropySameBits(t *testing.T) {
	h := newHarness(t, 0, 1)
	const n, k = 130, 10
	logits, grad := h.normal("logits", n*k), h.out("grad", n*k)
	labels := make([]int32, n)
	for i := range labels {
		labels[i] = int32(i % k)
	}
	sameBits(t, "CrossEntropy", func() [][]Float {
		loss, correct := CrossEntropy(grad, logits, labels, k, 0.1)
		return [][]Float{append([]Float(nil), grad...), {Float(loss), Float(correct)}}
	})
	noAllocations(t, "CrossEntropy", func() { CrossEntropy(grad, logits, labels, k, 0.1) })
}
