package train

import (
	"cmp"
	"fmt"
	"time"
)

// start brings the stepper to where the run goes on and makes the directory say the same.
func (r *runner) start(result *Result) error {
	if err := r.resume(); err != nil {
		return err
	}
	result.Resumed = r.saved != nil
	if err := r.keepRecords(); err != nil {
		return err
	}
	if err := r.account(Running, nil); err != nil {
		return err
	}
	r.tell(Started{Position: r.at, Epochs: r.Epochs, Steps: r.steps, Resumed: result.Resumed})
	if result.Resumed {
		return r.log("resumed %v", r.at)
	}
	return r.log("started, %d epochs of %d steps", r.Epochs, r.steps)
}

// resume restores the newest checkpoint, if there is one.
func (r *runner) resume() error {
	if r.dir == nil {
		return nil
	}
	c, bad, err := r.dir.newest()
	if err != nil {
		return err
	}
	if c == nil {
		return nil
	}
	for _, damage := range bad {
		if err := r.warn(fmt.Sprintf("%v; set aside, going on from the checkpoint before it", damage)); err != nil {
			return err
		}
	}
	path := r.dir.Path(c.position.file())
	if c.steps != r.steps {
		return fmt.Errorf("train: %s was written by a run of %d steps an epoch, this one has %d: other data or another batch size",
			path, c.steps, r.steps)
	}
	if c.position.compare(Position{Epoch: r.Epochs}) > 0 {
		return fmt.Errorf("train: %s is %v, and the run is now to have %d epochs: ask for more, or use another directory",
			path, c.position, r.Epochs)
	}
	if err := r.stepper.Restore(c.state); err != nil {
		return fmt.Errorf("train: restoring %s: %w", path, err)
	}
	r.at, r.records, r.best, r.saved = c.position, c.records, c.best, &c.position
	return r.dir.rotate() // which a killed process may not have come to
}

// save writes a checkpoint, unless the last one is of this position, and removes old ones.
func (r *runner) save() error {
	if r.dir == nil || r.saved != nil && *r.saved == r.at {
		return nil
	}
	at := r.at
	if err := r.saveTo(at.name()); err != nil {
		return err
	}
	r.saved = &at
	if err := r.account(Running, nil); err != nil {
		return err
	}
	return r.dir.rotate()
}

// saveTo writes a checkpoint of this position to a file among the checkpoints.
func (r *runner) saveTo(name string) error {
	if r.dir == nil {
		return nil
	}
	state, err := r.stepper.State()
	if err != nil {
		return fmt.Errorf("train: saving %v: %w", r.at, err)
	}
	c := checkpoint{position: r.at, steps: r.steps, best: r.best, records: r.records, state: state}
	if err := r.dir.Write(checkpointPath(name), c.write); err != nil {
		return fmt.Errorf("train: saving %v failed, the checkpoint before it stands: %w", r.at, err)
	}
	r.tell(Saved{Position: r.at, Path: r.dir.Path(checkpointPath(name))})
	return nil
}

// finish makes the directory say how the run ended. err is why it failed, or nil; it is returned, alone: where nothing can
// be written, status.json goes on saying that the run is running, which is read as interrupted.
func (r *runner) finish(result Result, err error) error {
	status := result.Status
	if err != nil {
		status = Failed
		return cmp.Or(err, r.account(status, err), r.log("failed: %v", err))
	}
	if err := cmp.Or(r.account(status, nil), r.log("%v", result)); err != nil {
		return err
	}
	r.tell(Ended{result})
	return nil
}

// account writes status.json.
func (r *runner) account(status Status, why error) error {
	if r.dir == nil {
		return nil
	}
	a := Account{Status: status, Position: r.at, Epochs: r.Epochs, Steps: r.steps, Best: r.best}
	if why != nil {
		a.Error = why.Error()
	}
	return r.dir.writeAccount(a)
}

// warn tells a person, at once and in the log.
func (r *runner) warn(text string) error {
	r.tell(Warned{text})
	return r.log("warning: %s", text)
}

// log adds a line to log.txt, with the time if there is a clock.
func (r *runner) log(format string, args ...any) error {
	if r.dir == nil {
		return nil
	}
	line := fmt.Sprintf(format, args...) + "\n"
	if r.Clock != nil {
		line = r.now().UTC().Format(time.RFC3339) + " " + line
	}
	return r.dir.Append(LogFile, line)
}
