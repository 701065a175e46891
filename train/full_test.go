package train

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"espalier/internal/atomicfile"
)

var steps = []atomicfile.Step{
	atomicfile.Create, atomicfile.Put, atomicfile.Mode, atomicfile.Flush, atomicfile.Close, atomicfile.Rename, atomicfile.FlushIn,
}

// disk writes files until a step of one of them fails, for good or once.
type disk struct {
	file int // counted from 1
	step atomicfile.Step
	once bool

	files  int
	failed string // the file, once it failed
}

func (d *disk) write(path string, write func(io.Writer) error) error {
	d.files++
	if d.files < d.file || d.once && d.files > d.file {
		return quickly(path, write)
	}
	w := atomicfile.Writer{Fail: func(s atomicfile.Step, _ string) error {
		if s == d.step || d.files > d.file {
			d.failed = filepath.Base(path)
			return syscall.ENOSPC
		}
		return nil
	}}
	return w.Write(path, write)
}

// TestEveryStepOfEveryFile lets each step of each file that a run writes fail in turn, for good, as on a full disk, or once,
// as if somebody made room. The run ends with the cause, nothing is half written, no checkpoint that was whole is lost, and
// the next run goes on and ends in the bits of one that had no trouble.
func TestEveryStepOfEveryFile(t *testing.T) {
	want := reference(t)
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	for file := 1; ; file++ {
		for i := range 2 * len(steps) {
			full := disk{file: file, step: steps[i/2], once: i%2 == 1}
			dir := t.TempDir()
			d := open(t, dir)
			d.write = full.write
			_, err := Run(context.Background(), d, newWalk(testSteps), o)
			d.Close()
			if full.failed == "" {
				if file < 12 {
					t.Errorf("only %d files in a run", file)
				}
				return
			}
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v", err)
			}
			whole(t, dir)
			runTo(t, dir, o, func(*walk, context.CancelFunc) {})
			same(t, files(t, dir), want)
			if t.Failed() {
				t.Fatalf("after file %d failed at %s, %s (once: %v)", file, full.failed, full.step, full.once)
			}
		}
	}
}

// whole reads everything that a run left.
func whole(t *testing.T, dir string) {
	t.Helper()
	checkpoints, err := filepath.Glob(filepath.Join(dir, CheckpointsDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range checkpoints {
		if _, err := readCheckpoint(path); err != nil {
			t.Error(err)
		}
	}
	if _, err := ReadAccount(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := ReadRecords(filepath.Join(dir, MetricsFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if hidden, _ := filepath.Glob(filepath.Join(dir, "*", ".*")); len(hidden) > 0 {
		t.Error(hidden)
	}
}
