package oneshot

import (
	"fmt"

	"espalier/bilevel"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// PCDARTS is DARTS in first order with candidates on 1/K of the channels and, if Normalise is set, edges that are weighed
// against each other by β, which moves as α does (Xu et al., "PC-DARTS", 2020).
type PCDARTS struct {
	K         int  `yaml:"k" help:"candidates work on 1/k of the channels, the others bypass them; divides search.channels"`
	Normalise bool `yaml:"normalise" help:"edges into a node have weights, softmax(β), that count in the end"`
}

func newPCDARTS() *PCDARTS { return &PCDARTS{K: 4, Normalise: true} }

// Validate implements Method.
func (o *PCDARTS) Validate() error {
	if o.K < 1 {
		return fmt.Errorf("oneshot: pc-darts with k %d, want 1 or more", o.K)
	}
	return nil
}

// Passes implements Method.
func (o *PCDARTS) Passes() int { return 2 }

// Edge implements Edged.
func (o *PCDARTS) Edge() search.MixedEdge {
	if o.K == 1 {
		return search.MixedEdge{}
	}
	return search.MixedEdge{Part: o.K}
}

// Updates implements Method.
func (o *PCDARTS) Updates(s *Search) (bilevel.Method[nn.Float], error) {
	if o.Normalise {
		s.Betas()
		s.Gate(supernet.NewNormalised(supernet.NewSoftmax(s.Space()), s.Space(), s.net.Options().Edge), nil)
	}
	first := DARTS{Order: 1}
	return first.Updates(s)
}
