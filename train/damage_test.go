package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"espalier/internal/safetensors"
)

// half is a run in dir that was interrupted in its third epoch.
func half(t *testing.T, dir string, o Options) *Dir {
	t.Helper()
	d := open(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := newWalk(testSteps)
	w.during = func(total int) {
		if total == 2*testSteps+3 {
			cancel()
		}
	}
	if _, err := Run(ctx, d, w, o); err != nil {
		t.Fatal(err)
	}
	return d
}

func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o644); err != nil {
		t.Fatal(err)
	}
}

var damages = map[string]func([]byte) []byte{
	"empty":               func([]byte) []byte { return nil },
	"cut short":           func(b []byte) []byte { return b[:len(b)-5] },
	"cut in the header":   func(b []byte) []byte { return b[:50] },
	"longer":              func(b []byte) []byte { return append(b, 0) },
	"a bit of the data":   func(b []byte) []byte { b[len(b)-3] ^= 4; return b },
	"a bit of the header": func(b []byte) []byte { b[300] ^= 1; return b },
	"zeros":               func(b []byte) []byte { clear(b); return b },
	"another program's": func(b []byte) []byte {
		var other strings.Builder
		if err := safetensors.Write(&other, safetensors.File{}); err != nil {
			panic(err)
		}
		return []byte(other.String())
	},
}

// TestDamaged damages the newest checkpoint: the run warns, goes on from the one before, and ends in the same bits.
func TestDamaged(t *testing.T) {
	want := reference(t)
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	for name, damage := range damages {
		dir := t.TempDir()
		d := half(t, dir, o)
		newest := d.Path(Position{2, 3}.file())
		rewrite(t, newest, damage)
		d.Close()

		d = open(t, dir)
		var events recorder
		o := o
		o.Observer = &events
		w := newWalk(testSteps)
		r, err := Run(context.Background(), d, w, o)
		if err != nil || r.Status != Finished || w.begun[0] != (Position{2, 0}) {
			t.Errorf("%s: %+v, %v, begun %v", name, r, err, w.begun)
			continue
		}
		if !strings.HasPrefix(events[0], "warned ") || !strings.Contains(events[0], newest) {
			t.Errorf("%s: first event %q, want a warning", name, events[0])
		}
		same(t, files(t, dir), want)
		if _, err := os.Stat(newest + ".damaged"); err != nil {
			t.Errorf("%s: the damaged checkpoint is gone: %v", name, err)
		}
	}
}

// TestDamagedAnywhere cuts the newest checkpoint short at random lengths and turns random bits of it over: each time the run
// sets it aside with a warning and ends in the same bits. (A bit that only changes how the file spells its content is no
// damage.)
func TestDamagedAnywhere(t *testing.T) {
	const seed, tries = 1, 100
	want := reference(t)
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	begun := t.TempDir()
	half(t, begun, o).Close()
	newest := Position{2, 3}.file()
	content, err := os.ReadFile(filepath.Join(begun, newest))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := safetensors.ReadFile(filepath.Join(begun, newest))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for try := range tries {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(begun)); err != nil {
			t.Fatal(err)
		}
		b, what := bytes.Clone(content), ""
		if try%2 == 0 {
			n := random.IntN(len(b))
			b, what = b[:n], fmt.Sprintf("cut to %d bytes", n)
		} else {
			n := random.IntN(8 * len(b))
			b[n/8] ^= 1 << (n % 8)
			what = fmt.Sprintf("bit %d of byte %d", n%8, n/8)
		}
		rewrite(t, filepath.Join(dir, newest), func([]byte) []byte { return b })
		if f, err := safetensors.ReadFile(filepath.Join(dir, newest)); err == nil && reflect.DeepEqual(f, whole) {
			continue
		}
		d := open(t, dir)
		var events recorder
		o := o
		o.Observer = &events
		w := newWalk(testSteps)
		r, err := Run(context.Background(), d, w, o)
		d.Close()
		if err != nil || r.Status != Finished || w.begun[0] != (Position{2, 0}) || !strings.HasPrefix(events[0], "warned ") {
			t.Fatalf("seed %d, %s: %+v, %v, begun %v, %q", seed, what, r, err, w.begun, events[0])
		}
		same(t, files(t, dir), want)
		if t.Failed() {
			t.Fatalf("seed %d, %s", seed, what)
		}
	}
}

