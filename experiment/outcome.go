package experiment

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"espalier/results"
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
	FailureFile = "failure.txt" // why the run could not be made, until it is tried again
)

// Outcome is what a dense training came to. It is written last: a directory that has it is finished.
type Outcome struct {
	Seed      uint64          `json:"seed"`
	Epochs    int             `json:"epochs"`
	BestEpoch int             `json:"best_epoch,omitempty"` // 0: the last epoch counts, as nothing was held out for validation
	ValAcc    results.Percent `json:"val_acc"`              // of the epoch that counts
	TestAcc   results.Percent `json:"test_acc"`
	TestLoss  float64         `json:"test_loss"` // nats; 0 if the test images were not used
	TestCount int             `json:"test_images"`
	Params    int             `json:"params"`
	MACs      int             `json:"macs"`
	Seconds   float64         `json:"seconds"` // of training and validation, interruptions not counted
	Data      string          `json:"data"`    // where the images came from
}

// readOutcome reads outcome.json.
func readOutcome(dir string) (Outcome, error) {
	o := Outcome{ValAcc: results.NotMeasured(), TestAcc: results.NotMeasured()}
	return o, readJSON(filepath.Join(dir, OutcomeFile), &o)
}

// readJSON reads a file into to. Errors name it.
func readJSON(path string, to any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("experiment: %w", err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("experiment: %s: %w", path, err)
	}
	return nil
}

func writeJSON(d *train.Dir, name string, v any) error {
	return d.Write(name, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}
