package nn

import (
	"math"

	"espalier/internal/rng"
)

// Init sets the weights as torchvision's ResNets begin: convolutions normal with variance 2/fan, where the fan is the number
// of outputs that an input reaches, KH·KW·OC (He et al., 2015, "fan out"), and KH·KW in a depthwise convolution; linear
// weights and biases uniform in ±1/√IN; gamma and the running variances 1, beta and the running means 0.
//
// Every tensor draws from a stream of its own, (seed, "init", name), so a layer more or less does not change the others.
// Values are rounded to float32 in both precisions.
func (p *Params) Init(seed uint64) {
	in := 1 // of the linear layer whose bias comes next
	for _, part := range p.Layout.Parts() {
		v, s := part.Of(p.Values), part.Shape
		r := rng.New(seed, "init", part.Name)
		switch part.Kind {
		case ConvWeight:
			normal(v, r, s[0]*s[1]*s[3])
		case DepthwiseWeight:
			normal(v, r, s[0]*s[1])
		case LinearWeight:
			in = s[0]
			uniform(v, r, in)
		case Bias:
			uniform(v, r, in)
		case NormGamma:
			constant(v, 1)
		default:
			constant(v, 0)
		}
	}
	for _, part := range p.BufferLayout.Parts() {
		v := part.Of(p.Buffers)
		if part.Kind == RunningVar {
			constant(v, 1)
		} else {
			constant(v, 0)
		}
	}
}

func normal(v []Float, r *rng.Stream, fan int) {
	std := math.Sqrt(2 / float64(fan))
	for i := range v {
		v[i] = Float(float32(std * r.NormFloat64()))
	}
}

func uniform(v []Float, r *rng.Stream, in int) {
	bound := 1 / math.Sqrt(float64(in))
	for i := range v {
		v[i] = Float(float32(bound * (2*r.Float64() - 1)))
	}
}

func constant(v []Float, c Float) {
	for i := range v {
		v[i] = c
	}
}
