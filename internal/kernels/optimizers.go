package kernels

import (
	"fmt"
	"math"
)

// SGD is one step of momentum SGD as PyTorch defines it: g ← g + decay·w; v ← momentum·v + g; w ← w − lr·v, or
// w − lr·(g + momentum·v) if nesterov. v may be nil if momentum is 0. g is not changed.
func SGD(w, v, g []Float, lr, momentum, decay Float, nesterov bool) {
	check("SGD: g", len(g), len(w))
	j := flatCall
	j.y, j.a, j.b, j.s, j.t, j.u = w, v, g, lr, momentum, decay
	op := (*flatJob).sgd
	switch {
	case v == nil && momentum == 0:
		op = (*flatJob).descend
	case nesterov:
		op = (*flatJob).nesterov
	}
	if v != nil || momentum != 0 {
		check("SGD: v", len(v), len(w))
	}
	j.run(op, len(w), unitElements)
}

func (j *flatJob) descend(from, to, _ int) {
	vector.descend(j.y[from:to], j.b[from:to], j.s, j.u)
}

func (j *flatJob) sgd(from, to, _ int) {
	vector.sgd(j.y[from:to], j.a[from:to], j.b[from:to], j.s, j.t, j.u)
}

func (j *flatJob) nesterov(from, to, _ int) {
	vector.nesterov(j.y[from:to], j.a[from:to], j.b[from:to], j.s, j.t, j.u)
}

// AdamStep holds the numbers of one step of Adam (Kingma and Ba, 2015), or of AdamW (Loshchilov and Hutter, 2019) where
// Decoupled is set: w ← w − LR·(m̂/(√v̂+Eps)) with m̂ = m/(1−Beta1^Step), v̂ = v/(1−Beta2^Step); the decay is
// added to g, or w ← w·(1−LR·Decay) first.
type AdamStep struct {
	LR, Beta1, Beta2, Eps, Decay float64
	Decoupled                    bool
	Step                         int // counted from 1
}

// Adam is one step of Adam with decoupled or coupled weight decay; its moments m and v are updated. See AdamStep.
func Adam(w, m, v, g []Float, s AdamStep) {
	check("Adam: m", len(m), len(w))
	check("Adam: v", len(v), len(w))
	check("Adam: g", len(g), len(w))
	if s.Step < 1 {
		panic(fmt.Sprintf("kernels: Adam: step %d, counted from 1", s.Step))
	}
	j := flatCall
	j.y, j.a, j.b, j.c = w, m, v, g
	j.adamStep = s.coefficients()
	j.run((*flatJob).adam, len(w), unitElements)
}

func (s AdamStep) coefficients() adamCoefficients {
	c := adamCoefficients{
		beta1: Float(s.Beta1), rest1: Float(1 - s.Beta1),
		beta2: Float(s.Beta2), rest2: Float(1 - s.Beta2),
		rate: Float(s.LR / (1 - math.Pow(s.Beta1, float64(s.Step)))),
		root: Float(1 / math.Sqrt(1-math.Pow(s.Beta2, float64(s.Step)))),
		eps:  Float(s.Eps),
		keep: 1,
	}
	if s.Decoupled {
		c.keep = Float(1 - s.LR*s.Decay)
	} else {
		c.decay = Float(s.Decay)
	}
	return c
}

func (j *flatJob) adam(from, to, _ int) {
	vector.adam(j.y[from:to], j.a[from:to], j.b[from:to], j.c[from:to], &j.adamStep)
}
