package train

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRecords(t *testing.T) {
	var r Records
	values := [][]float64{{0.1, 1e-300}, {math.NaN(), math.Inf(1)}, {-0.30000000000000004, 97.5}}
	for _, v := range values {
		if err := r.Add([]Figure{{"train_loss", v[0]}, {"val_accuracy", v[1]}}); err != nil {
			t.Fatal(err)
		}
	}
	want := "epoch,train_loss,val_accuracy\n1,0.1,1e-300\n2,,+Inf\n3,-0.30000000000000004,97.5\n"
	if got := string(r.CSV()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	path := filepath.Join(t.TempDir(), MetricsFile)
	if err := os.WriteFile(path, r.CSV(), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := ReadRecords(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(again.CSV()) != want {
		t.Errorf("%q after reading", again.CSV())
	}
	if got := again.Column("val_accuracy"); !slices.Equal(got, []float64{1e-300, math.Inf(1), 97.5}) {
		t.Errorf("column %v", got)
	}
	if got := again.Column("x"); got != nil {
		t.Errorf("a column that is not there: %v", got)
	}
}

func TestRecordsRefused(t *testing.T) {
	for text, say := range map[string]string{
		"":                           "without a header",
		"step,a\n":                   "first column",
		"epoch,a,a\n":                "its own",
		"epoch,epoch\n":              "its own",
		"epoch,\n":                   "needs a name",
		"epoch,a\n2,1\n":             `line 2: epoch "2" follows epoch 0`,
		"epoch,a\n1,1\n1,1\n":        `line 3: epoch "1" follows epoch 1`,
		"epoch,a\n1,one\n":           `line 2: a is "one"`,
		"epoch,a\n1\n":               "line 2",
		"epoch,a\n1,1,1\n":           "line 2",
		"epoch,a\n1,\"1\n":           "line",
		"epoch,a\n1,1\n\n+2,1\n":     `line 4: epoch "+2"`,
		"epoch,a\n1,1\n2,0x1p-2,1\n": "line 3",
	} {
		path := filepath.Join(t.TempDir(), MetricsFile)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRecords(path); err == nil || !strings.Contains(err.Error(), say) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, want %q", text, err, say)
		}
	}
}

func TestTimingsCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), TimingsFile)
	for text, want := range map[string][]Timing{
		"":            nil,
		"epoch,fr":    nil,
		timingsHeader: nil,
		timingsHeader + "1,0,5,2.500,1.000,4.250\n2,0,3": {{1, 0, 5, 2.5, 1, 4.25}},
		timingsHeader + "1,0,5,2.500,1.000\n":            {{1, 0, 5, 2.5, 1, 0}},
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadTimings(path); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{timingsHeader + "1,0,5,x,1\n", timingsHeader + "1,0,5\n", "a,b\n1,2\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTimings(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestTornTimings interrupts a run, tears timings.csv as a crash does, and goes on: whole rows stay, and the file is one
// that can be read.
func TestTornTimings(t *testing.T) {
	now := time.Unix(0, 0)
	o := Options{Epochs: testEpochs, Clock: func() time.Time {
		now = now.Add(time.Second)
		return now
	}}
	for left, want := range map[int]int{0: 2, 10: 2, len(timingsHeader) - 1: 2, len(timingsHeader): 2, len(timingsHeader) + 3: 2, 1 << 20: 5} {
		d := half(t, t.TempDir(), o)
		rewrite(t, d.Path(TimingsFile), func(b []byte) []byte { return b[:min(left, len(b))] })
		if _, err := Run(context.Background(), d, newWalk(testSteps), o); err != nil {
			t.Fatal(err)
		}
		timings, err := ReadTimings(d.Path(TimingsFile))
		if err != nil || len(timings) != want {
			t.Errorf("%d bytes left: %d rows, %v, want %d", left, len(timings), err, want)
		}
	}
}

// FuzzRecords reads anything; what it accepts, it writes and reads again as the same.
func FuzzRecords(f *testing.F) {
	f.Add([]byte("epoch,train_loss,val_accuracy\n1,0.1,1e-300\n2,,+Inf\n"))
	f.Add([]byte("epoch\n1\n2\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseRecords(text)
		if err != nil {
			return
		}
		again, err := parseRecords(r.CSV())
		if err != nil || string(again.CSV()) != string(r.CSV()) {
			t.Errorf("%q becomes %q, %v", text, again.CSV(), err)
		}
	})
}

func TestFigure(t *testing.T) {
	got := Join([]Figure{{"train_loss", 1.23456789}, {"val_accuracy", 56.789}, {"lr", 0.1}, {"val_loss", math.NaN()}})
	if want := "train loss 1.235, val accuracy 56.79 %, lr 0.1, val loss -"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
