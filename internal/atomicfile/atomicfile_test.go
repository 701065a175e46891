package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var errFull = errors.New("disk full")

// failing is a file whose named operation fails.
type failing struct {
	file
	at string
}

func (f failing) Write(b []byte) (int, error) {
	if f.at == "write" {
		return 0, errFull
	}
	return f.file.Write(b)
}

func (f failing) Sync() error {
	if f.at == "sync" {
		return errFull
	}
	return f.file.Sync()
}

func (f failing) Chmod(m os.FileMode) error {
	if f.at == "chmod" {
		return errFull
	}
	return f.file.Chmod(m)
}

func (f failing) Close() error {
	if err := f.file.Close(); err != nil || f.at != "close" {
		return err
	}
	return errFull
}

func TestFailuresKeepTheOldFile(t *testing.T) {
	for _, at := range []string{"create", "content", "write", "chmod", "sync", "close", "rename"} {
		t.Run(at, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "model")
			if err := WriteBytes(path, []byte("old")); err != nil {
				t.Fatal(err)
			}
			s := system
			s.create = func(dir, pattern string) (file, error) {
				if at == "create" {
					return nil, errFull
				}
				f, err := system.create(dir, pattern)
				return failing{f, at}, err
			}
			if at == "rename" {
				s.rename = func(string, string) error { return errFull }
			}
			err := s.write(path, func(w io.Writer) error {
				if at == "content" {
					return errFull
				}
				_, err := w.Write([]byte("new"))
				return err
			})
			if !errors.Is(err, errFull) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one that names the file and its cause", err)
			}
			if got, _ := os.ReadFile(path); string(got) != "old" {
				t.Errorf("content %q after a failure, want the old", got)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("%d files after a failure, want 1", len(entries))
			}
		})
	}
}

// A directory that cannot be flushed is an error, with the new file in place.
func TestDirectorySync(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	s := system
	s.sync = func(string) error { return errFull }
	err := s.write(path, func(w io.Writer) error {
		_, err := w.Write([]byte("new"))
		return err
	})
	if !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("content %q, want the new", got)
	}
}

func TestPanicLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		Write(filepath.Join(dir, "model"), func(io.Writer) error { panic("shape") })
	}()
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files after a panic", len(entries))
	}
}

func TestMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes on Windows")
	}
	path := filepath.Join(t.TempDir(), "model")
	if err := WriteBytes(path, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o644 {
		t.Errorf("mode %v, %v, want 0644", info.Mode(), err)
	}
}

func ExampleWriteBytes() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "config.yaml")
	fmt.Println(WriteBytes(path, []byte("seed: 1\n")))
	b, _ := os.ReadFile(path)
	fmt.Print(string(b))
	// Output:
	// <nil>
	// seed: 1
}
