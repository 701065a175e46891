package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var errFull = errors.New("disk full")

func TestFailuresKeepTheOldFile(t *testing.T) {
	for _, at := range []Step{"content", Create, Put, Mode, Flush, Close, Rename} {
		t.Run(string(at), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "model")
			if err := WriteBytes(path, []byte("old")); err != nil {
				t.Fatal(err)
			}
			err := failing(at).Write(path, func(w io.Writer) error {
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

// failing is a writer one of whose steps fails.
func failing(at Step) Writer {
	return Writer{func(s Step, _ string) error {
		if s == at {
			return errFull
		}
		return nil
	}}
}

// TestSteps notes the steps of a file that is written in two pieces.
func TestSteps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	var steps []Step
	w := Writer{func(s Step, at string) error {
		if at != path {
			t.Errorf("%s of %s", s, at)
		}
		steps = append(steps, s)
		return nil
	}}
	if err := w.Write(path, func(w io.Writer) error {
		_, err := w.Write([]byte("new"))
		return errors.Join(err, func() error { _, err := w.Write(make([]byte, 1<<16)); return err }())
	}); err != nil {
		t.Fatal(err)
	}
	if want := []Step{Create, Put, Put, Mode, Flush, Close, Rename, FlushIn}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
}

// A directory that cannot be flushed is an error, with the new file in place.
func TestDirectorySync(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	err := failing(FlushIn).Write(path, func(w io.Writer) error {
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

// TestSweep leaves what is not a temporary file.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	stay := []string{".hidden", "model", "model.tmp1"}
	for _, name := range append([]string{".model.tmp123"}, stay...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(dir); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if !slices.Equal(left, stay) {
		t.Errorf("%q are left, want %q", left, stay)
	}
	if err := Sweep(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("sweeping what is not there: %v", err)
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
