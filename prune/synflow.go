package prune

import (
	"fmt"
	"math"
	"slices"

	"espalier/internal/kernels"
	"espalier/nn"
)

// SynFlow keeps the weights through which most flows from input to output, and needs no data (Tanaka, Kunin, Yamins and
// Ganguli, "Pruning neural networks without any data by iteratively conserving synaptic flow", 2020): with |θ| for θ and an
// input of ones, R is the sum of the outputs and the score θ⊙∂R/∂θ. The density falls to the target in Rounds rounds along a
// geometric sequence, scores being measured anew in each under the mask so far: in one round whole layers can go.
//
// Batch norm is the fixed scale |γ|/√(σ²+ε) of its running variance, without shift, and biases are zero, as all these are at
// initialisation. Then the network is positively homogeneous, each layer's scores add up to R where nothing leads past the
// layer, and R may be computed unit by unit, each unit's input and output gradient divided by a power of two, which is
// exact: R of a deep network is beyond single precision, and beyond double in a very deep one.
type SynFlow struct {
	Rounds int `yaml:"rounds" help:"in which the density falls"`
}

// DefaultSynFlow has the paper's 100 rounds.
func DefaultSynFlow() SynFlow { return SynFlow{Rounds: 100} }

// Validate says what is wrong with the options.
func (s SynFlow) Validate() error {
	if s.Rounds < 1 {
		return fmt.Errorf("prune: synflow in %d rounds", s.Rounds)
	}
	return nil
}

// Passes implements Priced.
func (s SynFlow) Passes(*Problem) int { return s.Rounds }

