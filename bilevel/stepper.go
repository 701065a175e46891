package bilevel

import (
	"context"

	"espalier/train"
)

// Source hands out the batches of named splits.
type Source interface {
	// Seek makes the next batch of the split number n, counted from 0 over all epochs. It depends on n alone.
	Seek(split string, n int) error
	// Next makes the next batch of the split the current one.
	Next(split string) error
}

// Options says how a method is run.
type Options[T Float] struct {
	Steps  int         // of an epoch, at least 1
	Images int         // that a step works on, for progress
	Source Source      // nil: no update may name a split
	Keep   []*Block[T] // blocks that no update moves and that are saved: running statistics, masks
	// Same is what a resumed run must have in common with the one that it goes on with, such as the network and the random
	// streams; learning rates are added.
	Same map[string]string
	// Moved is called after each move of an update: its place in the method and its loss. nil: nothing is.
	Moved func(update, step int, loss float64) error
	// Sampled adds to the figures of a step, which are for progress; without it there is the loss alone.
	Sampled func([]train.Figure) []train.Figure
	// Ended is called when the steps of an epoch are done; its figures follow the stepper's own. As train.Stepper's End.
	Ended func(ctx context.Context, epoch int, report train.Report) ([]train.Figure, error)
}

// Stepper is a method that train.Run runs. The figures of an epoch are, for each block in the order of its first update,
// NAME_lr, of the last step, and NAME_loss, the mean over the epoch's gradients of that block (NaN if there were none); then
// those of Options.Ended.
type Stepper[T Float] struct {
	method Method[T]
	o      Options[T]
	blocks []*Block[T]    // all, those of updates first
	splits []string       // drawn from
	draws  map[string]int // of each split in a step
	g      [][]T          // of each update
	index  []int          // of each update's block
	sums   []float64      // losses of each updated block in the running epoch
	last   []int          // last update of each updated block
	step   int            // over all epochs
	inside int            // steps of the running epoch
	sample []train.Figure
}

var _ train.Stepper = (*Stepper[float64])(nil)

// New makes a stepper. Blocks of the same name, and a split without a source, panic.
func New[T Float](m Method[T], o Options[T]) (*Stepper[T], error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	s := &Stepper[T]{method: m, o: o, draws: map[string]int{}}
	place := map[*Block[T]]int{}
	for i := range m {
		u := &m[i]
		k, seen := place[u.Block]
		if !seen {
			k = len(s.blocks)
			place[u.Block] = k
			s.blocks = append(s.blocks, u.Block)
			s.last = append(s.last, i)
		}
		s.last[k] = i
		s.index = append(s.index, k)
		s.g = append(s.g, s.gradient(len(u.Block.Value)))
		for _, split := range u.Splits {
			if o.Source == nil {
				panic("bilevel: split " + split + " without a source")
			}
			if s.draws[split] == 0 {
				s.splits = append(s.splits, split)
			}
			s.draws[split] += u.times()
		}
	}
	s.sums = make([]float64, len(s.blocks))
	s.blocks = append(s.blocks, o.Keep...)
	names := map[string]bool{}
	for _, b := range s.blocks {
		if names[b.Name] {
			panic("bilevel: two blocks are named " + b.Name)
		}
		names[b.Name] = true
	}
	return s, nil
}

// gradient is memory for n elements, the same for all updates of that size: only one of them is being computed.
func (s *Stepper[T]) gradient(n int) []T {
	for _, g := range s.g {
		if len(g) == n {
			return g
		}
	}
	return make([]T, n)
}

// Steps implements train.Stepper.
func (s *Stepper[T]) Steps() int { return s.o.Steps }

// Done is the number of steps that were done, over all epochs.
func (s *Stepper[T]) Done() int { return s.step }

// Begin implements train.Stepper.
func (s *Stepper[T]) Begin(epoch, step int) error {
	s.step, s.inside = epoch*s.o.Steps+step, step
	if step == 0 {
		clear(s.sums)
	}
	for _, split := range s.splits {
		if err := s.o.Source.Seek(split, s.step*s.draws[split]); err != nil {
			return err
		}
	}
	return nil
}

// Step does every update in turn.
func (s *Stepper[T]) Step() (train.Sample, error) {
	for i := range s.method {
		u := &s.method[i]
		for range u.times() {
			for _, split := range u.Splits {
				if err := s.o.Source.Next(split); err != nil {
					return train.Sample{}, err
				}
			}
			if s.step < u.From {
				continue
			}
			loss, err := u.run(s.g[i], s.step)
			if err != nil {
				return train.Sample{}, err
			}
			s.sums[s.index[i]] += loss
			if s.o.Moved != nil {
				if err := s.o.Moved(i, s.step, loss); err != nil {
					return train.Sample{}, err
				}
			}
		}
	}
	s.step++
	s.inside++
	s.sample = append(s.sample[:0], train.Figure{Name: "loss", Value: s.mean(0)})
	if s.o.Sampled != nil {
		s.sample = s.o.Sampled(s.sample)
	}
	return train.Sample{Images: s.o.Images, Figures: s.sample}, nil
}

// mean is the mean loss of an updated block in the running epoch, NaN if it was not updated yet.
func (s *Stepper[T]) mean(block int) float64 {
	n := 0
	for i, k := range s.index {
		if k == block {
			u := &s.method[i]
			n += u.times() * max(0, s.step-max(u.From, s.step-s.inside))
		}
	}
	return s.sums[block] / float64(n)
}

// End implements train.Stepper.
func (s *Stepper[T]) End(ctx context.Context, epoch int, report train.Report) ([]train.Figure, error) {
	var figures []train.Figure
	for k := range s.sums {
		name := s.blocks[k].Name
		figures = append(figures,
			train.Figure{Name: name + "_lr", Value: s.method[s.last[k]].Rate.At(s.step - 1)},
			train.Figure{Name: name + "_loss", Value: s.mean(k)})
	}
	if s.o.Ended == nil {
		return figures, ctx.Err()
	}
	more, err := s.o.Ended(ctx, epoch, report)
	return append(figures, more...), err
}
