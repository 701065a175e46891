package experiment

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"espalier/train"
)

// Names within a run's directory, beside those of package train.
const (
	ConfigFile  = "config.yaml"
	EnvFile     = "env.json"
	SplitFile   = "split.json"
	OutcomeFile = "outcome.json"
	ModelFile   = "model.safetensors"
	MaskFile    = "mask.safetensors"
	PrunedFile  = "pruned.csv"
	PlotsDir    = "plots"
)

// Outcome is what a dense training came to. It is written last: a directory that has it is complete.
type Outcome struct {
	Seed      uint64   `json:"seed"`
	Epochs    int      `json:"epochs"`
	BestEpoch int      `json:"best_epoch,omitempty"` // 0: the last epoch counts, as nothing was held out for validation
	ValAcc    *float64 `json:"val_acc,omitempty"`    // percent, of the epoch that counts; nil without validation images
	TestAcc   float64  `json:"test_acc"`             // percent
	TestLoss  float64  `json:"test_loss"`            // nats
	TestCount int      `json:"test_images"`
	Params    int      `json:"params"`
	MACs      int      `json:"macs"`
	Seconds   float64  `json:"seconds"` // of training and validation, interruptions not counted
	Data      string   `json:"data"`    // where the images came from
}

// Pruned is what one pruned network came to: a row of pruned.csv.
type Pruned struct {
	Sparsity float64 // as asked for
	Kept     int     // convolution and linear weights that stay
	Total    int     // of them all
	OneShot  float64 // validation accuracy before fine-tuning, percent; NaN without validation images
	ValAcc   float64 // the same after it
	TestAcc  float64 // after it, percent
}

// Density is the share of the weights that stays.
func (p Pruned) Density() float64 { return float64(p.Kept) / float64(p.Total) }

var prunedColumns = []string{"sparsity", "kept", "total", "one_shot_val_acc", "val_acc", "test_acc"}

// prunedCSV is the table as a file; what was not measured is empty.
func prunedCSV(rows []Pruned) []byte {
	b := []byte(csvLine(prunedColumns...))
	for _, r := range rows {
		b = append(b, csvLine(number(r.Sparsity), strconv.Itoa(r.Kept), strconv.Itoa(r.Total), measured(r.OneShot),
			measured(r.ValAcc), measured(r.TestAcc))...)
	}
	return b
}

func csvLine(fields ...string) string {
	line := fields[0]
	for _, f := range fields[1:] {
		line += "," + f
	}
	return line + "\n"
}

// measured is a percentage with two decimals, or nothing if it is NaN.
func measured(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// readPruned reads pruned.csv. Errors name the file and the line.
func readPruned(path string) ([]Pruned, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("experiment: %s: %w", path, err)
	}
	if len(lines) == 0 || !slices.Equal(lines[0], prunedColumns) {
		return nil, fmt.Errorf("experiment: %s: the columns are not %v", path, prunedColumns)
	}
	var rows []Pruned
	for i, l := range lines[1:] {
		var r Pruned
		var errs []error
		for k, to := range []any{&r.Sparsity, &r.Kept, &r.Total, &r.OneShot, &r.ValAcc, &r.TestAcc} {
			var err error
			switch to := to.(type) {
			case *int:
				*to, err = strconv.Atoi(l[k])
			case *float64:
				if *to = math.NaN(); l[k] != "" {
					*to, err = strconv.ParseFloat(l[k], 64)
				}
			}
			errs = append(errs, err)
		}
		if r.Total < 1 || r.Kept < 0 || r.Kept > r.Total {
			errs = append(errs, fmt.Errorf("%d of %d weights", r.Kept, r.Total))
		}
		if err := errors.Join(errs...); err != nil {
			return nil, fmt.Errorf("experiment: %s:%d: %w", path, i+2, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func outcomePath(dir string) string { return filepath.Join(dir, OutcomeFile) }

// readOutcome reads outcome.json.
func readOutcome(dir string) (Outcome, error) {
	var o Outcome
	path := outcomePath(dir)
	b, err := os.ReadFile(path)
	if err != nil {
		return o, fmt.Errorf("experiment: %w", err)
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return o, fmt.Errorf("experiment: %s: %w", path, err)
	}
	return o, nil
}

// A Run is a run that was found in a directory.
type Run struct {
	Path    string
	Config  Config
	Status  train.Status
	Outcome *Outcome // of a dense training that is complete, else nil
	Pruned  []Pruned // of a pruning run: the networks that are complete
}

// Model is the path of a dense training's model.
func (r Run) Model() string { return filepath.Join(r.Path, ModelFile) }

// Complete reports whether everything that the configuration asks for is there.
func (r Run) Complete() bool {
	if r.Config.Prune.Method == "none" {
		return r.Outcome != nil
	}
	return len(r.Pruned) == len(r.Config.Prune.Sparsity)
}

// Open reads the run in a directory.
func Open(dir string) (Run, error) {
	r := Run{Path: dir}
	var err error
	if r.Config, err = Load(filepath.Join(dir, ConfigFile), nil); err != nil {
		return r, err
	}
	if r.Config.Prune.Method == "none" {
		if a, err := train.ReadAccount(dir); err == nil {
			r.Status = a.Status
		} else if !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
		o, err := readOutcome(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return r, nil
		}
		r.Outcome = &o
		return r, err
	}
	r.Pruned, err = readPruned(filepath.Join(dir, PrunedFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	r.Status = train.Interrupted
	if r.Complete() {
		r.Status = train.Complete
	}
	return r, err
}

// Find reads every run below root, in the order of their paths. A root that does not exist has no runs.
func Find(root string) ([]Run, error) {
	var runs []Run
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && path == root {
				return filepath.SkipAll
			}
			return fmt.Errorf("experiment: %w", err)
		}
		if d.IsDir() || d.Name() != ConfigFile {
			return nil
		}
		r, err := Open(filepath.Dir(path))
		if err != nil {
			return err
		}
		runs = append(runs, r)
		return nil
	})
	return runs, err
}
