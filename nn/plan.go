package nn

import "espalier/internal/rng"

// Plan is a program being built. Layers learn the batch size from it, ask it for memory, and keep its Run.
type Plan struct {
	Batch int
	Run   *Run // switches of the program that layers read in every pass

	infer   bool // there is no backward pass
	unit    int  // the moment of what is being built
	buffers []*Buffer
}

// NewPlan begins a plan for layers that run by themselves, outside a program. Allocate ends it.
func NewPlan(batch int) *Plan { return &Plan{Batch: batch, Run: new(Run)} }

// Keep asks for n elements that last from the layer's forward pass to its backward pass.
func (p *Plan) Keep(n int) *Buffer {
	if p.infer {
		return p.Temp(n)
	}
	return p.add(n, forward(p.unit), backward(p.unit))
}

// Temp asks for n elements that last during the layer's forward pass.
func (p *Plan) Temp(n int) *Buffer { return p.add(n, forward(p.unit), forward(p.unit)) }

// BackTemp asks for n elements that last during the layer's backward pass.
func (p *Plan) BackTemp(n int) *Buffer {
	if p.infer {
		return new(Buffer)
	}
	return p.add(n, backward(p.unit), backward(p.unit))
}

// Next ends the moment of what was built so far: what follows runs after it and, backward, before it.
func (p *Plan) Next() { p.unit++ }

// Moment is the number of the moment in which the plan stands.
func (p *Plan) Moment() int { return p.unit }

// KeepSince is Keep for a moment that has passed.
func (p *Plan) KeepSince(n, moment int) *Buffer {
	if p.infer {
		return p.add(n, forward(moment), forward(p.unit))
	}
	return p.add(n, forward(moment), backward(moment))
}

// ForeSpan asks for n elements that last, in the forward pass, from one moment to another.
func (p *Plan) ForeSpan(n, from, to int) *Buffer { return p.add(n, forward(from), forward(to)) }

// BackSpan asks for n elements that last, in the backward pass, from the given moment to an earlier one, to: for gradients
// at what the moment to made and others read.
func (p *Plan) BackSpan(n, from, to int) *Buffer {
	if p.infer {
		return new(Buffer)
	}
	return p.add(n, backward(from), backward(to))
}

func (p *Plan) add(n int, from, to moment) *Buffer {
	b := &Buffer{n: n, from: from, to: to}
	p.buffers = append(p.buffers, b)
	return b
}

// Allocate gives the layers built so far their memory and returns how many elements that is.
func (p *Plan) Allocate() int { return p.allocate(new(memory)) }

func (p *Plan) allocate(m *memory) int {
	offsets, size := arrange(p.buffers, p.unit+1)
	block := m.take(size)
	for i, b := range p.buffers {
		b.Data = block[offsets[i] : offsets[i]+b.n : offsets[i]+b.n]
	}
	p.buffers = nil
	return size
}

// Statistics says which mean and variance batch norm uses.
type Statistics uint8

const (
	// UpdateStatistics uses the batch's statistics, and running statistics follow them: training.
	UpdateStatistics Statistics = iota
	// BatchStatistics uses the batch's statistics and leaves the running ones alone: passes that look at other weights.
	BatchStatistics
	// RunningStatistics uses the running statistics, as constants: evaluation.
	RunningStatistics
)

// Run holds what can change from pass to pass of a program.
type Run struct {
	Statistics Statistics
	// DropPath is the probability with which a DropPath drops an image's branch, in [0,1).
	DropPath float64
	// Random is where layers draw from that are random in every pass, in the order in which they run; nil stands for a
	// stream that is the same in every program.
	Random *rng.Stream

	labels    []int32 // of the batch; nil without a loss
	loss      Loss
	auxiliary float64 // the auxiliary heads' share in the loss of the running step

	profile *Profile // nil: not measured
}

// Lap counts the time since the last lap of the running layer towards kind, such as "conv 3x3". It does nothing unless the
// program is being profiled.
func (r *Run) Lap(kind string, d Direction) {
	if r.profile != nil {
		r.profile.lap(kind, d)
	}
}
