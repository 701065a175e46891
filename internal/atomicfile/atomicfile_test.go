package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
