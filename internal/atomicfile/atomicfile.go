// Package atomicfile replaces files whole: a reader sees the old content or the new, never a part, whatever happens in
// between.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Write calls write with a buffered temporary file in path's directory, flushes it to the disk, renames it to path, and
// flushes the directory. On an error, or if write panics, the temporary file is removed and what stood at path stays as it
// was; only where the directory alone could not be flushed is the new file in place already. It has mode 0644. A temporary
// file that a killed process left is hidden, has .tmp in its name, and may be removed: see Sweep.
func Write(path string, write func(io.Writer) error) error { return standard.Write(path, write) }

// WriteBytes is Write for content that is at hand.
func WriteBytes(path string, content []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Sweep removes from a directory the temporary files of processes that were killed. Nobody else may be writing there.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("atomicfile: %w", err)
	}
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, ".") || !strings.Contains(name, ".tmp") || e.IsDir() {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("atomicfile: %w", err)
		}
	}
	return nil
}

// Step is something that the system does for Write and that can fail.
type Step string

// The steps of a Write, in order. Put comes once for each piece of the content.
const (
	Create  Step = "create"
	Put     Step = "write"
	Mode    Step = "chmod"
	Flush   Step = "flush"
	Close   Step = "close"
	Rename  Step = "rename"
	FlushIn Step = "flush the directory"
)

// Writer writes as the function Write does.
type Writer struct {
	// Fail is asked before each step for the file at path, and its error is taken for the step's own; nil: nothing fails but
	// what the system refuses. It is how tests fill a disk.
	Fail func(s Step, path string) error
}

// standard is what the function Write uses.
var standard Writer

// Disturb gives the function Write a Writer.Fail, for tests of whole programs, until restore is called. Nothing may be written
// meanwhile by others.
func Disturb(fail func(s Step, path string) error) (restore func()) {
	before := standard
	standard = Writer{fail}
	return func() { standard = before }
}

// Write is the function Write.
func (w Writer) Write(path string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("atomicfile: writing %s: %w", path, err)
		}
	}()
	dir := filepath.Dir(path)
	if err := w.fail(Create, path); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	open, renamed := true, false
	defer func() { // on a panic too
		if open {
			f.Close()
		}
		if !renamed {
			os.Remove(f.Name())
		}
	}()
	b := bufio.NewWriterSize(pieces{f, w, path}, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := w.do(Mode, path, func() error { return f.Chmod(0o644) }); err != nil {
		return err
	}
	if err := w.do(Flush, path, f.Sync); err != nil {
		return err
	}
	if err := w.fail(Close, path); err != nil {
		return err
	}
	open = false
	if err := f.Close(); err != nil {
		return err
	}
	if err := w.do(Rename, path, func() error { return os.Rename(f.Name(), path) }); err != nil {
		return err
	}
	renamed = true
	return w.do(FlushIn, path, func() error { return syncDir(dir) })
}

func (w Writer) fail(s Step, path string) error {
	if w.Fail == nil {
		return nil
	}
	return w.Fail(s, path)
}

func (w Writer) do(s Step, path string, step func() error) error {
	if err := w.fail(s, path); err != nil {
		return err
	}
	return step()
}

// pieces is the temporary file, into which the buffer's pieces go.
type pieces struct {
	file io.Writer
	w    Writer
	path string
}

func (p pieces) Write(b []byte) (int, error) {
	if err := p.w.fail(Put, p.path); err != nil {
		return 0, err
	}
	return p.file.Write(b)
}

// syncDir makes a rename in dir lasting. Windows cannot flush a directory and does not need to.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