// Mask implements OneShot. It costs Rounds forward and backward passes of one image.
func (s SynFlow) Mask(p *Problem, o Options) (*Mask, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	last, err := newRanking(p.Net.Params.Layout, o)
	if err != nil {
		return nil, err
	}
	f, err := newFlow(p.Net)
	if err != nil {
		return nil, err
	}
	prunable := Prunable(p.Net.Params.Layout)
	total := 0
	for _, p := range prunable {
		total += p.Len
	}
	density := float64(last.k) / float64(total)
	m := o.Within
	for round := 1; round <= s.Rounds; round++ {
		share := float64(round) / float64(s.Rounds)
		step := o
		step.Within = m
		if round < s.Rounds {
			step.Sparsity, step.Counts = 1-math.Pow(density, share), onTheWay(prunable, o.Counts, share)
		}
		if m != nil && step.Counts == nil && keeps(step.Sparsity, total) > m.Kept() {
			continue // within a mask that is sparser than this already
		}
		r, err := newRanking(p.Net.Params.Layout, step)
		if err != nil {
			return nil, err
		}
		if m, err = r.mask(f.scores(m)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// onTheWay are counts of which each fell from all weights of its tensor along a geometric sequence.
func onTheWay(parts []nn.Part, counts map[string]int, share float64) map[string]int {
	if counts == nil {
		return nil
	}
	way := map[string]int{}
	for _, p := range parts {
		if k, ok := counts[p.Name]; ok {
			way[p.Name] = int(math.Ceil(float64(p.Len) * math.Pow(float64(k)/float64(p.Len), share)))
		}
	}
	return way
}

// synapticFlow is a network of absolute weights, cut into units that run by themselves.
type synapticFlow struct {
	layout          *nn.Layout
	buffers         *nn.Layout
	values, statics []nn.Float
	units           []flowUnit
	x               []nn.Float // ones
}

// flowUnit is a unit with its memory.
type flowUnit struct {
	layer nn.Layer
	v     nn.Vectors
	y, g  []nn.Float // the output, and the gradient at it
	e, f  int        // true value = 2^e · value of the unit's input; of the gradient at its output
	parts []nn.Part
}

// newFlow takes absolute weights of the net, and cuts it.
func newFlow(net *nn.Net) (*synapticFlow, error) {
	w := net.Params
	f := &synapticFlow{layout: w.Layout, buffers: w.BufferLayout, values: slices.Clone(w.Values), statics: slices.Clone(w.Buffers)}
	for _, p := range w.Layout.Parts() {
		for i, x := range p.Of(f.values) {
			p.Of(f.values)[i] = max(x, -x)
		}
		if p.Kind == nn.Bias || p.Kind == nn.NormBeta {
			clear(p.Of(f.values))
		}
	}
	for _, p := range w.BufferLayout.Parts() {
		if p.Kind == nn.RunningMean {
			clear(p.Of(f.statics))
		}
	}
	f.x = kernels.Alloc(net.In.Len())
	for i := range f.x {
		f.x[i] = 1
	}
	return f, f.cut("", net.Spec, net.In)
}

// cut appends the units of a chain.
func (f *synapticFlow) cut(name string, s nn.Sequential, in nn.Shape) error {
	for _, n := range s {
		full := name + n.Name
		if name != "" && n.Name != "" {
			full = name + "." + n.Name
		}
		out, err := n.Spec.Out(in)
		if err != nil {
			return fmt.Errorf("prune: synflow: layer %s: %w", full, err)
		}
		if inner, ok := n.Spec.(nn.Sequential); ok {
			if err := f.cut(full, inner, in); err != nil {
				return err
			}
			in = out
			continue
		}
		builder, ok := n.Spec.(interface {
			Build(*nn.Plan, nn.Shape) nn.Layer
		})
		if !ok {
			return fmt.Errorf("prune: synflow: layer %s is a %s, which has no forward pass of its own", full, n.Spec.Kind())
		}
		plan := nn.NewPlan(1)
		plan.Run.Statistics = nn.RunningStatistics
		u := flowUnit{layer: builder.Build(plan, in), y: kernels.Alloc(out.Len()), g: kernels.Alloc(out.Len())}
		plan.Allocate()
		if err := f.place(&u, nn.Sequential{{Name: full, Spec: n.Spec}}, in); err != nil {
			return err
		}
		f.units = append(f.units, u)
		in = out
	}
	return nil
}

// place finds the unit's part of the flat vectors, in which its tensors stand one after the other.
func (f *synapticFlow) place(u *flowUnit, s nn.Sequential, in nn.Shape) error {
	var statistics []nn.Part
	err := nn.Walk(s, in, func(site nn.Site) error {
		for _, p := range site.Spec.Params(site.In) {
			name := site.Name + "." + p.Name
			if part, ok := f.buffers.Lookup(name); ok {
				statistics = append(statistics, part)
			} else if part, ok := f.layout.Lookup(name); ok {
				u.parts = append(u.parts, part)
			} else {
				return fmt.Errorf("prune: synflow: the network has no tensor %s", name)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n := len(u.parts); n > 0 {
		from, to := u.parts[0].Offset, u.parts[n-1].Offset+u.parts[n-1].Len
		u.v.Values, u.v.Grads = f.values[from:to], kernels.Alloc(to-from)
	}
	if n := len(statistics); n > 0 {
		u.v.Buffers = f.statics[statistics[0].Offset : statistics[n-1].Offset+statistics[n-1].Len]
	}
	return nil
}

// scores are θ⊙∂R/∂θ/R′ under a mask (nil: none), with R′ the power of two next to R, so that they are within reach. If
// nothing reaches the output, all are zero.
func (f *synapticFlow) scores(m *Mask) []nn.Float {
	if m != nil {
		m.Apply(f.values)
	}
	scores := f.layout.New()
	x, e := f.x, 0
	for i := range f.units {
		u := &f.units[i]
		u.e = e
		u.layer.Forward(u.y, x, u.v)
		e += normalise(u.y)
		x = u.y
	}
	sum := 0.0
	for _, y := range x {
		sum += float64(y)
	}
	if sum == 0 {
		return scores
	}
	total := e + math.Ilogb(sum) // of R
	last := f.units[len(f.units)-1].g
	for i := range last {
		last[i] = 1
	}
	exponent := 0
	for i := len(f.units) - 1; i >= 0; i-- {
		u := &f.units[i]
		u.f = exponent
		in, dx := f.x, []nn.Float(nil)
		if i > 0 {
			in, dx = f.units[i-1].y, f.units[i-1].g
		}
		// The output stands scaled in memory, by a power of two: what a layer reads off it is its sign.
		u.layer.Backward(dx, in, u.y, u.g, u.v)
		exponent += normalise(dx)
		for _, p := range u.parts {
			if !p.Kind.Weight() {
				continue
			}
			first := u.parts[0].Offset
			g, w, to := u.v.Grads[p.Offset-first:], p.Of(f.values), p.Of(scores)
			for k := range to {
				to[k] = nn.Float(math.Ldexp(float64(w[k])*float64(g[k]), u.e+u.f-total))
			}
		}
	}
	return scores
}

// normalise divides x by the power of two that brings its largest element to [1,2), and returns the exponent. Zeros stay.
func normalise(x []nn.Float) int {
	var largest nn.Float
	for _, v := range x {
		largest = max(largest, v, -v)
	}
	if largest == 0 {
		return 0
	}
	e := math.Ilogb(float64(largest))
	kernels.Scale(x, nn.Float(math.Ldexp(1, -e)))
	return e
}
