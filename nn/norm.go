package nn

import (
	"fmt"

	"espalier/internal/kernels"
)

// Batch norm's constants, PyTorch's defaults.
const (
	Eps      = 1e-5 // added to the variance
	Momentum = 0.1  // running ← (1−Momentum)·running + Momentum·batch
)

// BatchNorm normalises each channel over the batch and all pixels, and then scales and shifts it (Ioffe and Szegedy, 2015).
// Running statistics follow those of the batch with Momentum; the running variance follows the unbiased estimate, as in
// PyTorch.
type BatchNorm struct {
	Plain bool `json:"plain,omitempty"` // no gamma and beta
}

// Kind is "batch_norm".
func (b BatchNorm) Kind() string { return "batch_norm" }

// Out is in.
func (b BatchNorm) Out(in Shape) (Shape, error) { return in, in.Validate() }

// Params are gamma and beta, named weight and bias, and the running statistics, (C) each.
func (b BatchNorm) Params(in Shape) []Param {
	c := []int{in.C}
	buffers := []Param{{Name: "running_mean", Shape: c, Kind: RunningMean}, {Name: "running_var", Shape: c, Kind: RunningVar}}
	if b.Plain {
		return buffers
	}
	return append([]Param{{Name: "weight", Shape: c, Kind: NormGamma}, {Name: "bias", Shape: c, Kind: NormBeta}}, buffers...)
}

// MACs is 0.
func (b BatchNorm) MACs(Shape) int { return 0 }

// Build makes the norm as a layer of its own.
func (b BatchNorm) Build(p *Plan, in Shape) Layer { return normReLU{norm: b}.Build(p, in) }

// norm is batch norm inside a layer, together with the places of its tensors.
type norm struct {
	*kernels.Norm
	run                   *Run
	gamma, beta           Span
	runningMean, variance Span
}

func newNorm(p *Plan, spec BatchNorm, in Shape, relu bool, o *Slots) *norm {
	m := &norm{Norm: kernels.NewNorm(p.Batch, in.H*in.W, in.C, relu), run: p.Run}
	if !spec.Plain {
		m.gamma, m.beta = o.Value(in.C), o.Value(in.C)
	}
	m.runningMean, m.variance = o.Buffer(in.C), o.Buffer(in.C)
	return m
}

// affine is what the norm does to a value, with its ReLU; nil, the identity, if there is no norm.
func (m *norm) affine() *kernels.Affine {
	if m == nil {
		return nil
	}
	return &m.Affine
}

// gather is the norm for which the operation that writes its input gathers statistics, nil if none are needed.
func (m *norm) gather() *kernels.Norm {
	if m.run.Statistics == RunningStatistics {
		return nil
	}
	return m.Norm
}

// settle makes Affine, from the gathered statistics or the running ones, and lets the running ones follow.
func (m *norm) settle(v Vectors) {
	gamma, beta := m.gamma.Of(v.Values), m.beta.Of(v.Values)
	mean, variance := m.runningMean.Of(v.Buffers), m.variance.Of(v.Buffers)
	if m.run.Statistics == RunningStatistics {
		m.Fold(gamma, beta, mean, variance, Eps)
		return
	}
	m.Train(gamma, beta, Eps)
	if m.run.Statistics == UpdateStatistics {
		Follow(mean, variance, m.Norm)
	} else {
		unbiased(m.Norm)
	}
}

// Follow moves the running statistics of a batch norm (C) towards those that m has gathered.
func Follow(mean, variance []Float, m *kernels.Norm) {
	follow(mean, m.Mean, 1)
	follow(variance, m.Var, unbiased(m))
}

// unbiased is the factor from the biased variance to the unbiased one. It panics if there is none.
func unbiased(m *kernels.Norm) float64 {
	n := float64(m.N * m.HW)
	if n < 2 {
		panic(fmt.Sprintf("batch norm in training needs more than one value per channel, have %d images of %d pixels", m.N, m.HW))
	}
	return n / (n - 1)
}

func follow(running []Float, batch []float64, scale float64) {
	for c, v := range batch {
		running[c] = Float((1-Momentum)*float64(running[c]) + Momentum*scale*v)
	}
}

// gradients writes the gradients at gamma and beta, once the sums are gathered.
func (m *norm) gradients(v Vectors) {
	m.Gradients(m.gamma.Of(v.Grads), m.beta.Of(v.Grads), m.gamma.Of(v.Values))
}

// normReLU is a batch norm with an optional ReLU as a layer.
type normReLU struct {
	norm BatchNorm
	relu bool
}

func (s normReLU) Build(p *Plan, in Shape) Layer {
	return &normLayer{norm: newNorm(p, s.norm, in, s.relu, new(Slots))}
}

type normLayer struct{ *norm }

func (l *normLayer) Forward(y, x []Float, v Vectors) {
	if m := l.gather(); m != nil {
		m.Gather(x)
	}
	l.settle(v)
	l.Apply(y, x)
	l.run.Lap("batch norm", Forward)
}

func (l *normLayer) Backward(dx, x, y, g []Float, v Vectors) {
	l.Sums(x, g)
	l.gradients(v)
	if dx != nil {
		l.norm.Backward(dx, x, g)
	}
	l.run.Lap("batch norm", Backward)
}

// InPlace reports that dx may be g.
func (l *normLayer) InPlace() bool { return true }

// Forgets says that its output is not read.
func (l *normLayer) Forgets() (x, y bool) { return false, true }
