package nn

import (
	"cmp"
	"slices"
	"time"
)

// Direction is one half of a training step.
type Direction uint8

// The two passes.
const (
	Forward Direction = iota
	Backward
)

// Profile is where the time of a program goes.
type Profile struct {
	clock func() time.Duration
	last  time.Duration
	unit  string
	rows  map[rowKey]*Row
}

type rowKey struct{ unit, kind string }

// Row is one kind of work within one unit.
type Row struct {
	Unit string // such as layer1.0
	Kind string // such as "conv 3x3"
	// Time spent, and how often, in all steps since the profile began. What is fused counts with the kind that it is fused
	// into: batch norm mostly with convolutions.
	Forward, Backward           time.Duration
	ForwardCalls, BackwardCalls int
}

// newProfile measures by clock, whose readings must not decrease.
func newProfile(clock func() time.Duration) *Profile {
	return &Profile{clock: clock, rows: make(map[rowKey]*Row)}
}

// enter begins the time of a unit.
func (p *Profile) enter(unit string) { p.unit, p.last = unit, p.clock() }

func (p *Profile) lap(kind string, d Direction) {
	now := p.clock()
	key := rowKey{p.unit, kind}
	r := p.rows[key]
	if r == nil {
		r = &Row{Unit: p.unit, Kind: kind}
		p.rows[key] = r
	}
	if d == Forward {
		r.Forward += now - p.last
		r.ForwardCalls++
	} else {
		r.Backward += now - p.last
		r.BackwardCalls++
	}
	p.last = now
}

// Rows are the measurements, by unit and kind in alphabetical order.
func (p *Profile) Rows() []Row {
	out := make([]Row, 0, len(p.rows))
	for _, r := range p.rows {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Row) int { return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Kind, b.Kind)) })
	return out
}

// Kinds adds the rows of all units up, one row a kind, the most expensive first. Unit is empty.
func (p *Profile) Kinds() []Row {
	var out []Row
	for _, r := range p.Rows() {
		i := slices.IndexFunc(out, func(o Row) bool { return o.Kind == r.Kind })
		if i < 0 {
			i = len(out)
			out = append(out, Row{Kind: r.Kind})
		}
		o := &out[i]
		o.Forward += r.Forward
		o.Backward += r.Backward
		o.ForwardCalls += r.ForwardCalls
		o.BackwardCalls += r.BackwardCalls
	}
	slices.SortStableFunc(out, func(a, b Row) int { return cmp.Compare(b.Forward+b.Backward, a.Forward+a.Backward) })
	return out
}
