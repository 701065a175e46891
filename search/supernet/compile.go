package supernet

import (
	"reflect"

	"espalier/internal/kernels"
	"espalier/nn"
	"espalier/search"
)

// compile makes the candidate that layers describe if it is of a kind that runs faster than layers one by one; else it returns
// nil.
func (b *builder) compile(layers nn.Sequential, at place) (candidate, error) {
	flat := flatten(at.name, layers)
	if c := b.pooledOf(flat, at); c != nil {
		return c, nil
	}
	stages := stagesOf(flat)
	if reflect.DeepEqual(layers, search.FactorizedReduce(at.to.shape.C, true)) {
		stages = []stageSpec{{
			relu: true, reduces: true, conv: nn.Conv{Channels: at.to.shape.C}, name: at.name, norm: at.name + ".bn",
		}}
	}
	if stages == nil {
		return nil, nil
	}
	c := &chained{place: at, pass: &b.Net.pass, active: stages[0].relu, gamma: make([]nn.Float, at.to.shape.C)}
	if c.active {
		b.rectify(b.source(at.from))
	}
	in := at.from.shape
	for k, t := range stages {
		s := &stage{}
		var err error
		if in, err = b.convolve(s, t, in); err != nil {
			return nil, err
		}
		s.norm = b.norm(t.norm, in, k+1 < len(stages) && stages[k+1].relu)
		s.z = b.save(b.batch() * in.Len())
		if k+1 < len(stages) {
			first, n := b.edgeFirst, b.batch()*in.Len()
			b.short = append(b.short, func(last int) { s.g = b.plan.BackSpan(n, last, first) })
		}
		c.stages = append(c.stages, s)
	}
	if in != at.to.shape {
		return nil, nil
	}
	return c, nil
}

// flatten writes nested lists out.
func flatten(name string, s nn.Sequential) (flat nn.Sequential) {
	for _, n := range s {
		full := name
		if n.Name != "" {
			full += "." + n.Name
		}
		if inner, ok := n.Spec.(nn.Sequential); ok {
			flat = append(flat, flatten(full, inner)...)
		} else {
			flat = append(flat, nn.Named{Name: full, Spec: n.Spec})
		}
	}
	return flat
}

// pooledOf is the candidate of a pool, with or without a batch norm, or nil.
func (b *builder) pooledOf(flat nn.Sequential, at place) candidate {
	if len(flat) == 0 || len(flat) > 2 {
		return nil
	}
	switch p := flat[0].Spec.(type) {
	case nn.MaxPool, nn.AvgPool:
		if out, err := p.Out(at.from.shape); err != nil || out != at.to.shape || out.Len() > at.from.shape.Len() {
			return nil
		}
	default:
		return nil
	}
	plain := len(flat) == 2 && flat[1].Spec == nn.Spec(nn.BatchNorm{Plain: true})
	if len(flat) == 2 && !plain {
		return nil
	}
	c := &pooled{weighed: newWeighed(b.batch(), at.to.shape), place: at}
	c.pool = b.pool(b.source(at.from), flat[0].Spec, at.to.shape)
	if plain {
		m := b.norm(flat[1].Name, at.to.shape, false)
		c.norm = &m
		if c.pool.gather == nil {
			c.pool.gather = kernels.NewNorm(b.batch(), at.to.shape.H*at.to.shape.W, at.to.shape.C, false)
		}
	}
	return c
}

// stageSpec describes a stage: the names of its tensors' layers.
type stageSpec struct {
	relu      bool // before it
	depth     *nn.Depthwise
	conv      nn.Conv
	depthName string
	reduces   bool   // the convolution is that of search.FactorizedReduce
	name      string // of the convolution
	norm      string
}

// stagesOf reads a list as stages; nil if it is none.
func stagesOf(flat nn.Sequential) (stages []stageSpec) {
	next := func() nn.Spec {
		if len(flat) == 0 {
			return nil
		}
		return flat[0].Spec
	}
	for len(flat) > 0 {
		var s stageSpec
		if _, s.relu = next().(nn.ReLU); s.relu {
			flat = flat[1:]
		}
		if d, ok := next().(nn.Depthwise); ok {
			s.depth, s.depthName, flat = &d, flat[0].Name, flat[1:]
		}
		conv, ok := next().(nn.Conv)
		if !ok || s.depth != nil && (conv.Kernel != 1 || conv.Stride > 1 || conv.Pad != 0) {
			return nil
		}
		s.conv, s.name, flat = conv, flat[0].Name, flat[1:]
		if norm, ok := next().(nn.BatchNorm); !ok || !norm.Plain {
			return nil
		}
		s.norm, flat = flat[0].Name, flat[1:]
		stages = append(stages, s)
	}
	return stages
}

// convolve plans the convolutions of a stage and returns the shape of their output.
func (b *builder) convolve(s *stage, t stageSpec, in nn.Shape) (nn.Shape, error) {
	weight := func(i int, name string) error {
		at, err := b.weight(name)
		s.weights[i] = at
		b.used = b.used.join(at)
		return err
	}
	if t.reduces {
		r, out, err := newReducing(b.batch(), in, t.conv.Channels)
		if err != nil {
			return out, err
		}
		s.reducing = r
		if err := weight(0, t.name+".conv_1"); err != nil {
			return out, err
		}
		return out, weight(1, t.name+".conv_2")
	}
	if t.depth == nil {
		out, err := t.conv.Out(in)
		if err != nil {
			return out, err
		}
		s.conv = kernels.NewConv(convShape(b.batch(), in, t.conv.Channels, t.conv.Kernel, t.conv.Stride, t.conv.Pad, t.conv.Dilation))
		return out, weight(0, t.name)
	}
	out, err := t.depth.Out(in)
	if err != nil {
		return out, err
	}
	out.C = t.conv.Channels
	s.separable = kernels.NewSeparable(convShape(b.batch(), in, in.C, t.depth.Kernel, t.depth.Stride, t.depth.Pad, t.depth.Dilation), out.C)
	if err := weight(0, t.depthName); err != nil {
		return out, err
	}
	return out, weight(1, t.name)
}

func convShape(n int, in nn.Shape, oc, kernel, stride, pad, dilation int) kernels.ConvShape {
	return kernels.ConvShape{N: n, H: in.H, W: in.W, IC: in.C, OC: oc, KH: kernel, KW: kernel,
		Stride: max(1, stride), Pad: pad, Dilation: max(1, dilation)}
}
