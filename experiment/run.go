package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"espalier/results"
	"espalier/search"
	"espalier/train"
)

// A Run is a run that was found in a directory.
type Run struct {
	Path      string
	Config    Config
	Status    train.Status       // running means that a process has the directory
	Error     string             // why it failed
	Trainings []results.Training // the dense one, or one for each sparsity; of what has not begun, the path alone is known
	Maskings  []results.Training // of a method that trains its masks: one for each sparsity
	Outcome   *Outcome           // of a dense training that has ended, else nil
	Pruned    []Pruned           // of a pruning run: the networks that are finished
	Genotype  *search.Genotype   // of a search that has ended, else nil
}

// Open reads the run in a directory. If there is none, the error is an fs.ErrNotExist.
func Open(dir string) (Run, error) {
	r := Run{Path: dir}
	var err error
	if r.Config, err = Load(filepath.Join(dir, ConfigFile), nil); err != nil {
		return r, err
	}
	if r.Searching() {
		err = errors.Join(openTraining(&r.Trainings, dir), r.openGenotype())
	} else if r.Dense() {
		err = errors.Join(openTraining(&r.Trainings, dir), r.openOutcome())
	} else {
		for _, s := range r.Config.Prune.Sparsity {
			stage := filepath.Join(dir, StageName(s))
			err = errors.Join(err, openTraining(&r.Trainings, stage))
			if m, _ := r.Config.method(); m.learns {
				err = errors.Join(err, openTraining(&r.Maskings, filepath.Join(stage, MaskStage)))
			}
		}
		err = errors.Join(err, r.openPruned())
	}
	r.Status = r.status()
	return r, err
}

func openTraining(to *[]results.Training, dir string) error {
	t, err := results.Open(dir)
	*to = append(*to, t)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("experiment: %w", err)
	}
	return nil
}

func (r *Run) openOutcome() error {
	o, err := readOutcome(r.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	r.Outcome = &o
	return err
}

func (r *Run) openPruned() (err error) {
	r.Pruned, err = readPruned(filepath.Join(r.Path, PrunedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// status finds out what became of the run, and if it failed, why.
func (r *Run) status() train.Status {
	if r.Finished() {
		return train.Finished
	}
	if train.InUse(r.Path) {
		return train.Running
	}
	for _, t := range r.trainings() {
		if t.Account.Status == train.Failed {
			r.Error = t.Account.Error
			return train.Failed
		}
	}
	if why, err := os.ReadFile(filepath.Join(r.Path, FailureFile)); err == nil {
		r.Error = strings.TrimSpace(string(why))
		return train.Failed
	}
	return train.Interrupted
}

// trainings are all, those of masks too.
func (r Run) trainings() []results.Training { return slices.Concat(r.Maskings, r.Trainings) }

// Dense reports whether the run is a dense training, not a pruning.
func (r Run) Dense() bool { return r.Config.Prune.Method == NoPruning && !r.Searching() }

// Searching reports whether the run is a search.
func (r Run) Searching() bool { return r.Config.Search.Method != NoSearch }

// Model is the path of a dense training's model.
func (r Run) Model() string { return filepath.Join(r.Path, ModelFile) }

// Finished reports whether everything that the configuration asks for is there.
func (r Run) Finished() bool {
	if r.Searching() {
		return r.Genotype != nil
	}
	if r.Dense() {
		return r.Outcome != nil && r.tested(r.Outcome.TestAcc)
	}
	for _, s := range r.Config.Prune.Sparsity {
		if p, ok := r.At(s); !ok || !r.tested(p.TestAcc) {
			return false
		}
	}
	return true
}

// tested reports whether a test accuracy is there if it is asked for.
func (r Run) tested(a results.Percent) bool { return a.Measured() || !r.Config.Data.Test }

// At is the finished network of a sparsity, if there is one.
func (r Run) At(sparsity float64) (Pruned, bool) {
	i := slices.IndexFunc(r.Pruned, func(p Pruned) bool { return p.Sparsity == sparsity })
	if i < 0 {
		return Pruned{}, false
	}
	return r.Pruned[i], true
}

// Epochs is how many epochs are done, of how many.
func (r Run) Epochs() (done, total int) {
	for _, t := range r.trainings() {
		done += t.Account.Epoch
	}
	return done, r.Config.Epochs()
}

// Seconds is the time that the run's trainings took.
func (r Run) Seconds() (sum float64) {
	for _, t := range r.trainings() {
		sum += t.Seconds
	}
	return sum
}

// MarshalJSON writes path, status, error if it failed, epochs done and in all, seconds, every setting, and the outcome or
// the pruned networks.
func (r Run) MarshalJSON() ([]byte, error) {
	done, total := r.Epochs()
	return json.Marshal(struct {
		Path       string       `json:"path"`
		Status     train.Status `json:"status"`
		Error      string       `json:"error,omitempty"`
		EpochsDone int          `json:"epochs_done"`
		Epochs     int          `json:"epochs"`
		Seconds    float64      `json:"seconds"`
		Config     Config       `json:"config"`
		Outcome    *Outcome     `json:"outcome,omitempty"`
		Pruned     []Pruned     `json:"pruned,omitempty"`
		Genotype   string       `json:"genotype,omitempty"`
	}{r.Path, r.Status, r.Error, done, total, r.Seconds(), r.Config, r.Outcome, r.Pruned, r.genotype()})
}

// Find reads every run below root, in the order of their paths. Those that cannot be read are left out, and the error names
// each; the others are returned with it. A root that does not exist has no runs.
func Find(root string) ([]Run, error) {
	var runs []Run
	var bad []error
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == root:
			return nil
		case err != nil:
			bad = append(bad, fmt.Errorf("experiment: %w", err))
			return nil
		case d.IsDir() || d.Name() != ConfigFile:
			return nil
		}
		r, err := Open(filepath.Dir(path))
		if err != nil {
			bad = append(bad, err)
			return nil
		}
		runs = append(runs, r)
		return nil
	})
	return runs, errors.Join(append(bad, err)...)
}
