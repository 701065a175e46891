package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"espalier/internal/safetensors"
)

const (
	testSteps  = 5
	testEpochs = 4
)

// open opens a run's directory until the test ends. Its files are not flushed to the disk, which would take most of the
// time.
func open(t testing.TB, path string) *Dir {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	d.write = quickly
	t.Cleanup(func() { d.Close() })
	return d
}

func quickly(path string, write func(io.Writer) error) error {
	var b bytes.Buffer
	err := write(&b)
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// files are the names and contents of what must not depend on how often a run was interrupted.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range []string{MetricsFile, filepath.Join(CheckpointsDir, BestFile), Position{testEpochs, 0}.file()} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(b)
	}
	return found
}

func same(t testing.TB, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s differs from that of an uninterrupted run", name)
		}
	}
}

// reference is an uninterrupted run.
func reference(t testing.TB) map[string]string {
	t.Helper()
	d := open(t, t.TempDir())
	r, err := Run(context.Background(), d, newWalk(testSteps), Options{Epochs: testEpochs, Best: "val_accuracy"})
	if err != nil || r.Status != Finished || r.Resumed {
		t.Fatalf("%+v, %v", r, err)
	}
	return files(t, d.Path())
}

// runTo runs in dir until it is finished, each time with a new stepper, which prepare may change; it returns how often.
func runTo(t *testing.T, dir string, o Options, prepare func(*walk, context.CancelFunc)) (runs int) {
	t.Helper()
	for {
		d := open(t, dir)
		ctx, cancel := context.WithCancel(context.Background())
		w := newWalk(testSteps)
		prepare(w, cancel)
		r, err := Run(ctx, d, w, o)
		cancel()
		d.Close()
		if err != nil {
			t.Fatal(err)
		}
		if runs++; r.Status == Finished {
			return runs
		}
		if runs > 1000 {
			t.Fatal("no end")
		}
	}
}

// TestResume interrupts a run at every step, and at several steps of one run.
func TestResume(t *testing.T) {
	want := reference(t)
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	for at := 1; at <= testSteps*testEpochs; at++ {
		dir := t.TempDir()
		runTo(t, dir, o, func(w *walk, cancel context.CancelFunc) {
			w.during = func(total int) {
				if total == at {
					cancel()
				}
			}
		})
		same(t, files(t, dir), want)
	}
	for _, every := range []int{1, 2, 3, 7} {
		dir := t.TempDir()
		runs := runTo(t, dir, o, func(w *walk, cancel context.CancelFunc) {
			n := 0
			w.during = func(int) {
				if n++; n == every {
					cancel()
				}
			}
		})
		if want := testSteps * testEpochs / every; runs < want {
			t.Errorf("%d runs, want at least %d", runs, want)
		}
		same(t, files(t, dir), want)
	}
}

// TestResumeEvaluation interrupts the end of each epoch once.
func TestResumeEvaluation(t *testing.T) {
	want := reference(t)
	dir := t.TempDir()
	ended := 0
	runs := runTo(t, dir, Options{Epochs: testEpochs, Best: "val_accuracy"}, func(w *walk, cancel context.CancelFunc) {
		w.ending = func(context.Context) {
			if ended++; ended%2 == 1 {
				cancel()
			}
		}
	})
	if runs != testEpochs+1 {
		t.Errorf("%d runs, want %d", runs, testEpochs+1)
	}
	same(t, files(t, dir), want)
}

func TestInterruptedResult(t *testing.T) {
	d := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	w := newWalk(testSteps)
	w.during = func(total int) {
		if total == testSteps+2 {
			cancel()
		}
	}
	r, err := Run(ctx, d, w, Options{Epochs: testEpochs})
	if err != nil || r.Status != Interrupted || r.Position != (Position{1, 2}) || len(r.Records.Rows) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := r.String(); !strings.Contains(got, "step 2 of epoch 2") || !strings.Contains(got, "same command") {
		t.Errorf("%q does not say where it is and how to go on", got)
	}
	a, err := ReadAccount(d.Path())
	if err != nil || a.Status != Interrupted || a.Position != r.Position || a.Epochs != testEpochs || a.Steps != testSteps {
		t.Errorf("account %+v, %v", a, err)
	}
	w = newWalk(testSteps)
	r, err = Run(context.Background(), d, w, Options{Epochs: testEpochs})
	if err != nil || r.Status != Finished || !r.Resumed || w.begun[0] != (Position{1, 2}) {
		t.Errorf("resumed: %+v, %v, begun %v", r, err, w.begun)
	}
}

