package search

import (
	"testing"

	"espalier/internal/rng"
)

// TestMutate: a mutation is an architecture of the space that differs in one edge, and in time every change happens.
func TestMutate(t *testing.T) {
	for _, s := range []*Space{DARTS(), NASBench201(), RobustDARTS1(), RobustDARTS3()} {
		random := rng.New(1, s.Name)
		g := s.Sample(Registry{}, random)
		ops, sources, seen := 0, 0, map[Choice]bool{}
		for range 2000 {
			m := s.Mutate(Registry{}, g, random)
			if err := m.Validate(Registry{}); err != nil {
				t.Fatalf("%s: %v", s.Name, err)
			}
			changed := 0
			for cell := range s.Cells {
				c, before, after := &s.Cells[cell], g.wiring(cell).Edges, m.wiring(cell).Edges
				for i, e := range after {
					seen[e] = true
					if c.Keep > 0 && (Registry{}).passes(e.Op) == false {
						t.Fatalf("%s: %v has none", s.Name, m)
					}
					found := false
					for _, name := range c.Edges[c.edge(e)].Primitives {
						found = found || name == e.Op
					}
					if !found {
						t.Fatalf("%s: %v is no candidate of its edge", s.Name, e)
					}
					if e == before[i] {
						continue
					}
					if changed++; e.From == before[i].From {
						ops++
					} else {
						sources++
					}
				}
			}
			if changed != 1 {
				t.Fatalf("%s: %v became %v: %d changes, want 1", s.Name, g, m, changed)
			}
			g = m
		}
		if staged := s.Skeleton == Staged; staged != (sources == 0) || !staged && (sources < 850 || ops < 850) {
			t.Errorf("%s: %d changes of an operation, %d of a source", s.Name, ops, sources)
		}
		if s.Name == "nas-bench-201" && len(seen) != 30 {
			t.Errorf("%d of 30 choices were seen", len(seen))
		}
	}
}
