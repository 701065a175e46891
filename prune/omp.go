package prune

import (
	"fmt"
	"slices"

	"espalier/nn"
)

// OMP prunes the trained network by magnitude at once. The weights that are left are fine-tuned from where they are, or
// trained again from initialisation or from early in the dense training (Rewind), as in a lottery ticket of one round.
type OMP struct {
	Rewind string  `yaml:"rewind" help:"where the weights go on from: the trained ones, those at initialisation, or those of early in the dense training" one:"rate initial step"`
	Epoch  float64 `yaml:"epoch" help:"of the dense training, whose weights are early; for rewind: step"`
}

// DefaultOMP fine-tunes.
func DefaultOMP() OMP { return OMP{Rewind: RewindRate, Epoch: 2} }

// Validate says what is wrong with the options.
func (o OMP) Validate() error {
	if !slices.Contains([]string{RewindStep, RewindInitial, RewindRate}, o.Rewind) || !(o.Epoch >= 0) {
		return fmt.Errorf("prune: omp rewinding to %q of epoch %v; there are rate, initial and step", o.Rewind, o.Epoch)
	}
	return nil
}

// Mask implements OneShot.
func (OMP) Mask(p *Problem, o Options) (*Mask, error) { return Prune(Magnitude{}, p.Net.Params, o) }

// Start sets w to what the training under the mask begins with; see IMP.Start.
func (o OMP) Start(w *nn.Params, m *Mask, trained, early *nn.Params) {
	IMP{Rewind: o.Rewind}.Start(w, m, trained, early)
}
