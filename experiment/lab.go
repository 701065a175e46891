package experiment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"espalier/datasets"
	"espalier/results"
	"espalier/train"
)

// Lab is what stages need of the world beside a configuration. A stage is a function from a configuration to a directory:
// if the directory is finished it returns at once, and if it was interrupted it goes on.
type Lab struct {
	Runs   string           // directory of all runs
	Places datasets.Places  // where data sets are looked for when a configuration does not say
	Clock  func() time.Time // nil: no times are recorded
	// Processor is the processor time of this process, for a lab whose stages run one at a time; nil: none is recorded.
	Processor func() time.Duration
	Watch     func(title string) train.Observer  // is told how each training goes; nil: nobody is
	Report    func(task string, done, total int) // how far an evaluation is, in images; nil: nobody is told
}

// Interrupted is returned by a stage whose context ended after the state was saved.
type Interrupted struct {
	Result train.Result
	cause  error
}

// Error says where it stopped and how to go on.
func (e *Interrupted) Error() string { return e.Result.String() }

// Unwrap is the context's error.
func (e *Interrupted) Unwrap() error { return e.cause }

// stage does the work of a run, unless it is finished, and returns what is there then. what stands in errors.
func (l *Lab) stage(c Config, what string, work func() error) (Run, error) {
	r, err := l.find(c)
	if err != nil || r.Finished() {
		return r, err
	}
	err = work()
	if interrupted := (*Interrupted)(nil); errors.As(err, &interrupted) {
		return r, err
	}
	if err != nil {
		return r, fmt.Errorf("experiment: %s: %w", what, err)
	}
	return l.find(c)
}

// find is the run of a configuration as far as its directory has it.
func (l *Lab) find(c Config) (Run, error) {
	r, err := Open(c.Dir(l.Runs))
	if errors.Is(err, fs.ErrNotExist) {
		return Run{Path: c.Dir(l.Runs), Config: c}, nil
	}
	r.Config = c // which may ask for a test that the run in the directory went without
	r.Status = r.status()
	return r, err
}

// within makes what a configuration describes, and works with it in the run's directory.
func (l *Lab) within(c Config, work func(*train.Dir, *job) error) error {
	j, err := l.job(c)
	if err != nil {
		return err
	}
	defer j.close()
	return l.enter(c, j.split, func(d *train.Dir) error { return work(d, j) })
}

// enter opens a run's directory, leaves in it what describes the run, and works there.
func (l *Lab) enter(c Config, split *datasets.Split, work func(*train.Dir) error) (err error) {
	d, err := train.Open(c.Dir(l.Runs))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	err = cmp.Or(d.WriteBytes(ConfigFile, c.YAML()), writeJSON(d, EnvFile, ThisEnv()), split.WriteFile(d.Path(SplitFile)))
	if err != nil {
		return err
	}
	return noted(d, func() error { return work(d) })
}

// noted does the work of a run. If it cannot be done and nothing of it has begun, the run's directory says why until it is
// tried again; of what has begun, the records do.
func noted(d *train.Dir, work func() error) error {
	if err := os.Remove(d.Path(FailureFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := work()
	if interrupted := (*Interrupted)(nil); err == nil || errors.As(err, &interrupted) || errors.Is(err, context.Canceled) {
		return err
	}
	r, broken := Open(d.Path())
	if broken != nil || slices.ContainsFunc(r.trainings(), func(t results.Training) bool { return t.Account.Status != "" }) {
		return err
	}
	_ = d.WriteBytes(FailureFile, []byte(err.Error()+"\n")) // the run only looks interrupted without it, as on a full disk
	return err
}

func (l *Lab) observer(title string) train.Observer {
	if l.Watch == nil {
		return nil
	}
	return l.Watch(title)
}

func (l *Lab) reporting(task string) func(done, total int) {
	if l.Report == nil {
		return nil
	}
	return func(done, total int) { l.Report(task, done, total) }
}
