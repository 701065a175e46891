package supernet

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
)

// bench is a cell of one node with a primitive on each edge, taken out of its net, and what it reads.
type bench struct {
	net    *Net
	cell   *cell
	name   string // of its edges' lists of candidates
	row    search.Row
	edges  []search.Edge
	stride int
	norm   bool // after pools
	params *nn.Params
	alpha  []nn.Float
	inputs [][]nn.Float
	g      []nn.Float // the gradient at the output
}

// newBench takes a primitive's cell of the given stride and channels out of a net, in a skeleton of one input where pools have
// no norm.
func newBench(t *testing.T, primitive string, stride, channels int, skeleton search.Skeleton, memory Memory) *bench {
	t.Helper()
	o := Options{Input: nn.Shape{H: 8, W: 4, C: 3}, Classes: 2, Channels: channels, Cells: 3, Batch: 3, Memory: memory}
	s := single(primitive)
	b := &bench{stride: stride, norm: true, edges: s.Cells[0].Edges}
	switch {
	case skeleton == search.Staged:
		b.edges = []search.Edge{{From: 0, To: 1, Primitives: b.edges[0].Primitives}}
		s.Skeleton, s.Cells = search.Staged, []search.Cell{{Name: "cell", Nodes: 1, Edges: b.edges, Concat: []int{1}}}
		o.Cells, b.norm = 1, false
	case stride == 2: // the only cell of a net is reducing, and doubles the channels
		o.Channels, o.Cells = channels/2, 1
	}
	n, err := New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	b.net, b.params = n, n.NewParams()
	first := slices.IndexFunc(n.links, func(l *link) bool { _, ok := l.body.(*cellLink); return ok })
	b.cell, b.name = n.links[first].body.(*cellLink).cell, n.links[first].name
	b.row = search.NewAlpha(s).Row(stride-1, 0) // the normal cell is the first kind
	if got := b.cell.nodes[0].shape.C; got != channels || b.cell.out.H*stride != b.cell.nodes[0].shape.H {
		t.Fatalf("the cell has %d channels and makes %v of %v", got, b.cell.out, b.cell.nodes[0].shape)
	}
	return b
}

// draw gives the cell weights and inputs.
func (b *bench) draw(seed uint64) {
	r := rng.New(seed, "exact")
	b.params.Init(seed)
	numbers := func(n int) []nn.Float {
		v := make([]nn.Float, n)
		for i := range v {
			v[i] = nn.Float(float32(r.NormFloat64()))
		}
		return v
	}
	b.alpha = numbers(b.net.Space().Weights())
	b.inputs = nil
	for _, n := range b.cell.nodes[:b.cell.inputs] {
		b.inputs = append(b.inputs, numbers(b.net.Batch()*n.shape.Len()))
	}
	b.g = numbers(b.net.Batch() * b.cell.out.Len())
}

// results are what a cell computes, by name.
type results map[string][]float64

func (r results) add(name string, v []nn.Float) {
	for _, x := range v {
		r[name] = append(r[name], float64(x))
	}
}

