package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"espalier/datasets"
	"espalier/internal/kernels"
	"espalier/train"
)

// Lab is what stages need of the world beside a configuration. A stage is a function from a configuration to a directory:
// if the directory is complete it returns at once, and if it was interrupted it goes on.
type Lab struct {
	Runs   string                             // directory of all runs
	Places datasets.Places                    // where data sets are looked for when a configuration does not say
	Clock  func() time.Time                   // nil: no times are recorded
	Watch  func(title string) train.Observer  // is told how each training goes; nil: nobody is
	Report func(task string, done, total int) // how far an evaluation is, in images; nil: nobody is told
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

func (l *Lab) observer(title string) train.Observer {
	if l.Watch == nil {
		return nil
	}
	return l.Watch(title)
}

// env is what env.json says about the machine and the program.
type env struct {
	Go      string `json:"go"`
	System  string `json:"system"`
	Kernels string `json:"kernels"`
	Threads int    `json:"threads"`
	Cores   int    `json:"cores"`
}

// begin opens the directory of a run and writes what describes it.
func (l *Lab) begin(c Config) (*train.Dir, error) {
	d, err := train.Open(c.Dir(l.Runs))
	if err != nil {
		return nil, err
	}
	description := env{runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, kernels.ISA(), kernels.Threads(), runtime.NumCPU()}
	err = errors.Join(d.WriteBytes(ConfigFile, c.YAML()), writeJSON(d, EnvFile, description))
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func writeJSON(d *train.Dir, name string, v any) error {
	return d.Write(name, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}

// seconds adds up the timings of a run; without any it is 0.
func seconds(dir string) (float64, error) {
	timings, err := train.ReadTimings(filepath.Join(dir, train.TimingsFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	var sum float64
	for _, t := range timings {
		sum += t.Train + t.End
	}
	return sum, err
}

// stage says which stage an error belongs to, unless it already speaks for itself.
func stage(what string, err error) error {
	if interrupted := (*Interrupted)(nil); err == nil || errors.As(err, &interrupted) {
		return err
	}
	return fmt.Errorf("experiment: %s: %w", what, err)
}
