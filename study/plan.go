package study

import (
	"fmt"

	"espalier/experiment"
)

// stage is a run of the study: a cell, or something that a cell starts from.
type stage struct {
	config experiment.Config
	needs  []*stage            // made before it
	like   []experiment.Config // cells whose parameters it is to have
	cell   bool
	state  state
	err    error
	run    experiment.Run // when it is finished
}

type state int

const (
	waiting state = iota
	running
	finished
	failed
)

// ready reports whether all that s needs is finished.
func (s *stage) ready() bool {
	for _, n := range s.needs {
		if n.state != finished {
			return false
		}
	}
	return s.state == waiting
}

// broken is the error of something that s needs, if that failed.
func (s *stage) broken() error {
	for _, n := range s.needs {
		if n.state == failed {
			return fmt.Errorf("what it starts from failed: %w", n.err)
		}
	}
	return nil
}

// plan is the stages that the cells without a record come to, each once, in an order in which nothing stands before what
// it needs. Failed cells count as done unless retry is set.
func (s *Study) plan(records map[Cell]Record, retry bool) []*stage {
	var order []*stage
	known := make(map[Cell]*stage)
	var add func(c experiment.Config) *stage
	add = func(c experiment.Config) *stage {
		id := CellOf(c)
		if st, ok := known[id]; ok {
			return st
		}
		st := &stage{config: c}
		known[id] = st
		for _, n := range c.Needs() {
			st.needs = append(st.needs, add(n))
		}
		st.like = s.liked(c)
		for _, o := range st.like {
			if r, ok := records[CellOf(o)]; !ok || r.Error != "" && retry {
				st.needs = append(st.needs, add(o))
			}
		}
		order = append(order, st)
		return st
	}
	for _, c := range s.Cells() {
		if r, ok := records[CellOf(c)]; ok && (r.Error == "" || !retry) {
			continue
		}
		add(c).cell = true
	}
	return order
}

// next is the first stage that can run now; it is nil if there is none, and left says whether there will be. Stages that
// cannot run any more are marked as failed.
func next(stages []*stage) (ready *stage, left bool) {
	for _, s := range stages {
		if s.state == waiting {
			if err := s.broken(); err != nil {
				s.state, s.err = failed, err
			}
		}
		if s.state == waiting || s.state == running {
			left = true
		}
		if ready == nil && s.ready() {
			ready = s
		}
	}
	return ready, left
}

// failures says how many cells failed, and why the first.
func failures(stages []*stage) error {
	cells, n := 0, 0
	var first *stage
	for _, s := range stages {
		if !s.cell {
			continue
		}
		cells++
		if s.state == failed {
			if n++; first == nil {
				first = s
			}
		}
	}
	if first == nil {
		return nil
	}
	return fmt.Errorf("study: %d of %d cells failed, first %s, seed %d: %w", n, cells, first.config.Hash(), first.config.Seed, first.err)
}
