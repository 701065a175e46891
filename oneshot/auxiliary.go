package oneshot

import (
	"fmt"
	"math"

	"espalier/search"
)

// Auxiliary is a skip connection that runs beside the candidates of every edge, so that theirs need not serve for training
// alone, and fades (Chu et al., "DARTS-", 2021). It goes with every method. Architectures are derived and judged without it.
// Where an edge has stride 2 it is a factorized reduction with weights of its own.
type Auxiliary struct {
	Decay  string  // linear or cosine; none, which "" means too: there is no such skip
	Weight float64 // of the skip in the first epoch; from there it falls to 0 in the last
}

// On says that there is such a skip.
func (a Auxiliary) On() bool { return a.Decay != "" && a.Decay != "none" }

// Validate says what is wrong with it.
func (a Auxiliary) Validate() error {
	if a.On() && a.Decay != "linear" && a.Decay != "cosine" {
		return fmt.Errorf("oneshot: an auxiliary skip with decay %q, want none, linear or cosine", a.Decay)
	}
	if !(a.Weight >= 0) || math.IsInf(a.Weight, 0) {
		return fmt.Errorf("oneshot: an auxiliary skip of weight %v, want a number of at least 0", a.Weight)
	}
	return nil
}

// At is the weight in an epoch of so many, 0 being the first. A single epoch has the first weight.
func (a Auxiliary) At(epoch, epochs int) float64 {
	if !a.On() {
		return 0
	}
	if epochs < 2 {
		return a.Weight
	}
	part := float64(min(epoch, epochs-1)) / float64(epochs-1)
	if a.Decay == "cosine" {
		return a.Weight * (1 + math.Cos(math.Pi*part)) / 2
	}
	return a.Weight * (1 - part)
}

// Edge is what the edges of the supernet must have for a search by the method with that skip.
func Edge(m Method, a Auxiliary) (e search.MixedEdge) {
	if own, ok := m.(Edged); ok {
		e = own.Edge()
	}
	if a.On() {
		e.Beside = "skip_connect"
	}
	return e
}
