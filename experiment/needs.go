package experiment

import (
	"fmt"
	"math"

	"espalier/prune"
)

// method is what a configuration's pruning method asks of the world.
type method struct {
	prune.Pruner
	initial bool // weights at initialisation are pruned
	learns  bool // the mask is trained
	bilevel bool // on images of its own
	rounds  prune.Rounds
	rewinds string // prune.RewindStep, …; "": the method says nothing
	early   int    // epochs of the dense training whose weights it goes back to
}

// method finds out about the pruning method; of a dense training it is zero.
func (c Config) method() (m method, err error) {
	if c.Prune.Method == NoPruning {
		return m, nil
	}
	if m.Pruner, err = c.pruner(); err != nil {
		return m, fmt.Errorf("experiment: %w", err)
	}
	entry, err := prune.Lookup(c.Prune.Method)
	if err != nil {
		return m, fmt.Errorf("experiment: %w", err)
	}
	m.initial = c.Prune.Weights == "initial" || c.Prune.Weights == "method" && entry.Weights == prune.Initial
	if l, ok := m.Pruner.(prune.Learner); ok {
		m.learns, m.bilevel = true, l.Bilevel()
	}
	m.rounds, _ = m.Pruner.(prune.Rounds)
	if r, ok := m.Pruner.(prune.Rewinder); ok {
		var epoch float64
		m.rewinds, epoch = r.Rewinds()
		if m.rewinds == prune.RewindStep {
			if m.early = int(epoch); float64(m.early) != epoch || m.early < 1 || m.early >= c.Train.Epochs {
				return m, fmt.Errorf("experiment: %s.epoch is %v, want a whole number from 1 to below train.epochs", c.Prune.Method, epoch)
			}
		}
	}
	if m.rounds != nil {
		for _, s := range c.Prune.Sparsity {
			if n, exact := m.rounds.Rounds(s); !exact || n < 1 {
				return m, fmt.Errorf("experiment: prune.sparsity is %v, which no number of rounds of %s reaches; the nearest is %v",
					s, c.Prune.Method, Share(m.rounds.Sparsity(max(1, n))))
			}
		}
	}
	return m, nil
}

// Share rounds a share to ten digits, so that it has a short name.
func Share(x float64) float64 { return math.Round(x*1e10) / 1e10 }

// Needs are the runs that a run starts from: they are finished before it begins. A dense training needs none, but that of what
// a search finds needs the search.
func (c Config) Needs() []Config {
	if c.Model.From == FromSearch {
		return []Config{c.SearchAlone()}
	}
	m, err := c.method()
	if err != nil || m.Pruner == nil {
		return nil // Validate says what is wrong
	}
	var all []Config
	if m.rounds != nil {
		for _, s := range c.Prune.Sparsity {
			n, _ := m.rounds.Rounds(s)
			if n == 1 {
				all = append(all, c.Dense())
				continue
			}
			before := c
			before.Prune.Sparsity = []float64{Share(m.rounds.Sparsity(n - 1))}
			all = append(all, before)
		}
	} else if !m.initial {
		all = append(all, c.Dense())
	}
	if m.rewinds == prune.RewindStep {
		all = append(all, c.Early(m.early))
	}
	return all
}

// tuning is the training under a mask.
func (c Config) tuning(m method) course {
	dense := course{stream: "fine-tune", epochs: c.Train.Epochs, lr: c.Train.LR, schedule: c.Train.Schedule, warmup: c.Train.Warmup}
	switch {
	case m.rewinds == prune.RewindStep:
		dense.epochs, dense.skip = c.Train.Epochs-m.early, m.early
		return dense
	case m.rewinds == prune.RewindInitial || m.rounds != nil:
		return dense
	case m.initial:
		dense.epochs += c.Prune.Epochs
		return dense
	}
	return course{stream: "fine-tune", epochs: c.Prune.Epochs, lr: c.Prune.LR, schedule: c.Prune.Schedule, warmup: c.Prune.Warmup}
}

// Epochs is how many epochs the run itself trains, over all its sparsities.
func (c Config) Epochs() int {
	m, err := c.method()
	switch {
	case err != nil:
		return 0
	case c.Searches():
		return c.Search.Epochs
	case m.Pruner == nil && c.Train.Stop > 0:
		return c.Train.Stop
	case m.Pruner == nil:
		return c.Train.Epochs
	}
	each := c.tuning(m).epochs
	if m.learns {
		each += c.Prune.Masking
	}
	return len(c.Prune.Sparsity) * each
}
