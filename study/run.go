package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"espalier/experiment"
	"espalier/internal/atomicfile"
)

// Options says how a study is run.
type Options struct {
	Records     string // directory of the records
	Machine     string // what the records say about the machine
	Jobs        int    // stages at once; 0: one
	RetryFailed bool   // run cells again whose record says that they failed
	// Execute makes a run, or finds it finished. It must be safe to call from several goroutines if Jobs is more than 1.
	// When ctx ends it saves and returns an *experiment.Interrupted.
	Execute func(ctx context.Context, c experiment.Config) (experiment.Run, error)
	// Observe is told of every stage's begin and end, one call at a time; nil: nobody is.
	Observe func(Event)
}

// An Event is the begin or the end of a stage.
type Event struct {
	Config experiment.Config
	Ended  bool
	Err    error // with which it ended
	// Done and Total are how far the study is, in epochs of the stages that this call of Run found to do.
	Done, Total int
}

// Run runs the cells that have no record, and writes one for each that finishes or fails; it goes on after a failure. It
// returns the records of all the cells, and an error that counts the failures, or an *experiment.Interrupted, or, if what
// blocked a cell says nothing about it, an error for which Blocked is true: then that cell has no record, and the study
// stops.
//
// Stages are begun in the order of the file, what they start from first.
func (s *Study) Run(ctx context.Context, o Options) (map[Cell]Record, error) {
	records, err := s.Records(o.Records)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.Sweep(o.Records); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("study: %w", err)
	}
	r := &runner{options: o, stages: s.plan(records, o.RetryFailed), records: records, ended: make(chan outcome)}
	for _, st := range r.stages {
		r.total += st.config.Epochs()
	}
	if err := r.run(ctx); err != nil {
		return records, err
	}
	return records, failures(r.stages)
}

// runner is the state of Run: its goroutine alone touches it, others send outcomes.
type runner struct {
	options     Options
	stages      []*stage
	records     map[Cell]Record
	ended       chan outcome
	done, total int // epochs
}

// outcome is what a stage came to.
type outcome struct {
	stage *stage
	run   experiment.Run
	err   error
}

func (r *runner) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	active := 0
	var stop error // why nothing more is begun
	for {
		for stop == nil && active < max(1, r.options.Jobs) {
			if stop = ctx.Err(); stop != nil {
				break
			}
			st, _ := next(r.stages)
			if st == nil {
				break
			}
			st.state = running
			active++
			r.observe(st, false, nil)
			c, err := r.settled(st)
			go func() {
				var run experiment.Run
				if err == nil {
					run, err = r.options.Execute(ctx, c)
				}
				r.ended <- outcome{st, run, err}
			}()
		}
		if active == 0 {
			return errors.Join(stop, r.breakDown(stop))
		}
		e := <-r.ended
		active--
		if err := r.take(e); err != nil && stop == nil {
			stop = err
			cancel()
		}
	}
}

// take notes what a stage came to. An error means that the study cannot go on.
func (r *runner) take(e outcome) error {
	st := e.stage
	if interrupted := (*experiment.Interrupted)(nil); errors.As(e.err, &interrupted) || errors.Is(e.err, context.Canceled) {
		st.state = waiting
		return e.err
	}
	if Blocked(e.err) {
		st.state = waiting
		return fmt.Errorf("study: stopped at %s, seed %d: %w", st.config.Hash(), st.config.Seed, e.err)
	}
	r.done += st.config.Epochs()
	st.state, st.run, st.err = finished, e.run, e.err
	if e.err != nil {
		st.state = failed
	}
	r.observe(st, true, e.err)
	return r.record(st)
}

// breakDown gives failed cells a record that could not even begin.
func (r *runner) breakDown(stop error) error {
	if stop != nil {
		return nil
	}
	var errs []error
	for _, st := range r.stages {
		if _, there := r.records[CellOf(st.config)]; st.state == failed && !there {
			errs = append(errs, r.record(st))
		}
	}
	return errors.Join(errs...)
}

// record writes the record of a stage that is a cell.
func (r *runner) record(st *stage) error {
	if !st.cell {
		return nil
	}
	rec := st.record()
	rec.Machine = r.options.Machine
	if err := writeRecord(r.options.Records, st.config, rec); err != nil {
		return err
	}
	r.records[CellOf(st.config)] = rec
	return nil
}

func (r *runner) observe(st *stage, ended bool, err error) {
	if r.options.Observe != nil {
		r.options.Observe(Event{st.config, ended, err, r.done, r.total})
	}
}

// record is what a stage that ended came to.
func (s *stage) record() Record {
	if s.err != nil {
		r := blank(s.config)
		r.Error = s.err.Error()
		return r
	}
	var shared []experiment.Run
	for _, n := range s.ancestors() {
		shared = append(shared, n.run)
	}
	return recordOf(s.config, s.run, shared)
}

// ancestors are the stages that s needs, directly or not, each once.
func (s *stage) ancestors() []*stage {
	seen := make(map[*stage]bool)
	var all []*stage
	var visit func(*stage)
	visit = func(st *stage) {
		for _, n := range st.needs {
			if !seen[n] {
				seen[n] = true
				visit(n)
				all = append(all, n)
			}
		}
	}
	visit(s)
	return all
}

// String says what an event is about.
func (e Event) String() string {
	what := "dense"
	if e.Config.Searches() {
		what = "search by " + e.Config.Search.Method
	} else if e.Config.Model.From == experiment.FromSearch {
		what = "found by " + e.Config.Search.Method
	} else if e.Config.Model.From == experiment.FromRandom {
		what = fmt.Sprintf("random, draw %d", e.Config.Model.Draw)
	} else if e.Config.Prune.Method != experiment.NoPruning {
		what = fmt.Sprintf("%s, %.4g %% removed", e.Config.Prune.Method, 100*e.Config.Prune.Sparsity[0])
	}
	return fmt.Sprintf("%s %s, seed %d", ModelOf(e.Config), what, e.Config.Seed)
}
