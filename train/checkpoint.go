package train

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"espalier/internal/safetensors"
)

// Position is how far a run is: Epoch epochs are complete, and Step steps of the next are done.
type Position struct {
	Epoch int `json:"epoch"`
	Step  int `json:"step"`
}

func (p Position) String() string {
	switch {
	case p == Position{}:
		return "at the beginning"
	case p.Step == 0:
		return fmt.Sprintf("after epoch %d", p.Epoch)
	}
	return fmt.Sprintf("after step %d of epoch %d", p.Step, p.Epoch+1)
}

// compare orders positions in time.
func (p Position) compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Epoch, q.Epoch), cmp.Compare(p.Step, q.Step))
}

const checkpointFormat = "epoch-%04d-step-%06d.safetensors"

// name is the name of the checkpoint at p.
func (p Position) name() string { return fmt.Sprintf(checkpointFormat, p.Epoch, p.Step) }

// file is its path within the run's directory.
func (p Position) file() string { return checkpointPath(p.name()) }

func checkpointPath(name string) string { return filepath.Join(CheckpointsDir, name) }

// Best is the epoch whose figure was the greatest, the first of them if several are equal. Epoch 0 says that there is none.
type Best struct {
	Epoch int     `json:"epoch"` // 1 is the first
	Value float64 `json:"value"`
}

// checkpoint is what a file in checkpoints holds: a stepper's state and the loop's own.
type checkpoint struct {
	position Position
	steps    int // of an epoch
	best     Best
	records  Records
	state    State
}

// Keys of a checkpoint's metadata. Those that begin with runPrefix are the loop's.
const (
	runPrefix  = "run."
	keyEpoch   = runPrefix + "epoch"
	keyStep    = runPrefix + "step"
	keySteps   = runPrefix + "steps_per_epoch"
	keyBest    = runPrefix + "best_epoch"
	keyValue   = runPrefix + "best_value"
	keyRecords = runPrefix + "records"
)

// write writes the checkpoint.
func (c *checkpoint) write(w io.Writer) error {
	metadata := map[string]string{
		keyEpoch:   strconv.Itoa(c.position.Epoch),
		keyStep:    strconv.Itoa(c.position.Step),
		keySteps:   strconv.Itoa(c.steps),
		keyBest:    strconv.Itoa(c.best.Epoch),
		keyValue:   strconv.FormatFloat(c.best.Value, 'g', -1, 64),
		keyRecords: string(c.records.CSV()),
	}
	for key, value := range c.state.Metadata {
		if strings.HasPrefix(key, runPrefix) {
			return fmt.Errorf("train: metadata %q of a stepper: %s is the loop's", key, runPrefix)
		}
		metadata[key] = value
	}
	return safetensors.Write(w, safetensors.File{Tensors: c.state.Tensors, Metadata: metadata})
}

// errNoCheckpoint is in the error about a whole file that no run wrote.
var errNoCheckpoint = errors.New("no checkpoint of a run")

// readCheckpoint reads a checkpoint and verifies it.
func readCheckpoint(path string) (*checkpoint, error) {
	f, err := safetensors.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &checkpoint{state: State{Tensors: f.Tensors, Metadata: maps.Clone(f.Metadata)}}
	maps.DeleteFunc(c.state.Metadata, func(key, _ string) bool { return strings.HasPrefix(key, runPrefix) })
	for key, to := range map[string]*int{
		keyEpoch: &c.position.Epoch, keyStep: &c.position.Step, keySteps: &c.steps, keyBest: &c.best.Epoch,
	} {
		if *to, err = strconv.Atoi(f.Metadata[key]); err != nil || *to < 0 {
			return nil, fmt.Errorf("train: %s is %w: its metadata %s is %q", path, errNoCheckpoint, key, f.Metadata[key])
		}
	}
	if c.best.Value, err = strconv.ParseFloat(f.Metadata[keyValue], 64); err != nil {
		return nil, fmt.Errorf("train: %s is %w: its metadata %s is %q", path, errNoCheckpoint, keyValue, f.Metadata[keyValue])
	}
	c.records, err = parseRecords([]byte(f.Metadata[keyRecords]))
	if err == nil && len(c.records.Rows) != c.position.Epoch {
		err = fmt.Errorf("%d records after %d epochs", len(c.records.Rows), c.position.Epoch)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %s is %w: %w", path, errNoCheckpoint, err)
	}
	return c, nil
}

// positions are those of the checkpoints in the directory, newest first.
func (d *Dir) positions() ([]Position, error) {
	entries, err := os.ReadDir(d.Path(CheckpointsDir))
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	var found []Position
	for _, e := range entries {
		var p Position
		_, err := fmt.Sscanf(e.Name(), checkpointFormat, &p.Epoch, &p.Step)
		if err == nil && p.name() == e.Name() {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b Position) int { return b.compare(a) })
	return found, nil
}

// newest reads the newest checkpoint that is whole. Damaged ones that are newer are set aside under another name, and bad
// says why. Without any checkpoint it is nil; if none is whole, that is an error.
func (d *Dir) newest() (c *checkpoint, bad []error, err error) {
	positions, err := d.positions()
	if err != nil {
		return nil, nil, err
	}
	for i, p := range positions {
		c, err := readCheckpoint(d.Path(p.file()))
		if errors.Is(err, safetensors.ErrCorrupt) || errors.Is(err, errNoCheckpoint) {
			bad = append(bad, err)
			continue
		}
		if err != nil {
			return nil, bad, err
		}
		for _, damaged := range positions[:i] {
			path := d.Path(damaged.file())
			if err := os.Rename(path, path+".damaged"); err != nil {
				return nil, bad, fmt.Errorf("train: %w", err)
			}
		}
		return c, bad, nil
	}
	if len(bad) > 0 {
		return nil, bad, fmt.Errorf("train: none of the %d checkpoints in %s is whole; remove that directory to begin anew (%w)",
			len(bad), d.Path(CheckpointsDir), bad[0])
	}
	return nil, nil, nil
}

// kept is the number of checkpoints that stay, the best not counted.
const kept = 2

// rotate removes all but the newest checkpoints.
func (d *Dir) rotate() error {
	positions, err := d.positions()
	if err != nil {
		return err
	}
	for _, p := range positions[min(kept, len(positions)):] {
		if err := os.Remove(d.Path(p.file())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("train: %w", err)
		}
	}
	return nil
}

// LoadBest gives a stepper the state of the best epoch of a run that tracked it (Options.Best), and says which it was.
func LoadBest(d *Dir, s Stepper) (Best, error) {
	path := d.Path(checkpointPath(BestFile))
	c, err := readCheckpoint(path)
	if err != nil {
		return Best{}, fmt.Errorf("train: the best epoch cannot be read; remove %s to train anew (%w)", d.Path(CheckpointsDir), err)
	}
	if err := s.Restore(c.state); err != nil {
		return Best{}, fmt.Errorf("train: restoring %s: %w", path, err)
	}
	return c.best, nil
}