// TestNothingDone interrupts a resumed run before its first step: the checkpoint that is there is not written again.
func TestNothingDone(t *testing.T) {
	d := half(t, t.TempDir(), Options{Epochs: testEpochs})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var events recorder
	if _, err := Run(ctx, d, newWalk(testSteps), Options{Epochs: testEpochs, Observer: &events, Clock: time.Now}); err != nil {
		t.Fatal(err)
	}
	if timings, err := ReadTimings(d.Path(TimingsFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("timings of nothing: %v, %v", timings, err)
	}
	for _, e := range events {
		if strings.HasPrefix(e, "saved") {
			t.Errorf("%s", e)
		}
	}
}

// TestFinished runs a finished run again: nothing is done, and the stepper has the last state.
func TestFinished(t *testing.T) {
	d := open(t, t.TempDir())
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	first := newWalk(testSteps)
	a, err := Run(context.Background(), d, first, o)
	if err != nil {
		t.Fatal(err)
	}
	again := newWalk(testSteps)
	again.during = func(int) { t.Error("a step of a finished run") }
	b, err := Run(context.Background(), d, again, o)
	if err != nil {
		t.Fatal(err)
	}
	if a.Resumed = true; !reflect.DeepEqual(a, b) {
		t.Errorf("%+v, then %+v", a, b)
	}
	if !slices.Equal(first.x, again.x) {
		t.Errorf("the stepper is at %v, was at %v", again.x, first.x)
	}
}

var errKilled = errors.New("killed")

// TestKilled stops a run dead at each of its writes, just before the new file takes its place and just after, and resumes.
func TestKilled(t *testing.T) {
	want := reference(t)
	o := Options{Epochs: testEpochs, Best: "val_accuracy", SaveSteps: 2}
	for write := 1; ; write++ {
		for _, after := range []bool{false, true} {
			dir := t.TempDir()
			d := open(t, dir)
			n := 0
			d.write = func(path string, content func(io.Writer) error) error {
				if n++; n == write && !after {
					partial, _ := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp*")
					content(&short{partial, 100})
					panic(errKilled)
				}
				err := quickly(path, content)
				if n == write {
					panic(errKilled)
				}
				return err
			}
			killed := func() (killed bool) {
				defer func() {
					if r := recover(); r != nil && r != errKilled {
						panic(r)
					} else {
						killed = r != nil
					}
				}()
				if _, err := Run(context.Background(), d, newWalk(testSteps), o); err != nil {
					t.Fatal(err)
				}
				return false
			}()
			d.Close()
			if !killed {
				if write < 20 {
					t.Errorf("only %d writes in a run", write)
				}
				return
			}
			if a, err := ReadAccount(dir); err == nil && a.Status == Running {
				t.Errorf("write %d: a killed run counts as running", write)
			}
			runTo(t, dir, o, func(*walk, context.CancelFunc) {})
			same(t, files(t, dir), want)
			if left, _ := filepath.Glob(filepath.Join(dir, "*", ".*.tmp*")); len(left) > 0 {
				t.Errorf("write %d: %v is left", write, left)
			}
			if all, _ := filepath.Glob(filepath.Join(dir, CheckpointsDir, "epoch-*")); len(all) != kept {
				t.Errorf("write %d: the checkpoints are %v, want the last %d", write, all, kept)
			}
		}
	}
}

// short is a writer that fails when it is full.
type short struct {
	io.Writer
	left int
}

var errFull = errors.New("no space left")

func (s *short) Write(b []byte) (int, error) {
	if len(b) > s.left {
		return 0, errFull
	}
	s.left -= len(b)
	return s.Writer.Write(b)
}

// TestFullDisk lets each write of a run fail once; the run says so, and the same command completes it.
func TestFullDisk(t *testing.T) {
	want := reference(t)
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	for write := 1; ; write++ {
		dir := t.TempDir()
		d := open(t, dir)
		n := 0
		d.write = func(path string, content func(io.Writer) error) error {
			n++
			return quickly(path, func(w io.Writer) error {
				if n == write {
					w = &short{w, 50}
				}
				return content(w)
			})
		}
		r, err := Run(context.Background(), d, newWalk(testSteps), o)
		d.Close()
		if n < write {
			return
		}
		if !errors.Is(err, errFull) || r.Status == Finished && r.Epoch < testEpochs {
			t.Errorf("write %d: %+v, %v", write, r, err)
		}
		if !strings.Contains(err.Error(), dir) {
			t.Errorf("write %d: %v does not name the file", write, err)
		}
		runTo(t, dir, o, func(*walk, context.CancelFunc) {})
		same(t, files(t, dir), want)
	}
}

// TestInterruptSaves interrupts a run whose timings cannot be written, and then lets it end an epoch: that is said, and the
// state is saved all the same.
func TestInterruptSaves(t *testing.T) {
	d := open(t, t.TempDir())
	if err := os.Mkdir(d.Path(TimingsFile), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := newWalk(testSteps)
	w.during = func(total int) {
		if total == 3 {
			cancel()
		}
	}
	r, err := Run(ctx, d, w, Options{Epochs: testEpochs, Clock: time.Now})
	if err == nil || r.Status != Failed || !strings.Contains(err.Error(), TimingsFile) {
		t.Errorf("%v, %v", r.Status, err)
	}
	if c, _, err := d.newest(); err != nil || c == nil || c.position != (Position{0, 3}) {
		t.Errorf("newest checkpoint %+v, %v", c, err)
	}
	r, err = Run(context.Background(), d, newWalk(testSteps), Options{Epochs: testEpochs, Clock: time.Now})
	if err == nil || r.Status != Failed {
		t.Errorf("at an epoch's end: %v, %v", r.Status, err)
	}
	if c, _, err := d.newest(); err != nil || c == nil || c.position != (Position{1, 0}) {
		t.Errorf("newest checkpoint after an epoch: %+v, %v", c, err)
	}
}

// TestFewerEpochs asks for fewer epochs than were done: the longer run is not passed off as the shorter one.
func TestFewerEpochs(t *testing.T) {
	d := half(t, t.TempDir(), Options{Epochs: testEpochs}) // 2 epochs and 3 steps
	for _, epochs := range []int{1, 2} {
		_, err := Run(context.Background(), d, newWalk(testSteps), Options{Epochs: epochs})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("to have %d epochs", epochs)) || !strings.Contains(err.Error(), Position{2, 3}.name()) {
			t.Errorf("%d epochs: %v", epochs, err)
		}
	}
	if r, err := Run(context.Background(), d, newWalk(testSteps), Options{Epochs: 3}); err != nil || r.Status != Finished || r.Epoch != 3 {
		t.Errorf("3 epochs: %+v, %v", r, err)
	}
}

// TestFailedStep lets a step fail: its error comes through, the checkpoint before it stays, and the run can go on.
func TestFailedStep(t *testing.T) {
	want := reference(t)
	dir := t.TempDir()
	d := open(t, dir)
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	w := newWalk(testSteps)
	w.failAt = 2*testSteps + 3
	r, err := Run(context.Background(), d, w, o)
	if !errors.Is(err, errStep) || !strings.Contains(err.Error(), "epoch 3, step 3 of 5") || r.Status != Failed {
		t.Errorf("%+v, %v", r, err)
	}
	if a, err := ReadAccount(dir); err != nil || a.Status != Failed || !strings.Contains(a.Error, errStep.Error()) {
		t.Errorf("account %+v, %v", a, err)
	}
	positions, err := d.positions()
	if err != nil || !slices.Equal(positions, []Position{{2, 0}, {1, 0}}) {
		t.Errorf("checkpoints %v, %v", positions, err)
	}
	d.Close()
	runTo(t, dir, o, func(*walk, context.CancelFunc) {})
	same(t, files(t, dir), want)
}

// recorder keeps events in words.
type recorder []string

func (r *recorder) Observe(e Event) {
	switch e := e.(type) {
	case Started:
		*r = append(*r, fmt.Sprintf("started %v, %d epochs of %d steps, resumed %v", e.Position, e.Epochs, e.Steps, e.Resumed))
	case Stepped:
		*r = append(*r, fmt.Sprintf("step %v, %d image", e.Position, e.Images))
	case Worked:
		*r = append(*r, fmt.Sprintf("%s %d/%d", e.Task, e.Done, e.Total))
	case EpochEnded:
		*r = append(*r, fmt.Sprintf("epoch %d, best %v, %v s", e.Epoch, e.Best, e.Seconds))
	case Saved:
		*r = append(*r, "saved "+filepath.Base(e.Path))
	case Warned:
		*r = append(*r, "warned "+e.Text)
	case Ended:
		*r = append(*r, "ended "+e.String())
	}
}

// TestEvents pins the events of a run, its timings and its log, with a clock that advances a second at every look.
func TestEvents(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := func() time.Time {
		now = now.Add(time.Second)
		return now
	}
	used := time.Hour
	processor := func() time.Duration {
		used += 1500 * time.Millisecond
		return used
	}
	d := open(t, t.TempDir())
	w := newWalk(2)
	w.value = func(epoch int) float64 { return float64(10 - epoch) }
	var events, second recorder
	r, err := Run(context.Background(), d, w, Options{Epochs: 2, Best: "val_accuracy", Observer: Observers{&events, &second}, Clock: clock, Processor: processor})
	if err != nil {
		t.Fatal(err)
	}
	want := recorder{
		"started at the beginning, 2 epochs of 2 steps, resumed false",
		"step after step 1 of epoch 1, 1 image", "step after step 2 of epoch 1, 1 image", "validation 1/1",
		"epoch 1, best true, 2 s", "saved best.safetensors", "saved epoch-0001-step-000000.safetensors",
		"step after step 1 of epoch 2, 1 image", "step after step 2 of epoch 2, 1 image", "validation 1/1",
		"epoch 2, best false, 2 s", "saved epoch-0002-step-000000.safetensors",
		"ended finished after 2 epochs, the best was epoch 1",
	}
	if !slices.Equal(events, want) || !slices.Equal(second, want) {
		t.Errorf("events\n%s\nwant\n%s", strings.Join(events, "\n"), strings.Join(want, "\n"))
	}
	if !(r.Seconds > 4) {
		t.Errorf("%v seconds", r.Seconds)
	}
	timings, err := ReadTimings(d.Path(TimingsFile))
	if want := []Timing{{1, 0, 2, 1, 1, 1.5}, {2, 0, 2, 1, 1, 1.5}}; err != nil || !slices.Equal(timings, want) {
		t.Errorf("timings %v, %v, want %v", timings, err, want)
	}
	log, err := os.ReadFile(d.Path(LogFile))
	if err != nil || !bytes.HasPrefix(log, []byte("2030-01-02T03:04:")) || bytes.Count(log, []byte("\n")) != 4 {
		t.Errorf("log %q, %v", log, err)
	}
}

func TestBest(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values []float64
		want   Best
	}{
		{[]float64{1, 3, 3, 2}, Best{2, 3}},
		{[]float64{nan, -1, nan, -2}, Best{2, -1}},
		{[]float64{nan, nan, nan, nan}, Best{}},
		{[]float64{math.Inf(1), 1, 0, 0}, Best{2, 1}},
		{[]float64{-5, -4, -3, -2}, Best{4, -2}},
	} {
		dir := t.TempDir()
		// Interrupted at every step: the best is remembered.
		runTo(t, dir, Options{Epochs: testEpochs, Best: "val_accuracy"}, func(w *walk, cancel context.CancelFunc) {
			w.value = func(epoch int) float64 { return c.values[epoch] }
			w.during = func(int) { cancel() }
		})
		if a, err := ReadAccount(dir); err != nil || a.Best != c.want {
			t.Errorf("%v: best %+v, %v, want %+v", c.values, a.Best, err, c.want)
		}
		d := open(t, dir)
		w := newWalk(testSteps)
		best, err := LoadBest(d, w)
		if c.want.Epoch == 0 {
			if !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%v: loading no best: %v", c.values, err)
			}
			continue
		}
		if err != nil || best != c.want || w.total != best.Epoch*testSteps {
			t.Errorf("%v: loaded %+v after %d steps, %v", c.values, best, w.total, err)
		}
	}
}

