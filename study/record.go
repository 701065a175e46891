package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"espalier/experiment"
	"espalier/internal/atomicfile"
	"espalier/results"
)

// A Record is what a cell came to. It is a file of its own, named by the cell's hash and seed.
type Record struct {
	Hash     string          `json:"hash"` // of the cell's configuration; see experiment.Config.Hash
	Seed     uint64          `json:"seed"`
	Model    string          `json:"model"`            // of a search, its space
	Method   string          `json:"method"`           // of pruning, or of a search
	Sparsity float64         `json:"sparsity"`         // as asked for
	Params   int             `json:"params,omitempty"` // of a derived network
	MACs     int             `json:"macs,omitempty"`   // of an image through it
	Kept     int             `json:"kept,omitempty"`   // convolution and linear weights that stay
	Total    int             `json:"total,omitempty"`  // of them all
	OneShot  results.Percent `json:"one_shot_val_acc"` // validation accuracy before fine-tuning
	ValAcc   results.Percent `json:"val_acc"`
	TestAcc  results.Percent `json:"test_acc"`
	Own      Cost            `json:"own"`                // of the cell alone
	Shared   Cost            `json:"shared"`             // of the stages that it needed and others may have used, the dense network apart
	Trace    []Trace         `json:"trace,omitempty"`    // of the mask, epoch by epoch
	Genotype string          `json:"genotype,omitempty"` // what a search ended in, or a derived network is made of
	Path     []Derived       `json:"path,omitempty"`     // how it came there
	Config   string          `json:"config"`             // in YAML
	Machine  string          `json:"machine,omitempty"`
	Error    string          `json:"error,omitempty"` // why it failed; then it has no figures
}

// Cost is what a stage took.
type Cost struct {
	Epochs  int     `json:"epochs"`
	Passes  int     `json:"passes"`  // forward and backward passes of a batch
	Seconds float64 `json:"seconds"` // of training and validation
	// Processor is the processor time in seconds, of all threads added up; 0 if it was not measured throughout.
	Processor float64 `json:"processor_seconds,omitempty"`
}

// Trace is how a mask moved in an epoch, in shares of all the weights that it is over.
type Trace struct {
	Changed float64 `json:"changed"` // bits that differ from the end of the epoch before
	Regrown float64 `json:"regrown"` // those among them that came back
}

// blank is the record of a cell without figures.
func blank(c experiment.Config) Record {
	if c.Data.Name != "folder" {
		c.Data.Dir = "" // where the data are on this machine
	}
	return Record{
		Hash: c.Hash(), Seed: c.Seed, Model: ModelOf(c), Method: methodOf(c), Config: string(c.YAML()),
		Sparsity: SparsityOf(c),
		OneShot:  results.NotMeasured(), ValAcc: results.NotMeasured(), TestAcc: results.NotMeasured(),
	}
}

// recordOf is the record of a cell, of the finished run that holds it, which may have other sparsities too, and of the runs
// that it started from.
func recordOf(c experiment.Config, run experiment.Run, shared []experiment.Run) Record {
	r := blank(c)
	if run.Searching() {
		r.searched(run)
		return r
	}
	if run.Dense() {
		r.Own = costOf(run, 0)
		if o := run.Outcome; o != nil {
			r.ValAcc, r.TestAcc = o.ValAcc, o.TestAcc
			if run.Config.Model.Name == experiment.Derived {
				r.Params, r.MACs, r.Genotype = o.Params, o.MACs, run.Config.Model.Genotype
			}
		}
		for _, s := range shared {
			if c.Model.From == experiment.FromSearch && s.Searching() {
				r.Shared.add(costOf(s, 0))
			}
		}
		return r
	}
	for _, s := range shared {
		if !s.Dense() {
			r.Shared.add(costOf(s, 0))
		}
	}
	i := slices.Index(run.Config.Prune.Sparsity, r.Sparsity)
	if i < 0 {
		return r
	}
	r.Own = costOf(run, i)
	if i < len(run.Maskings) {
		r.Trace = traceOf(run.Maskings[i])
	}
	if p, ok := run.At(r.Sparsity); ok {
		r.Kept, r.Total, r.OneShot, r.ValAcc, r.TestAcc = p.Kept, p.Total, p.OneShot, p.ValAcc, p.TestAcc
	}
	return r
}

// traceOf is how a mask moved in its training.
func traceOf(masking results.Training) (all []Trace) {
	changed, regrown := masking.Records.Column("mask_changed"), masking.Records.Column("mask_regrown")
	for i := range changed {
		all = append(all, Trace{changed[i], regrown[i]})
	}
	return all
}

// costOf is what the network of a run's sparsity i took, or its dense training.
func costOf(r experiment.Run, i int) (c Cost) {
	for _, all := range [][]results.Training{r.Maskings, r.Trainings} {
		if i < len(all) {
			c.add(Cost{Epochs: all[i].Account.Epoch, Seconds: all[i].Seconds, Processor: all[i].Processor})
		}
	}
	if !r.Dense() && !r.Searching() {
		if p, ok := r.At(r.Config.Prune.Sparsity[i]); ok {
			c.Passes = p.Passes
		}
	}
	return c
}

func (c *Cost) add(d Cost) {
	if c.Seconds > 0 && c.Processor == 0 || d.Seconds > 0 && d.Processor == 0 {
		c.Processor = 0
	} else {
		c.Processor += d.Processor
	}
	c.Epochs += d.Epochs
	c.Passes += d.Passes
	c.Seconds += d.Seconds
}

// recordName is the file of a cell's record.
func recordName(c experiment.Config) string { return CellOf(c).String() + ".json" }

// readRecord reads a cell's record; if there is none, the error is an fs.ErrNotExist.
func readRecord(dir string, c experiment.Config) (Record, error) {
	var r Record
	path := filepath.Join(dir, recordName(c))
	b, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("study: %w", err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("study: %s: %w; restore it, or delete it to run the cell again", path, err)
	}
	if r.Hash != c.Hash() || r.Seed != c.Seed {
		return r, fmt.Errorf("study: %s is the record of %s, seed %d; give it back its name", path, r.Hash, r.Seed)
	}
	return r, nil
}

// writeRecord writes a cell's record.
func writeRecord(dir string, c experiment.Config, r Record) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("study: %w", err)
	}
	err := atomicfile.Write(filepath.Join(dir, recordName(c)), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	})
	if err != nil {
		return fmt.Errorf("study: %w", err)
	}
	return nil
}

// Records are the records of a study's cells that are there, by cell; a broken one is an error.
func (s *Study) Records(dir string) (map[Cell]Record, error) {
	found := make(map[Cell]Record)
	for _, c := range s.Cells() {
		r, err := readRecord(dir, c)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found[CellOf(c)] = r
	}
	return found, nil
}