// run makes a training pass through the cell.
func (b *bench) run() results {
	n, c := b.net, b.cell
	for i := range b.params.Buffers { // as they are before the first step
		b.params.Buffers[i] = 0
	}
	for _, p := range n.BufferLayout.Parts() {
		if strings.HasSuffix(p.Name, "running_var") {
			fill(p.Of(b.params.Buffers), 1)
		}
	}
	n.pass.Statistics, n.pass.weights = nn.UpdateStatistics, true
	grads := n.Layout.New()
	v := &vectors{parts: []span{{0, len(grads)}}, values: [][]nn.Float{b.params.Values}, buffers: b.params.Buffers}
	for i, x := range b.inputs {
		c.nodes[i].data.Data = slices.Clone(x)
		c.nodes[i].grad.Data = make([]nn.Float, len(x))
	}
	mixture, dmixture, dalpha := make([]nn.Float, len(b.alpha)), make([]nn.Float, len(b.alpha)), make([]nn.Float, len(b.alpha))
	n.softmax.Weights(mixture, b.alpha)
	y := make([]nn.Float, len(b.g))
	c.forward(y, v, mixture)
	v.grads = [][]nn.Float{grads}
	c.backward(slices.Clone(b.g), v, mixture, dmixture)
	n.softmax.Gradient(dalpha, b.alpha, mixture, dmixture)

	all := results{}
	all.add("output", y)
	for i := range b.inputs {
		all.add(fmt.Sprintf("gradient at input %d", i), c.nodes[i].grad.Data)
	}
	k := b.row.Offset
	all.add("gradient at α", dalpha[k:][:len(b.edges)*len(b.edges[0].Primitives)])
	for _, p := range n.Layout.Parts() {
		if strings.HasPrefix(p.Name, b.name+".") && !strings.Contains(p.Name, "preprocess") {
			all.add("gradient at "+p.Name, p.Of(grads))
		}
	}
	for _, p := range n.BufferLayout.Parts() {
		if strings.HasPrefix(p.Name, b.name+".") && !strings.Contains(p.Name, "preprocess") {
			all.add(p.Name, p.Of(b.params.Buffers))
		}
	}
	return all
}

// point is what a cell's output depends on, in double precision: inputs, weights by layer, α.
type point struct {
	inputs  [][]float64
	weights map[string][]float64
	alpha   []float64
}

func wide(v []nn.Float) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

func (b *bench) point() point {
	p := point{weights: make(map[string][]float64), alpha: wide(b.alpha[b.row.Offset:][:len(b.edges)*len(b.edges[0].Primitives)])}
	for _, x := range b.inputs {
		p.inputs = append(p.inputs, wide(x))
	}
	for _, q := range b.net.Layout.Parts() {
		if layer, ok := strings.CutSuffix(q.Name, ".weight"); ok && strings.HasPrefix(layer, b.name+".") && !strings.Contains(layer, "preprocess") {
			p.weights[layer] = wide(q.Of(b.params.Values))
		}
	}
	return p
}

// twin computes at a point what run does, and the product of the output with g.
func (b *bench) twin(p point) (all results, product, kink float64) {
	t := newTwin(p.weights)
	shape := b.cell.nodes[0].shape
	var xs []*array
	for _, v := range p.inputs {
		x := newArray(b.net.Batch(), shape.H, shape.W, shape.C)
		x.v = v
		xs = append(xs, x)
	}
	y := newArray(b.net.Batch(), b.cell.out.H, b.cell.out.W, b.cell.out.C)
	da := make([]float64, len(p.alpha))
	for e, edge := range b.edges {
		at := fmt.Sprintf("%s._ops.%d._ops", b.name, e)
		if !b.norm {
			at = fmt.Sprintf("%s.edges.%d<-%d", b.name, edge.To, edge.From)
		}
		var candidates []*array
		for k, primitive := range edge.Primitives {
			candidates = append(candidates, t.primitive(primitive, fmt.Sprintf("%s.%d", at, k), xs[edge.From], b.stride, b.norm))
		}
		n := len(candidates)
		t.mix(candidates, p.alpha[e*n:][:n], da[e*n:][:n], y)
	}
	for i, g := range wide(b.g) {
		y.g[i] = g
		product += g * y.v[i]
	}
	t.back()

	all = results{"output": y.v, "gradient at α": da}
	for i, x := range xs {
		all[fmt.Sprintf("gradient at input %d", i)] = x.g
	}
	for layer, g := range t.gradient {
		all["gradient at "+layer+".weight"] = g
	}
	for layer, mean := range t.mean {
		variance := t.variance[layer]
		m, v := make([]float64, len(mean)), make([]float64, len(mean))
		for c := range mean {
			m[c], v[c] = 0.1*mean[c], 0.9+0.1*variance[c]
		}
		all[layer+".running_mean"], all[layer+".running_var"] = m, v
	}
	return all, product, t.kink
}

