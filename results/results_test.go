package results

import (
	"context"
	"errors"
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
		{nil, "-"},
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
	table.Add("", "", "")
	for f, want := range map[Format]string{
		Text: `model     accuracy  notes
resnet20     91.25  größer
a|b            9.1  two lines, "quoted"

`,
		CSV: "model,accuracy,notes\nresnet20,91.25,größer\na|b,9.1,\"two\nlines, \"\"quoted\"\"\"\n,,\n",
		Markdown: `| model    | accuracy | notes               |
| -------- | -------: | ------------------- |
| resnet20 |    91.25 | größer              |
| a\|b     |      9.1 | two lines, "quoted" |
|          |          |                     |
`,
	} {
		var b strings.Builder
		if err := table.Write(&b, f); err != nil || b.String() != want {
			t.Errorf("%s: %v\n%q\nwant\n%q", f, err, b.String(), want)
		}
		if got, err := ParseFormat(string(f)); err != nil || got != f {
			t.Errorf("%s: parsed %q, %v", f, got, err)
		}
	}
	if _, err := ParseFormat("html"); err == nil || !strings.Contains(err.Error(), "markdown") {
		t.Errorf("%v", err)
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

// TestFind makes runs in several states and finds them.
func TestFind(t *testing.T) {
	root := t.TempDir()
	now := time.Unix(0, 0)
	clock := func() time.Time {
		now = now.Add(time.Second)
		return now
	}
	run := func(name, stage string, o train.Options, ctx context.Context) *train.Dir {
		d, err := train.Open(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		in := d
		if stage != "" {
			if in, err = d.Stage(stage); err != nil {
				t.Fatal(err)
			}
		}
		o.Epochs, o.Clock = 3, clock
		if _, err := train.Run(ctx, in, &count{}, o); err != nil {
			t.Fatal(err)
		}
		return d
	}
	background := context.Background()
	cancelled, cancel := context.WithCancel(background)
	cancel()
	run("a/1", "", train.Options{}, background).Close()
	run("a/1", "sparsity-0.9", train.Options{Best: "val_accuracy"}, background).Close()
	run("b/2", "", train.Options{}, cancelled).Close()
	killed := run("c/3", "", train.Options{}, cancelled)
	defer killed.Close() // its lock says that it goes on
	if err := os.WriteFile(killed.Path(train.StatusFile), []byte(`{"status":"running","epoch":0,"epochs":3}`), 0o644); err != nil {
		t.Fatal(err)
	}

	failed, err := train.Open(filepath.Join(root, "d/4"))
	if err != nil {
		t.Fatal(err)
	}
	defer failed.Close()
	_, err = train.Run(background, failed, &count{failAt: 4}, train.Options{Epochs: 3, Clock: clock})
	if !errors.Is(err, errStep) {
		t.Fatal(err)
	}

	runs, err := Find(root)
	if err != nil {
		t.Fatal(err)
	}
	if why := runs[len(runs)-1].Account.Error; !strings.Contains(why, errStep.Error()) {
		t.Errorf("the failed run says %q", why)
	}
	var b strings.Builder
	if err := Overview(root, runs, 1, "val_accuracy", "x").Write(&b, CSV); err != nil {
		t.Fatal(err)
	}
	want := `run,status,epochs,val_accuracy,x,seconds
a/1,complete,3/3,60.0,,6
a/1/sparsity-0.9,complete,3/3,70.0,,6
b/2,interrupted,0/3,,,0
c/3,running,0/3,,,0
d/4,failed,1/3,50.0,,2
`
	if b.String() != want {
		t.Errorf("found\n%s\nwant\n%s", b.String(), want)
	}

	if err := os.WriteFile(filepath.Join(root, "a/1", train.MetricsFile), []byte("epoch,x\n2,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	runs, err = Find(root)
	if err == nil || !strings.Contains(err.Error(), filepath.Join("a", "1")) || len(runs) != 4 {
		t.Errorf("with one damaged: %d runs, %v", len(runs), err)
	}
	if runs, err := Find(filepath.Join(root, "nowhere")); len(runs) != 0 || err != nil {
		t.Errorf("nowhere: %v, %v", runs, err)
	}
}
