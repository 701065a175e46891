package train

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"espalier/internal/atomicfile"
)

// Names within a run's directory.
const (
	MetricsFile    = "metrics.csv"
	TimingsFile    = "timings.csv"
	LogFile        = "log.txt"
	StatusFile     = "status.json"
	CheckpointsDir = "checkpoints"
	BestFile       = "best.safetensors" // in CheckpointsDir
)

// Dir is the directory of a run, in use by this process alone until Close.
type Dir struct {
	path  string
	lock  *os.File // nil for a stage, which is under the lock of its run
	write func(path string, write func(io.Writer) error) error
}

// Open creates the directory of a run, with those above it, or opens it if it exists, and locks it. If another process has
// it, the error is ErrLocked; if nothing can be written there, the error says so. What a killed process left half written
// is removed.
func Open(path string) (*Dir, error) {
	d := &Dir{path: path, write: atomicfile.Write}
	if err := d.make(); err != nil {
		return nil, err
	}
	lock, err := takeLock(path)
	if err != nil {
		return nil, err
	}
	d.lock = lock
	if err := d.sweep(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Stage is the directory of a part of the run, such as a fine-tuning, with records and checkpoints of its own. It shares
// the run's lock and need not be closed. The name may be a path.
func (d *Dir) Stage(name string) (*Dir, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("train: %q cannot name a stage of a run", name)
	}
	s := &Dir{path: filepath.Join(d.path, name), write: d.write}
	if err := s.make(); err != nil {
		return nil, err
	}
	return s, s.sweep()
}

// Close gives up the lock.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil
	}
	err := unlockFile(d.lock)
	d.lock = nil
	return err
}

// Path is the path of the directory, or of a file in it.
func (d *Dir) Path(elem ...string) string {
	return filepath.Join(append([]string{d.path}, elem...)...)
}

// Write writes a file of the directory whole or not at all.
func (d *Dir) Write(name string, write func(io.Writer) error) error {
	if err := d.write(d.Path(name), write); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// WriteBytes is Write for content that is at hand.
func (d *Dir) WriteBytes(name string, content []byte) error {
	return d.Write(name, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

func (d *Dir) make() error {
	if err := os.MkdirAll(d.Path(CheckpointsDir), 0o755); err != nil {
		return fmt.Errorf("train: %s cannot be made: %w", d.path, err)
	}
	return nil
}

// sweep removes the temporary files of a process that was killed.
func (d *Dir) sweep() error {
	for _, dir := range []string{d.path, d.Path(CheckpointsDir)} {
		if err := atomicfile.Sweep(dir); err != nil {
			return fmt.Errorf("train: %w", err)
		}
	}
	return nil
}
