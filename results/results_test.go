package results

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"espalier/internal/safetensors"
	"espalier/train"
)

func TestSummary(t *testing.T) {
	near := func(what string, got, want float64) {
		if !(math.Abs(got-want) <= 1e-12*max(1, math.Abs(want))) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	s := Summarize(2, 4, 4, 4, 5, 5, 7, 9)
	near("mean", s.Mean, 5)
	near("std", s.Std, math.Sqrt(32./7))
	if s.N != 8 || s.Min != 2 || s.Max != 9 {
		t.Errorf("%+v", s)
	}
	shifted := Summarize(1e9+4, 1e9+7, 1e9+13, 1e9+16)
	near("std far from zero", shifted.Std, math.Sqrt(30))
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{nil, "–"},
		{[]float64{87.494}, "87.49 (n = 1)"},
		{[]float64{87, 88}, "87.50 (87.00–88.00, n = 2)"},
		{[]float64{1, 2, 3, 4}, "2.50 (1.00–4.00, n = 4)"},
		{[]float64{2, 4, 4, 4, 5, 5, 7, 9}, "5.00 ± 2.14 (n = 8)"},
	} {
		if got := Summarize(c.values...).Text(2); got != c.want {
			t.Errorf("%v: %q, want %q", c.values, got, c.want)
		}
	}
	for _, values := range [][]float64{nil, {math.NaN()}, {1, math.NaN(), 3}} {
		if s := Summarize(values...); !math.IsNaN(s.Mean) || !math.IsNaN(s.Std) || !math.IsNaN(s.Min) || !math.IsNaN(s.Max) {
			t.Errorf("%v: %+v", values, s)
		}
	}
}

func TestTable(t *testing.T) {
	table := NewTable("model", "accuracy", "notes")
	table.Add("resnet20", "91.25", "größer")
	table.Add("a|b", "9.1", "two\nlines, \"quoted\"")
	table.Add("", "–", "")
	for f, want := range map[Format]string{
		Text: `model     accuracy  notes
resnet20     91.25  größer
a|b            9.1  two lines, "quoted"
                 –
`,
		CSV: "model,accuracy,notes\nresnet20,91.25,größer\na|b,9.1,\"two\nlines, \"\"quoted\"\"\"\n,–,\n",
		Markdown: `| model    | accuracy | notes               |
| -------- | -------: | ------------------- |
| resnet20 |    91.25 | größer              |
| a\|b     |      9.1 | two lines, "quoted" |
|          |        – |                     |
`,
	} {
		var b strings.Builder
		if err := table.Write(&b, f); err != nil || b.String() != want {
			t.Errorf("format %d: %v\n%q\nwant\n%q", f, err, b.String(), want)
		}
	}
	table.Note("a note")
	table.Note("another")
	for f, want := range map[Format]string{Text: "\n\na note\nanother\n", CSV: "\n,–,\n", Markdown: " |\n\na note\n\nanother\n"} {
		var b strings.Builder
		if err := table.Write(&b, f); err != nil || !strings.HasSuffix(b.String(), want) {
			t.Errorf("format %d with notes: %v\n%q", f, err, b.String())
		}
	}
	if err := table.Write(full{}, CSV); !errors.Is(err, errFull) {
		t.Errorf("a failing writer: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a row of one cell was taken")
		}
	}()
	table.Add("x")
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// count is a stepper that counts.
type count struct {
	n      int64
	failAt int64 // step that fails, 1 the first; 0: none
}

var errStep = errors.New("the step failed")

func (c *count) Steps() int           { return 2 }
func (c *count) Begin(int, int) error { return nil }

func (c *count) Step() (train.Sample, error) {
	if c.n++; c.n == c.failAt {
		return train.Sample{}, errStep
	}
	return train.Sample{}, nil
}

func (c *count) End(_ context.Context, epoch int, _ train.Report) ([]train.Figure, error) {
	return []train.Figure{{Name: "val_accuracy", Value: []float64{50, 70, 60}[epoch]}}, nil
}

