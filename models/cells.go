package models

import (
	"errors"
	"fmt"

	"espalier/nn"
	"espalier/search"
)

// CellOptions fit a network of cells to the data and scale it.
type CellOptions struct {
	Input    nn.Shape // of an image; zero: 32x32x3
	Classes  int      // 0: 10
	Channels int      // of the first cells; 0: 36 in search.Stacked, 16 in search.Staged and in supernets
	// Cells is their number in search.Stacked (0: 20, in supernets 8), and in each of the three stages of search.Staged (0: 5).
	Cells int
	// Auxiliary is the weight of the loss of a second classifier after the second reducing cell, in training; 0: there is
	// none. For search.Stacked alone; DARTS uses 0.4.
	Auxiliary float64
	// DropPath puts nn.DropPath after every operation but the identity, for search.Stacked alone. Its probability is set
	// while training: DARTS lets it rise from 0 to 0.2.
	DropPath   bool
	Edge       search.MixedEdge // of supernets alone
	Primitives search.Registry  // zero: search's own
}

// fill puts defaults in the place of zeros.
func (o CellOptions) fill(s search.Skeleton, supernet bool) (CellOptions, error) {
	images, err := Options{Input: o.Input, Classes: o.Classes}.fill()
	if err != nil {
		return o, err
	}
	o.Input, o.Classes = images.Input, images.Classes
	channels, cells := 36, 20
	switch {
	case s == search.Staged:
		channels, cells = 16, 5
	case supernet:
		channels, cells = 16, 8
	}
	if o.Channels == 0 {
		o.Channels = channels
	}
	if o.Cells == 0 {
		o.Cells = cells
	}
	switch {
	case o.Channels < 1 || o.Channels > maxChannels:
		return o, fmt.Errorf("models: %d channels, want 1 to %d", o.Channels, maxChannels)
	case o.Cells < 1 || o.Cells > maxCells:
		return o, fmt.Errorf("models: %d cells, want 1 to %d", o.Cells, maxCells)
	case !(o.Auxiliary >= 0):
		return o, fmt.Errorf("models: an auxiliary head of weight %v", o.Auxiliary)
	case s == search.Staged && (o.Auxiliary > 0 || o.DropPath):
		return o, errors.New("models: networks of the NAS-Bench-201 skeleton have neither an auxiliary head nor drop path")
	case !supernet && o.Edge != search.MixedEdge{}:
		return o, fmt.Errorf("models: a derived network with edges %+v, which supernets have alone", o.Edge)
	case o.Channels%max(1, o.Edge.Part) != 0:
		return o, fmt.Errorf("models: %d channels, of which candidates get 1/%d: choose a multiple", o.Channels, o.Edge.Part)
	}
	return o, nil
}

// Bounds of CellOptions, far above what can be trained.
const (
	maxChannels = 1 << 12
	maxCells    = 1 << 10
)

// Derived describes the network of a genotype: of search.Stacked as DARTS trains it from scratch (Liu et al., 2019, section
// 3.2), of search.Staged as NAS-Bench-201 does (Dong and Yang, 2020). Parameters have the names of the released codes.
// Operations that do not reach the output have parameters, but are not computed, and do not learn.
func Derived(g search.Genotype, o CellOptions) (nn.Sequential, error) {
	if err := g.Validate(o.Primitives); err != nil {
		return nil, err
	}
	o, err := o.fill(g.Skeleton(), false)
	if err != nil {
		return nil, err
	}
	if g.Skeleton() == search.Staged {
		cell, err := wired(g.Normal, 1, "layers", o.Primitives)
		if err != nil {
			return nil, err
		}
		return o.staged(cell, search.Place{})
	}
	var cells [2]cell
	for i, w := range []search.Wiring{g.Normal, g.Reduce} {
		if cells[i], err = wired(w, 2, "_ops", o.Primitives); err != nil {
			return nil, err
		}
	}
	return o.stacked(cells, search.Place{})
}

// Supernet describes the network of all candidates of a space, with what else o.Edge puts on the edges, every one with the
// weight 1 where α would stand: it names, counts and orders the weights of a search. Only what the skeleton shares (the stem, the blocks of search.Staged, the
// classifier) has batch norms with gamma and beta.
func Supernet(s *search.Space, o CellOptions) (nn.Sequential, error) {
	if err := s.Validate(o.Primitives); err != nil {
		return nil, err
	}
	if err := o.Edge.Validate(o.Primitives); err != nil {
		return nil, err
	}
	o, err := o.fill(s.Skeleton, true)
	if err != nil {
		return nil, err
	}
	var cells [2]cell
	for i, c := range s.Cells {
		if cells[i], err = relaxed(c, s.Skeleton, o.Edge, o.Primitives); err != nil {
			return nil, err
		}
	}
	if s.Skeleton == search.Staged {
		return o.staged(cells[0], search.Place{Plain: true})
	}
	return o.stacked(cells, search.Place{Plain: true, PoolNorm: true})
}