// slopes compares the twin's gradients with differences along directions in which its inputs, its weights and α go.
func (b *bench) slopes(t *testing.T, all results) {
	t.Helper()
	const h = 1e-7
	check := func(what string, of func(p point) []float64, gradient []float64) {
		r, want, size := rng.New(1, what), 0.0, 0.0
		direction := make([]float64, len(gradient))
		for i, g := range gradient {
			direction[i] = max(-3, min(3, r.NormFloat64()))
			want += direction[i] * g
			size += g * g
		}
		got := 0.0
		for _, sign := range []float64{1, -1} {
			p := b.point()
			for i, d := range direction {
				of(p)[i] += sign * h * d
			}
			_, product, _ := b.twin(p)
			got += sign * product / (2 * h)
		}
		if !(math.Abs(got-want) <= 1e-5*(0.1+math.Sqrt(size))) {
			t.Errorf("%s: differences give the twin's slope %v, its gradient %v", what, got, want)
		}
	}
	for i := range b.inputs {
		what := fmt.Sprintf("gradient at input %d", i)
		check(what, func(p point) []float64 { return p.inputs[i] }, all[what])
	}
	check("gradient at α", func(p point) []float64 { return p.alpha }, all["gradient at α"])
	for layer := range b.point().weights {
		what := "gradient at " + layer + ".weight"
		check(what, func(p point) []float64 { return p.weights[layer] }, all[what])
	}
}

// Every primitive of both strides, for all numbers of channels, gives what a twin of plain loops in double precision gives:
// output, gradients at its inputs, at α and at its weights, and the running statistics. The twin's own gradients are those
// that differences give.
func TestPrimitives(t *testing.T) {
	tolerance := 1e-4
	if double {
		tolerance = 1e-9
	}
	const room = 2e-5 // no number is as near to the other side of a ReLU or a maximum, so that rounding takes none there
	for _, primitive := range (search.Registry{}).Names() {
		if primitive == "noise" {
			continue // another draw in every pass
		}
		t.Run(primitive, func(t *testing.T) {
			for _, place := range []struct {
				stride   int
				skeleton search.Skeleton
			}{{1, search.Stacked}, {2, search.Stacked}, {1, search.Staged}} {
				if place.skeleton == search.Staged && !strings.Contains(primitive, "pool") {
					continue // is as in the other
				}
				for _, channels := range []int{4, 8, 12, 16, 20, 36} {
					var want results
					for _, memory := range []Memory{Keep, Recompute} {
						b := newBench(t, primitive, place.stride, channels, place.skeleton, memory)
						seed := uint64(0)
						for kink := 0.0; kink < room; {
							if seed++; seed > 100 {
								t.Fatal("a number stands at a kink whatever is drawn")
							}
							b.draw(seed)
							want, _, kink = b.twin(b.point())
						}
						what := fmt.Sprintf("stride %d, %d channels, %s, %s", place.stride, channels, place.skeleton, memory)
						compare(t, what, b.run(), want, tolerance)
						if memory == Keep && channels < 10 {
							b.slopes(t, want)
						}
					}
				}
			}
		})
	}
}

func compare(t *testing.T, what string, got, want results, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d results, the twin has %d", what, len(got), len(want))
	}
	for name, w := range want {
		g := got[name]
		if len(g) != len(w) {
			t.Errorf("%s, %s: %d elements, the twin has %d", what, name, len(g), len(w))
			continue
		}
		distance, length := 0.0, 0.0
		for i := range w {
			distance += (g[i] - w[i]) * (g[i] - w[i])
			length += w[i] * w[i]
		}
		if !(math.Sqrt(distance) <= tolerance*(1e-3+math.Sqrt(length))) {
			t.Errorf("%s, %s: %.3g from the twin's, which is %.3g long", what, name, math.Sqrt(distance), math.Sqrt(length))
		}
	}
}