func TestRotation(t *testing.T) {
	d := open(t, t.TempDir())
	w := newWalk(testSteps)
	w.value = func(int) float64 { return 0 } // the first epoch is the best
	o := Options{Epochs: testEpochs, Best: "val_accuracy", SaveSteps: 2}
	if _, err := Run(context.Background(), d, w, o); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(d.Path(CheckpointsDir))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{BestFile, Position{3, 4}.name(), Position{4, 0}.name()}
	if !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

// TestSaveSteps asks that a save that falls on an epoch's end is not made twice.
func TestSaveSteps(t *testing.T) {
	for every, want := range map[int]int{0: 1, 1: 5, 2: 3, 4: 2, testSteps: 1, testSteps + 1: 1} {
		saves := 0
		o := Options{Epochs: 1, SaveSteps: every, Observer: observe(func(e Event) {
			if _, ok := e.(Saved); ok {
				saves++
			}
		})}
		if _, err := Run(context.Background(), open(t, t.TempDir()), newWalk(testSteps), o); err != nil {
			t.Fatal(err)
		}
		if saves != want {
			t.Errorf("every %d steps: %d saves, want %d", every, saves, want)
		}
	}
}

// TestOwnCancellation lets a stepper give up at an epoch's end: with the context's error once that has ended, the run is
// interrupted; with one of its own, failed.
func TestOwnCancellation(t *testing.T) {
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(time.Hour))
	defer cancel()
	for _, own := range []error{context.Canceled, context.DeadlineExceeded} {
		w := newWalk(testSteps)
		w.giveUp = own
		if r, err := Run(late, nil, w, Options{Epochs: 1}); !errors.Is(err, own) || r.Status != Failed {
			t.Errorf("%v of its own: %v, %v", own, r.Status, err)
		}
	}
	w := newWalk(testSteps)
	over, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	w.ending = func(ctx context.Context) { <-ctx.Done() }
	if r, err := Run(over, nil, w, Options{Epochs: 1}); err != nil || r.Status != Interrupted {
		t.Errorf("after a deadline: %v, %v", r.Status, err)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		say  string
		walk func(*walk)
		o    Options
	}{
		{"0 epochs", func(*walk) {}, Options{}},
		{"an epoch of 0 steps", func(w *walk) { w.steps = 0 }, Options{Epochs: 1}},
		{`no figure "accuracy"`, func(*walk) {}, Options{Epochs: 1, Best: "accuracy"}},
		{`figure "epoch" needs a name`, func(w *walk) { w.extra = func(int) []Figure { return []Figure{{Name: "epoch"}} } }, Options{Epochs: 1}},
		{`figure "a,b" needs a name`, func(w *walk) { w.extra = func(int) []Figure { return []Figure{{Name: "a,b"}} } }, Options{Epochs: 1}},
		{"epoch 2 has figures", func(w *walk) {
			w.extra = func(epoch int) []Figure { return []Figure{{Name: fmt.Sprint("a", epoch)}} }
		}, Options{Epochs: 2}},
		{"is the loop's", func(w *walk) { w.lie = func(s *State) { s.Metadata["run.epoch"] = "9" } }, Options{Epochs: 1}},
		{"named \"x\"", func(w *walk) {
			w.lie = func(s *State) { s.Tensors = append(s.Tensors, safetensors.Float64("x", nil, []float64{1})) }
		}, Options{Epochs: 1}},
	} {
		w := newWalk(testSteps)
		c.walk(w)
		if _, err := Run(context.Background(), open(t, t.TempDir()), w, c.o); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%q is not in %v", c.say, err)
		}
	}
}

