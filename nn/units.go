package nn

import "cmp"

// builder is a spec, or several fused ones, that becomes one layer.
type builder interface {
	Build(p *Plan, in Shape) Layer
}

// fused is one builder with the specs that it stands for.
type fused struct {
	name  string // of the first spec
	specs Sequential
	build builder
}

// flatten writes nested Sequentials out.
func flatten(name string, s Sequential) Sequential {
	var flat Sequential
	for _, n := range s {
		if inner, ok := n.Spec.(Sequential); ok {
			flat = append(flat, flatten(join(name, n.Name), inner)...)
		} else {
			flat = append(flat, Named{join(name, n.Name), n.Spec})
		}
	}
	return flat
}

// fuse groups neighbours that work better as one layer: a convolution takes the batch norm and the ReLU after it, and these
// the residual block after them; a depthwise convolution takes the 1×1 convolution and the batch norm after it, and what
// follows of the same kind; a batch norm takes the ReLU; a convolution takes the ReLU before it that nothing else took. A
// spec that nothing can build gets a nil builder.
func fuse(s Sequential) []fused {
	var out []fused
	for i := 0; i < len(s); {
		f := fused{name: s[i].Name}
		n := 1
		switch spec := s[i].Spec.(type) {
		case ReLU:
			f.build = spec
			if c, more := fuseSeparable(s, i+1); c != nil {
				c.active = true
				f.name, f.build, n = s[i+1].Name, c, 1+more
			} else if d, ok := specAt[Depthwise](s, i+1); ok {
				f.name, f.build, n = s[i+1].Name, activeDepthwise{d}, 2
			} else if conv, ok := specAt[Conv](s, i+1); ok {
				c, more := fuseConv(conv, s, i+2)
				c.active = true
				f.name, f.build, n = s[i+1].Name, c, 2+more
			}
		case Conv:
			c, more := fuseConv(spec, s, i+1)
			f.build, n = c, 1+more
			if r, ok := specAt[Residual](s, i+n); ok && c.relu && r.takesStem() {
				f.name, f.build, n = f.name+"+"+s[i+n].Name, stemmed{&c, r}, n+1
			}
		case Depthwise:
			f.build = spec
			if c, more := fuseSeparable(s, i); c != nil {
				f.build, n = c, more
			}
		case BatchNorm:
			c := normReLU{norm: spec}
			if _, c.relu = specAt[ReLU](s, i+1); c.relu {
				n = 2
			}
			f.build = c
		default:
			f.build, _ = spec.(builder)
		}
		f.specs = s[i : i+n]
		out = append(out, f)
		i += n
	}
	return out
}

// fuseConv is a convolution with the batch norm and the ReLU that stand at s[i], and how many of these there are.
func fuseConv(conv Conv, s Sequential, i int) (c convNorm, n int) {
	c.conv = conv
	norm, ok := specAt[BatchNorm](s, i)
	if !ok {
		return c, 0
	}
	c.norm = &norm
	if _, c.relu = specAt[ReLU](s, i+1); c.relu {
		return c, 2
	}
	return c, 1
}

func specAt[T Spec](s Sequential, i int) (t T, ok bool) {
	if i < len(s) {
		t, ok = s[i].Spec.(T)
	}
	return t, ok
}

// unit is one node of a program: a builder with its shapes and its part of the flat vectors.
type unit struct {
	name            string
	build           builder
	in, out         Shape
	values, buffers Span
}

// vectors is the unit's part of v.
func (u *unit) vectors(v Vectors) Vectors {
	return Vectors{u.values.Of(v.Values), u.values.Of(v.Grads), u.buffers.Of(v.Buffers)}
}

// units cuts a net into units, whose parameters and buffers stand in the order of Layouts.
func units(s Sequential, in Shape) (us []unit, err error) {
	var sizes Slots // of everything so far
	for _, f := range fuse(flatten("", s)) {
		first, start := sizes, in
		err := Walk(f.specs, in, func(site Site) error {
			for _, p := range site.Spec.Params(site.In) {
				if p.Kind.Buffer() {
					sizes.Buffer(p.Len())
				} else {
					sizes.Value(p.Len())
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if in, err = f.specs.Out(in); err != nil {
			return nil, err
		}
		us = append(us, unit{
			name:    cmp.Or(f.name, f.specs[0].Spec.Kind()),
			build:   f.build,
			in:      start,
			out:     in,
			values:  Span{first.values, sizes.values},
			buffers: Span{first.buffers, sizes.buffers},
		})
	}
	return us, nil
}