func (c *count) State() (train.State, error) {
	return train.State{Tensors: []safetensors.Tensor{safetensors.Int64("n", nil, []int64{c.n})}}, nil
}

func (c *count) Restore(train.State) error { return nil }

// TestOpen makes trainings in several states and reads them.
func TestOpen(t *testing.T) {
	now := time.Unix(0, 0)
	clock := func() time.Time {
		now = now.Add(time.Second)
		return now
	}
	used := time.Duration(0)
	processor := func() time.Duration {
		used += 2 * time.Second
		return used
	}
	background := context.Background()
	cancelled, cancel := context.WithCancel(background)
	cancel()
	for _, c := range []struct {
		name     string
		ctx      context.Context
		failAt   int64
		best     string
		status   train.Status
		epochs   int
		accuracy float64 // of the epoch that counts
		seconds  float64
	}{
		{"last", background, 0, "", train.Finished, 3, 60, 6},
		{"best", background, 0, "val_accuracy", train.Finished, 3, 70, 6},
		{"interrupted", cancelled, 0, "", train.Interrupted, 0, math.NaN(), 0},
		{"failed", background, 4, "", train.Failed, 1, 50, 2},
	} {
		d, err := train.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		_, err = train.Run(c.ctx, d, &count{failAt: c.failAt}, train.Options{Epochs: 3, Best: c.best, Clock: clock, Processor: processor})
		if failed := errors.Is(err, errStep); failed != (c.failAt > 0) {
			t.Fatal(err)
		}
		got, err := Open(d.Path())
		if err != nil {
			t.Fatal(err)
		}
		accuracy := got.At("val_accuracy")
		same := accuracy == c.accuracy || math.IsNaN(accuracy) && math.IsNaN(c.accuracy)
		if got.Account.Status != c.status || got.Account.Epoch != c.epochs || !same || got.Seconds != c.seconds || got.Processor != c.seconds {
			t.Errorf("%s: %+v, accuracy %v", c.name, got, accuracy)
		}
		if !math.IsNaN(got.At("x")) {
			t.Errorf("%s: a figure that no epoch has is %v", c.name, got.At("x"))
		}
		if c.failAt > 0 && !strings.Contains(got.Account.Error, errStep.Error()) {
			t.Errorf("the failed training says %q", got.Account.Error)
		}
	}
}

func TestOpenDamaged(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
	for _, f := range []struct{ name, text string }{
		{train.StatusFile, `{"status":"finished","epoch":1,"epochs":1}`},
		{train.MetricsFile, "epoch,x\n2,1\n"},
	} {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, train.MetricsFile)) {
		t.Errorf("damaged figures: %v", err)
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		p                  Percent
		text, number, json string
	}{
		{87.494, "87.49 %", "87.49", "87.494"},
		{100, "100.00 %", "100.00", "100"},
		{100 * 0.07, "7.00 %", "7.00", "7"}, // 7.000000000000001
		{NotMeasured(), "–", "", "null"},
	} {
		if c.p.String() != c.text || c.p.Number() != c.number {
			t.Errorf("%v: %q and %q, want %q and %q", float64(c.p), c.p, c.p.Number(), c.text, c.number)
		}
		b, err := json.Marshal(c.p)
		if err != nil || string(b) != c.json {
			t.Errorf("%v: %s, %v, want %s", float64(c.p), b, err, c.json)
		}
		var back Percent
		if err := json.Unmarshal(b, &back); err != nil || back.String() != c.text {
			t.Errorf("%s: back %v, %v", b, float64(back), err)
		}
	}
	var p Percent
	if json.Unmarshal([]byte(`"much"`), &p) == nil {
		t.Error("a word was taken for a percentage")
	}
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 69.6: "1m10s", 3723: "1h2m3s"} {
		if got := Duration(seconds); got != want {
			t.Errorf("%v seconds are %q, want %q", seconds, got, want)
		}
	}
}