// TestAllDamaged damages both checkpoints: the run refuses to begin anew by itself, as often as it is asked.
func TestAllDamaged(t *testing.T) {
	dir := t.TempDir()
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	d := half(t, dir, o)
	for _, p := range []Position{{2, 3}, {2, 0}} {
		rewrite(t, d.Path(p.file()), damages["cut short"])
	}
	for range 2 {
		_, err := Run(context.Background(), d, newWalk(testSteps), o)
		if !errors.Is(err, safetensors.ErrCorrupt) || !strings.Contains(err.Error(), "none of the 2 checkpoints") || strings.Contains(err.Error(), "\n") {
			t.Fatalf("error %v", err)
		}
	}
	if err := os.RemoveAll(d.Path(CheckpointsDir)); err != nil {
		t.Fatal(err)
	}
	d.Close()
	runTo(t, dir, o, func(*walk, context.CancelFunc) {})
	same(t, files(t, dir), reference(t))
}

// TestBestDamaged damages or loses the best checkpoint of a finished run: the stepper stays as it was, and the error is one
// line that says what to do.
func TestBestDamaged(t *testing.T) {
	d := open(t, t.TempDir())
	if _, err := Run(context.Background(), d, newWalk(testSteps), Options{Epochs: testEpochs, Best: "val_accuracy"}); err != nil {
		t.Fatal(err)
	}
	path := d.Path(CheckpointsDir, BestFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range damages {
		rewrite(t, path, func([]byte) []byte { return damage(bytes.Clone(whole)) })
		w := newWalk(testSteps)
		_, err := LoadBest(d, w)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "remove") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		if w.total != 0 {
			t.Errorf("%s: the stepper took something", name)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadBest(d, newWalk(testSteps)); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "remove") {
		t.Errorf("lost: %v", err)
	}
}

// TestRecordsAreThoseOfTheCheckpoint damages metrics.csv: a resumed run writes it anew.
func TestRecordsAreThoseOfTheCheckpoint(t *testing.T) {
	want := reference(t)
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	for name, change := range map[string]func([]byte) []byte{
		"lost row":  func(b []byte) []byte { return b[:len(b)-8] },
		"rows more": func(b []byte) []byte { return append(b, "3,1,1\n4,1,1\n"...) },
		"empty":     func([]byte) []byte { return nil },
	} {
		dir := t.TempDir()
		d := half(t, dir, o)
		rewrite(t, d.Path(MetricsFile), change)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Run(ctx, d, newWalk(testSteps), o); err != nil {
			t.Fatal(err)
		}
		if r, err := ReadRecords(d.Path(MetricsFile)); err != nil || len(r.Rows) != 2 {
			t.Errorf("%s: %d rows after a resume, %v", name, len(r.Rows), err)
		}
		d.Close()
		runTo(t, dir, o, func(*walk, context.CancelFunc) {})
		same(t, files(t, dir), want)
	}
}

// FuzzCheckpoint: whatever bytes a file has, reading it gives a checkpoint that can be written and read again, or an error in
// one line that names the file and lets the run look for another.
func FuzzCheckpoint(f *testing.F) {
	w := newWalk(testSteps)
	state, err := w.State()
	if err != nil {
		f.Fatal(err)
	}
	c := checkpoint{position: Position{1, 2}, steps: testSteps, best: Best{1, 0.5}, state: state}
	c.records = Records{Columns: []string{"val_accuracy"}, Rows: [][]float64{{0.5}}}
	var whole bytes.Buffer
	if err := c.write(&whole); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	unchecked := bytes.ReplaceAll(whole.Bytes(), []byte("sha256"), []byte("sha000"))
	f.Add(bytes.ReplaceAll(unchecked, []byte("checksum"), []byte("unchecked")[:8]))
	for _, damage := range damages {
		f.Add(damage(bytes.Clone(whole.Bytes())))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "checkpoint")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := readCheckpoint(path)
		if err != nil {
			if !errors.Is(err, safetensors.ErrCorrupt) && !errors.Is(err, errNoCheckpoint) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %v", err)
			}
			return
		}
		maps.DeleteFunc(c.state.Metadata, func(key, _ string) bool { return key == "checksum" || key == "sha256" }) // the writer's own
		var again bytes.Buffer
		if err := c.write(&again); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, again.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		second, err := readCheckpoint(path)
		if err != nil {
			t.Fatal(err)
		}
		var third bytes.Buffer
		if err := second.write(&third); err != nil || !bytes.Equal(again.Bytes(), third.Bytes()) {
			t.Fatalf("a checkpoint read and written again differs, %v", err)
		}
	})
}