// TestOther resumes with a stepper that does not fit the checkpoint; the run's files stay as they are.
func TestOther(t *testing.T) {
	d := open(t, t.TempDir())
	if _, err := Run(context.Background(), d, newWalk(testSteps), Options{Epochs: 1}); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(d.Path(StatusFile))
	for say, w := range map[string]*walk{
		"5 steps an epoch, this one has 6": newWalk(6),
		"x has 3 elements, not 1":          func() *walk { w := newWalk(testSteps); w.x = w.x[:1]; return w }(),
	} {
		_, err := Run(context.Background(), d, w, Options{Epochs: 2})
		if err == nil || !strings.Contains(err.Error(), say) || !strings.Contains(err.Error(), Position{1, 0}.name()) {
			t.Errorf("%v, want %q", err, say)
		}
	}
	if after, _ := os.ReadFile(d.Path(StatusFile)); !bytes.Equal(before, after) {
		t.Errorf("status %s, was %s", after, before)
	}
}

// TestWithoutDirectory keeps nothing and computes the same.
func TestWithoutDirectory(t *testing.T) {
	a, b := newWalk(testSteps), newWalk(testSteps)
	o := Options{Epochs: testEpochs, Best: "val_accuracy", SaveSteps: 1}
	ra, err := Run(context.Background(), nil, a, o)
	if err != nil {
		t.Fatal(err)
	}
	rb, err := Run(context.Background(), open(t, t.TempDir()), b, o)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(ra, rb) || !slices.Equal(a.x, b.x) {
		t.Errorf("%+v and %+v", ra, rb)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := Run(ctx, nil, newWalk(testSteps), o); err != nil || r.Status != Interrupted || r.Position != (Position{}) {
		t.Errorf("%+v, %v", r, err)
	}
}
