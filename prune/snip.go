package prune

import (
	"fmt"
	"math"

	"espalier/datasets"
)

// SNIP keeps the connections whose removal would change the loss most to first order (Lee, Ajanthan and Torr, "SNIP:
// Single-shot Network Pruning based on Connection Sensitivity", 2019): the score is |θ·∂L/∂θ|, on batches at initialisation.
// Batch norm takes the batch's statistics and leaves the running ones alone.
type SNIP struct {
	Images int `yaml:"images" help:"that the gradient is measured on, at least; 0: 10 for each class"`
}

// Validate says what is wrong with the options.
func (s SNIP) Validate() error { return checkImages("snip", s.Images) }

// Passes implements Priced.
func (s SNIP) Passes(p *Problem) int { return measured(s.Images, p) }

// Mask implements OneShot. It costs a forward and a backward pass of the images.
func (s SNIP) Mask(p *Problem, o Options) (*Mask, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	r, err := newRanking(p.Net.Params.Layout, o)
	if err != nil {
		return nil, err
	}
	oracle, err := NewOracle(p.Net, p.Loss, map[string]*datasets.Loader{LowerSplit: p.Lower})
	if err != nil {
		return nil, err
	}
	w := p.Net.Params
	g, scratch := w.Layout.New(), w.Layout.New()
	if err := oracle.gradients(g, w.Values, scratch, images(s.Images, p)); err != nil {
		return nil, err
	}
	multiply(g, g, w.Values)
	magnitudes(g, g, 1, ranges(Prunable(w.Layout)))
	return r.mask(g)
}

// measured is the number of images in the whole batches that hold those that an option asks for.
func measured(option int, p *Problem) int {
	size := p.Lower.BatchSize()
	return (images(option, p) + size - 1) / size * size
}

func checkImages(method string, n int) error {
	if n < 0 || n > math.MaxInt32 {
		return fmt.Errorf("prune: %s on %d images", method, n)
	}
	return nil
}

// images is the number that an option asks for.
func images(option int, p *Problem) int {
	if option > 0 {
		return option
	}
	return p.perClass()
}
