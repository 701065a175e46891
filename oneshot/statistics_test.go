package oneshot

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// candidateOf reads the name of a candidate's tensor.
func candidateOf(name string) (cell, edge, op int, ok bool) {
	n, _ := fmt.Sscanf(name, "cells.%d._ops.%d._ops.%d.", &cell, &edge, &op)
	return cell, edge, op, n == 3
}

// TestStatisticsOfEachStep: in each step running statistics follow one pass for each set of weights, the one that moves it: on its
// own split, at its weights before the move, at α where the method is in that moment.
func TestStatisticsOfEachStep(t *testing.T) {
	for name, m := range variants(t) {
		if name == "gdas" || name == "random-ws" {
			continue // another architecture in every pass
		}
		t.Run(name, func(t *testing.T) {
			s, err := New(m, edged(t, Edge(m, Auxiliary{})), course(1))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Begin(0, 0); err != nil {
				t.Fatal(err)
			}
			for step := range 3 {
				var before []*nn.Params
				for _, n := range s.networks {
					before = append(before, n.params.Clone())
				}
				alpha := slices.Clone(s.Alpha.Value)
				if _, err := s.Step(); err != nil {
					t.Fatal(err)
				}
				if len(before) == 1 { // α has moved by then
					alpha = s.Alpha.Value
				}
				for i, p := range before {
					b := s.feed.Batch([]string{TrainSplit, ValSplit}[i])
					_, err := s.net.Gradient(nil, nil, supernet.Pass{
						Params: p, Alpha: alpha, Gate: s.gate, Images: b.X, Labels: b.Labels, Statistics: nn.UpdateStatistics,
					})
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Equal(p.Buffers, s.networks[i].params.Buffers) {
						t.Errorf("step %d: running statistics of %s follow other passes than its own move", step, s.networks[i].Name)
					}
				}
			}
		})
	}
}

// TestLooking: no evaluation, judgement, curvature or choice writes running statistics or moves anything.
func TestLooking(t *testing.T) {
	if testing.Short() {
		t.Skip("searches")
	}
	for name, m := range variants(t) {
		for _, running := range []bool{false, true} {
			p := edged(t, Edge(m, Auxiliary{}))
			p.Running = running
			s := run(t, func() *Problem { return p }, m, course(1), 0)
			before := map[string][]nn.Float{}
			for key, v := range s.vectors() {
				before[key] = slices.Clone(v)
			}
			quiet := func(string, int, int) {}
			if _, err := s.evaluate(t.Context(), 0, quiet); err != nil {
				t.Fatal(err)
			}
			if !running { // it is slow, and asks the mixture the same either way
				if _, err := s.curvature(t.Context(), 0, quiet); err != nil {
					t.Fatal(err)
				}
			}
			g, err := s.Choose(t.Context(), quiet)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Judge(t.Context(), g, 2); err != nil {
				t.Fatal(err)
			}
			for key, v := range s.vectors() {
				if !equal(v, before[key]) {
					t.Errorf("%s, running %v: looking changes %s", name, running, key)
				}
			}
		}
	}
}

// TestJudgedByBatches: an architecture that is derived or drawn is judged by the statistics of the batches, whatever the running
// ones are, which are the mixture's. Problem.Running makes the mixture alone be evaluated by these.
func TestJudgedByBatches(t *testing.T) {
	for name, m := range variants(t) {
		for _, running := range []bool{false, true} {
			p := edged(t, Edge(m, Auxiliary{}))
			p.Running = running
			s := run(t, func() *Problem { return p }, m, course(1), 0)
			g := p.Net.Space().Sample(search.Registry{}, s.Stream("any"))
			look := func() (evaluated, judged nn.Result, chosen string) {
				quiet := func(string, int, int) {}
				evaluated, err := s.evaluate(t.Context(), 0, quiet)
				if err != nil {
					t.Fatal(err)
				}
				if judged, err = s.Judge(t.Context(), g, math.MaxInt); err != nil {
					t.Fatal(err)
				}
				one, err := s.Choose(t.Context(), quiet)
				if err != nil {
					t.Fatal(err)
				}
				return evaluated, judged, one.String()
			}
			evaluated, judged, chosen := look()
			for _, part := range s.net.BufferLayout.Parts() {
				if strings.HasSuffix(part.Name, "running_mean") {
					for i := range part.Of(s.W.params.Buffers) {
						part.Of(s.W.params.Buffers)[i] += 3
					}
				}
			}
			again, judgedAgain, chosenAgain := look()
			if judgedAgain != judged || chosenAgain != chosen {
				t.Errorf("%s, running %v: running statistics count where an architecture is judged: %v, %v", name, running, judgedAgain, judged)
			}
			mixture := name != "gdas" && name != "random-ws"
			if counts := again != evaluated; counts != (running && mixture) {
				t.Errorf("%s, running %v: running statistics count in the evaluation: %v", name, running, counts)
			}
		}
	}
}
