// Package atomicfile replaces files whole: a reader sees the old content or the new, never a part, whatever happens in
// between.
package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Write calls write with a buffered temporary file in path's directory, flushes it to the disk, renames it to path, and
// flushes the directory. On an error, or if write panics, the temporary file is removed and what stood at path stays as it
// was; only where the directory alone could not be flushed is the new file in place already. It has mode 0644. A temporary
// file that a killed process left is hidden, has .tmp in its name, and may be removed.
func Write(path string, write func(io.Writer) error) error { return system.write(path, write) }

// WriteBytes is Write for content that is at hand.
func WriteBytes(path string, content []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// steps are the operations of the system that can fail, a seam for tests.
type steps struct {
	create func(dir, pattern string) (file, error)
	rename func(from, to string) error
	sync   func(dir string) error
}

type file interface {
	io.WriteCloser
	Name() string
	Sync() error
	Chmod(os.FileMode) error
}

var system = steps{
	create: func(dir, pattern string) (file, error) { return os.CreateTemp(dir, pattern) },
	rename: os.Rename,
	sync:   syncDir,
}

func (s steps) write(path string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("atomicfile: writing %s: %w", path, err)
		}
	}()
	dir := filepath.Dir(path)
	f, err := s.create(dir, "."+filepath.Base(path)+".tmp*")
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
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	open = false
	if err := f.Close(); err != nil {
		return err
	}
	if err := s.rename(f.Name(), path); err != nil {
		return err
	}
	renamed = true
	return s.sync(dir)
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
