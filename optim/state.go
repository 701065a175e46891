package optim

import (
	"fmt"
	"maps"
	"slices"

	"espalier/internal/kernels"
)

// State is the state of an optimizer or of an average, by name. It holds everything that is not an option.
type State struct {
	Vectors  map[string][]kernels.Float
	Counters map[string]int64
}

// Clone returns a copy that later steps do not change.
func (s State) Clone() State {
	c := State{Counters: maps.Clone(s.Counters)}
	if s.Vectors != nil {
		c.Vectors = make(map[string][]kernels.Float, len(s.Vectors))
	}
	for name, v := range s.Vectors {
		c.Vectors[name] = slices.Clone(v)
	}
	return c
}

// match checks that s has the vectors and counters of own, and nothing else.
func (s State) match(own State) error {
	for _, name := range slices.Sorted(maps.Keys(own.Vectors)) {
		v, ok := s.Vectors[name]
		if !ok {
			return fmt.Errorf("optim: the state to restore has no vector %q", name)
		}
		if len(v) != len(own.Vectors[name]) {
			return fmt.Errorf("optim: the state to restore has %d elements in vector %q, not %d", len(v), name, len(own.Vectors[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(own.Counters)) {
		n, ok := s.Counters[name]
		if !ok {
			return fmt.Errorf("optim: the state to restore has no counter %q", name)
		}
		if n < 0 {
			return fmt.Errorf("optim: the state to restore has %d in counter %q", n, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Vectors)) {
		if _, ok := own.Vectors[name]; !ok {
			return fmt.Errorf("optim: the state to restore has a vector %q, which nothing here uses", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Counters)) {
		if _, ok := own.Counters[name]; !ok {
			return fmt.Errorf("optim: the state to restore has a counter %q, which nothing here uses", name)
		}
	}
	return nil
}
