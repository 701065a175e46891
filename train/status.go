package train

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Status says what became of a run.
type Status string

// The states of a run. A run that was killed is left Running in its file; ReadAccount tells it from one that goes on.
const (
	Running     Status = "running"
	Finished    Status = "finished"    // all epochs are done
	Interrupted Status = "interrupted" // stopped between two steps, state saved
	Failed      Status = "failed"
)

// Result is what Run returns.
type Result struct {
	Status Status // Finished or Interrupted
	Position
	Epochs  int // in all
	Resumed bool
	Records Records
	Best    Best
	Seconds float64 // that this call took; 0 without a clock
}

// String says in a sentence how the run ended and, if it was interrupted, how to go on.
func (r Result) String() string {
	if r.Status == Interrupted {
		return fmt.Sprintf("interrupted %v (%d epochs in all); the state is saved, and the same command goes on from there", r.Position, r.Epochs)
	}
	s := fmt.Sprintf("finished after %d epochs", r.Epoch)
	if r.Best.Epoch > 0 {
		s += fmt.Sprintf(", the best was epoch %d", r.Best.Epoch)
	}
	return s
}

// Account is what status.json says about a run, for those who only look.
type Account struct {
	Status Status `json:"status"`
	Position
	Epochs int    `json:"epochs"` // in all
	Steps  int    `json:"steps"`  // of an epoch
	Best   Best   `json:"best"`
	Error  string `json:"error,omitempty"` // why it failed
}

// ReadAccount reads a run's status.json. A run that was killed counts as Interrupted: it says Running, but no process has
// the directory.
func ReadAccount(dir string) (Account, error) {
	path := filepath.Join(dir, StatusFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return Account{}, fmt.Errorf("train: %w", err)
	}
	var a Account
	if err := json.Unmarshal(b, &a); err != nil {
		return Account{}, fmt.Errorf("train: %s: %w", path, err)
	}
	if a.Status == Running && !occupied(dir) {
		a.Status = Interrupted
	}
	return a, nil
}

// occupied reports whether a process uses the directory of a run, or the run that the directory is a stage of.
func occupied(dir string) bool {
	for {
		if _, err := os.Stat(filepath.Join(dir, lockName)); err == nil {
			return InUse(dir)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return false
		}
		dir = up
	}
}

func (d *Dir) writeAccount(a Account) error {
	b, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return d.WriteBytes(StatusFile, append(b, '\n'))
}
