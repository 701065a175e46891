package kernels

import (
	"fmt"
	"math"
)

// CrossEntropy computes the softmax cross-entropy of logits (N,K) against labels (N), smoothed: the target of the label
// is 1−smoothing+smoothing/K, of the others smoothing/K. It returns the mean loss over the N rows and how many rows have
// their largest logit (the first, where several are equal; NaN is never right) at the label, and writes grad (N,K), the
// gradient of the mean loss, unless it is nil. A label outside [0,K) panics.
func CrossEntropy(grad, logits []Float, labels []int32, k int, smoothing float64) (loss float64, correct int) {
	checkSizes("cross-entropy", len(labels), k)
	check("cross-entropy: logits", len(logits), len(labels)*k)
	if grad != nil {
		check("cross-entropy: grad", len(grad), len(labels)*k)
	}
	for i, l := range labels {
		if l < 0 || int(l) >= k {
			panic(fmt.Sprintf("kernels: cross-entropy: label %d of row %d is outside [0,%d)", l, i, k))
		}
	}
	j := lossCall
	if len(j.loss) < len(labels) {
		j.loss, j.right = make([]float64, len(labels)), make([]bool, len(labels))
	}
	j.grad, j.logits, j.labels, j.k, j.smoothing = grad, logits, labels, k, smoothing
	Parallel(len(labels), j.unit)
	j.grad, j.logits, j.labels = nil, nil, nil
	for i := range labels {
		loss += j.loss[i]
		if j.right[i] {
			correct++
		}
	}
	return loss / float64(len(labels)), correct
}

// lossJob is the running call of CrossEntropy; its units are rows.
type lossJob struct {
	grad, logits []Float
	labels       []int32
	k            int
	smoothing    float64
	loss         []float64 // of each row
	right        []bool
	unit         func(worker, unit int)
}

var lossCall = newLossJob()

func newLossJob() *lossJob {
	j := new(lossJob)
	j.unit = j.row
	return j
}

// row computes one row: with the targets t, its loss is log Σ exp(x) − Σ t·x, and the gradient softmax(x) − t.
func (j *lossJob) row(_, n int) {
	x := j.logits[n*j.k:][:j.k]
	label := int(j.labels[n])
	best := 0
	top, sum, mean := float64(x[0]), 0.0, 0.0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
		top = max(top, float64(v))
	}
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
		mean += (float64(v) - top) / float64(j.k)
	}
	// Σ t = 1, so top may be taken from every logit.
	j.loss[n] = math.Log(sum) - (1-j.smoothing)*(float64(x[label])-top)
	if j.smoothing != 0 {
		j.loss[n] -= j.smoothing * mean
	}
	j.right[n] = best == label && !math.IsNaN(sum)
	if j.grad == nil {
		return
	}
	for i, v := range x {
		t := j.smoothing / float64(j.k)
		if i == label {
			t += 1 - j.smoothing
		}
		j.grad[n*j.k+i] = Float((math.Exp(float64(v)-top)/sum - t) / float64(len(j.labels)))
	}
}
