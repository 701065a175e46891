package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"
)

// Options says how a stepper is run. The zero value, with Epochs set, is a run without an observer or clock.
type Options struct {
	Epochs int // in all, those of a resumed run's first part included; at least 1
	// Best names the figure of an epoch whose greatest value marks the best epoch, and keeps that epoch's checkpoint;
	// empty: no epoch is the best. It must come from validation, never from test data.
	Best      string
	SaveSteps int                  // save whenever this many steps of an epoch are done; 0: only when an epoch is
	Observer  Observer             // nil: none
	Clock     func() time.Time     // for timings and the log; nil: neither has times
	Processor func() time.Duration // processor time that the training has used, for timings; nil: not measured
}

func (o Options) validate() error {
	if o.Epochs < 1 || o.SaveSteps < 0 {
		return fmt.Errorf("train: %d epochs, saving every %d steps", o.Epochs, o.SaveSteps)
	}
	return nil
}

// Run runs the stepper to its last epoch, or to the one after which a Stopper has stopped, from the newest whole checkpoint in the directory if there is one, and leaves it
// in the state after the last step. When ctx ends, it finishes the step, saves, and returns a Result that is Interrupted;
// that is no error. If a step fails, its error is wrapped, and the checkpoints stay as they were before.
//
// In a directory where the run is finished, the stepper only gets its last state back; if more epochs were done than are
// asked for now, that is an error. With a nil directory nothing is read or kept.
func Run(ctx context.Context, d *Dir, s Stepper, o Options) (Result, error) {
	if err := o.validate(); err != nil {
		return Result{}, err
	}
	r := &runner{Options: o, dir: d, stepper: s, steps: s.Steps()}
	if r.steps < 1 {
		return Result{}, fmt.Errorf("train: an epoch of %d steps", r.steps)
	}
	begin := r.now()
	result := Result{Epochs: o.Epochs}
	if err := r.start(&result); err != nil {
		return result, err
	}
	var err error
	result.Status, err = r.loop(ctx)
	result.Position, result.Records, result.Best = r.at, r.records, r.best
	result.Seconds = r.now().Sub(begin).Seconds()
	return result, r.finish(result, err)
}

// runner is a run that goes on.
type runner struct {
	Options
	dir     *Dir
	stepper Stepper
	steps   int // of an epoch
	at      Position
	saved   *Position // of the last checkpoint
	records Records
	best    Best
	stretch stretch
}

// loop is the run.
func (r *runner) loop(ctx context.Context) (Status, error) {
	for r.at.Epoch < r.Epochs && !r.stopped() {
		r.stretch = stretch{from: r.at, began: r.now(), processor: r.processor()}
		if err := r.stepper.Begin(r.at.Epoch, r.at.Step); err != nil {
			return Failed, r.failed(err)
		}
		for r.at.Step < r.steps {
			if ctx.Err() != nil {
				return r.interrupt()
			}
			if err := r.step(); err != nil {
				return Failed, err
			}
		}
		if done, err := r.endEpoch(ctx); err != nil {
			return Failed, err
		} else if !done {
			return r.interrupt()
		}
	}
	return Finished, nil
}

func (r *runner) step() error {
	sample, err := r.stepper.Step()
	if err != nil {
		return r.failed(err)
	}
	r.at.Step++
	r.tell(Stepped{r.at, sample})
	if r.SaveSteps > 0 && r.at.Step%r.SaveSteps == 0 && r.at.Step < r.steps {
		return r.save()
	}
	return nil
}

// stopped reports whether the stepper wants no more epochs.
func (r *runner) stopped() bool {
	s, ok := r.stepper.(Stopper)
	return ok && r.at.Step == 0 && s.Stopped()
}

// endEpoch records an epoch and saves; done is false if ctx ended before that.
func (r *runner) endEpoch(ctx context.Context) (done bool, err error) {
	r.stretch.trained = r.now()
	figures, err := r.stepper.End(ctx, r.at.Epoch, func(task string, done, total int) { r.tell(Worked{task, done, total}) })
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return false, nil
	}
	if err != nil {
		return false, r.failed(err)
	}
	if err := r.records.Add(figures); err != nil {
		return false, err
	}
	better, err := r.compare(figures)
	if err != nil {
		return false, err
	}
	seconds, notTimed := r.clockOut()
	r.at = Position{Epoch: r.at.Epoch + 1}
	r.tell(EpochEnded{Epoch: r.at.Epoch, Figures: figures, Best: better, Seconds: seconds})
	notLogged := r.log("epoch %d of %d: %s", r.at.Epoch, r.Epochs, Join(figures))
	if err := r.keepRecords(); err != nil {
		return false, err
	}
	if better { // before the checkpoint, which says that this epoch is the best
		if err := r.saveTo(BestFile); err != nil {
			return false, err
		}
	}
	return true, cmp.Or(r.save(), notTimed, notLogged)
}

// compare finds out whether the epoch that just ended is the best.
func (r *runner) compare(figures []Figure) (better bool, err error) {
	if r.Best == "" {
		return false, nil
	}
	i := slices.IndexFunc(figures, func(f Figure) bool { return f.Name == r.Best })
	if i < 0 {
		return false, fmt.Errorf("train: no figure %q to find the best epoch by, only %v", r.Best, r.records.Columns)
	}
	v := figures[i].Value
	better = r.best.Epoch == 0 && !math.IsNaN(v) || v > r.best.Value
	if better && !math.IsInf(v, 0) {
		r.best = Best{Epoch: len(r.records.Rows), Value: v}
		return true, nil
	}
	return false, nil
}

// interrupt saves where the run is. That the timings cannot be written costs no state.
func (r *runner) interrupt() (Status, error) {
	_, notTimed := r.clockOut()
	if err := cmp.Or(r.save(), notTimed); err != nil {
		return Failed, err
	}
	return Interrupted, nil
}

// failed wraps an error of the stepper.
func (r *runner) failed(err error) error {
	return fmt.Errorf("train: epoch %d, step %d of %d: %w", r.at.Epoch+1, r.at.Step+1, r.steps, err)
}

func (r *runner) tell(e Event) {
	if r.Observer != nil {
		r.Observer.Observe(e)
	}
}

func (r *runner) processor() time.Duration {
	if r.Processor == nil {
		return 0
	}
	return r.Processor()
}

func (r *runner) now() time.Time {
	if r.Clock == nil {
		return time.Time{}
	}
	return r.Clock()
}

// keepRecords writes metrics.csv.
func (r *runner) keepRecords() error {
	if r.dir == nil {
		return nil
	}
	if len(r.records.Rows) > 0 {
		return r.dir.WriteBytes(MetricsFile, r.records.CSV())
	}
	if err := os.Remove(r.dir.Path(MetricsFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}
