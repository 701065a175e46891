package prune

import (
	"fmt"
	"math"
	"slices"

	"espalier/nn"
)

// IMP prunes by magnitude in rounds of whole trainings (Frankle and Carbin, "The Lottery Ticket Hypothesis", 2019): a round
// trains the network under its mask and then removes Share of the weights that are left, so that 1−(1−Share)^r is removed
// after r rounds. Before the next round the weights go back (Rewind) to those of initialisation, or of an early step of the
// dense training (Frankle and others, 2020), or stay while the learning rate starts again (Renda, Frankle and Carbin, 2020).
//
// A round is an ordinary training with Mask.Apply as its projection; Round and Start are what stands between two.
type IMP struct {
	Share  float64 `yaml:"share" help:"of the remaining weights, removed in each round"`
	Rewind string  `yaml:"rewind" help:"what the weights go back to: those of early in the dense training, those at initialisation, or nothing but the learning rate" one:"step initial rate"`
	Epoch  float64 `yaml:"epoch" help:"of the dense training, whose weights are early; for rewind: step"`
}

// The values of IMP.Rewind and OMP.Rewind.
const (
	RewindStep    = "step"
	RewindInitial = "initial"
	RewindRate    = "rate"
)

// DefaultIMP removes a fifth in each round and goes back to the weights after two epochs.
func DefaultIMP() IMP { return IMP{Share: 0.2, Rewind: RewindStep, Epoch: 2} }

// Validate says what is wrong with the options.
func (i IMP) Validate() error {
	if !(i.Share > 0 && i.Share < 1) || !slices.Contains([]string{RewindStep, RewindInitial, RewindRate}, i.Rewind) ||
		!(i.Epoch >= 0) || math.IsInf(i.Epoch, 0) {
		return fmt.Errorf("prune: imp removing %v a round, rewinding to %q of epoch %v; a share in (0,1) and step, initial or rate are needed",
			i.Share, i.Rewind, i.Epoch)
	}
	return nil
}

// Sparsity is that after a number of rounds.
func (i IMP) Sparsity(rounds int) float64 { return 1 - math.Pow(1-i.Share, float64(rounds)) }

// Rounds is the number of rounds after which the given sparsity is reached, and whether that is a step of the ladder, to
// within a thousandth of the sparsity.
func (i IMP) Rounds(sparsity float64) (rounds int, exact bool) {
	r := math.Log(1-sparsity) / math.Log(1-i.Share)
	rounds = int(math.Round(r))
	return rounds, math.Abs(i.Sparsity(rounds)-sparsity) <= 1e-3*sparsity
}

// Round is the mask after a round, 1 the first: of the weights that before (nil: all) kept, those of largest magnitude in
// trained. o says where; its sparsity is that of the round.
func (i IMP) Round(round int, before *Mask, trained *nn.Params, o Options) (*Mask, error) {
	o.Sparsity, o.Within = i.Sparsity(round), before
	return Prune(Magnitude{}, trained, o)
}

// Start sets w to what the next training begins with, under its mask: trained are the weights that the last one ended
// with, early those that Rewind goes back to (unused for rate). Running statistics and all are taken along.
func (i IMP) Start(w *nn.Params, m *Mask, trained, early *nn.Params) {
	from := early
	if i.Rewind == RewindRate {
		from = trained
	}
	if w != from {
		w.CopyFrom(from)
	}
	m.Apply(w.Values)
}
