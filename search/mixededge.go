package search

import "fmt"

// MixedEdge says what stands on every edge of a supernet with the candidates, and how wide these are. The zero MixedEdge is that of
// DARTS: the candidates alone, on all channels. Derived networks have nothing of it.
type MixedEdge struct {
	// Part has the candidates work on the first 1/Part of the channels, which it must divide. The others bypass them, as
	// they are or, where the edge has stride 2, max-pooled 2×2; in the sum at a node the channels of both are dealt out in
	// turn (partial channels: Xu et al., "PC-DARTS", 2020, section 3.2, with K = Part). 0 and 1: all channels.
	Part int
	// Beside is a primitive that runs beside the candidates of every edge, on the same channels, with a weight that is not a
	// share of theirs: with skip_connect, the auxiliary skip of Chu et al., "DARTS-", 2021. "": there is none.
	Beside string
}

// Validate says what is wrong with the edge.
func (e MixedEdge) Validate(r Registry) error {
	if e.Part < 0 {
		return fmt.Errorf("search: candidates on 1/%d of the channels", e.Part)
	}
	if e.Beside == "" {
		return nil
	}
	p, err := r.Lookup(e.Beside)
	if err == nil && p.None {
		err = fmt.Errorf("search: %s beside the candidates: nothing passes", e.Beside)
	}
	return err
}

// Partial says that there are channels that bypass the candidates.
func (e MixedEdge) Partial() bool { return e.Part > 1 }

// Narrow is the number of channels that candidates work on, of so many.
func (e MixedEdge) Narrow(channels int) int { return channels / max(1, e.Part) }

// Weights is the number of weights in the sums of a supernet: first those of the candidates, as Alpha.Values has them, then
// one an edge of Beside, if there is any, then one an edge of the bypass, if there is any. Edges come cell by cell.
func (e MixedEdge) Weights(s *Space) int {
	_, bypass := e.extras(s)
	return bypass.Offset + bypass.Len
}

// BesideRow is the place of the weights of Beside, one an edge, among all weights; it may be empty.
func (e MixedEdge) BesideRow(s *Space) Row {
	beside, _ := e.extras(s)
	return beside
}

// BypassRow is the place of the weights of the bypass, one an edge, among all weights; it may be empty.
func (e MixedEdge) BypassRow(s *Space) Row {
	_, bypass := e.extras(s)
	return bypass
}

func (e MixedEdge) extras(s *Space) (beside, bypass Row) {
	beside.Offset = s.Weights()
	if e.Beside != "" {
		beside.Len = s.Edges()
	}
	bypass.Offset = beside.Offset + beside.Len
	if e.Partial() {
		bypass.Len = s.Edges()
	}
	return beside, bypass
}

// Edges is the number of edges of all cells.
func (s *Space) Edges() int {
	n := 0
	for i := range s.Cells {
		n += len(s.Cells[i].Edges)
	}
	return n
}
