package study

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"espalier/experiment"
	"espalier/results"
	"espalier/train"
)

// run is a finished run of a method at two sparsities, as if it lay in dir.
func run(t *testing.T, dir, method string, seed uint64, accuracy float64, settings ...string) experiment.Run {
	t.Helper()
	c := experiment.Default()
	c.Seed = seed
	c.Prune.Method, c.Prune.Sparsity = method, []float64{.5, .9}
	for _, s := range settings {
		if err := c.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	r := experiment.Run{Path: c.Dir(dir), Config: c, Status: train.Finished}
	if method == experiment.NoPruning {
		r.Outcome = &experiment.Outcome{TestAcc: results.Percent(accuracy), ValAcc: results.NotMeasured()}
		r.Trainings = []results.Training{{Seconds: 7}}
		return r
	}
	for i, s := range c.Prune.Sparsity {
		r.Pruned = append(r.Pruned, experiment.Pruned{
			Sparsity: s, Kept: 100 - int(100*s), Total: 100, Passes: 10 * (i + 1),
			OneShot: results.NotMeasured(), ValAcc: results.NotMeasured(), TestAcc: results.Percent(accuracy - float64(i)),
		})
		r.Trainings = append(r.Trainings, results.Training{Seconds: float64(i + 1), Processor: 1.5 * float64(i+1)})
	}
	return r
}

// TestGather: runs become series by their settings; each sparsity is a cell with its own cost; what was given twice counts
// once.
func TestGather(t *testing.T) {
	dir := t.TempDir()
	runs := []experiment.Run{
		run(t, dir, "magnitude", 2, 90, "prune.lr=0.1"), run(t, dir, "magnitude", 1, 88, "prune.lr=0.1"),
		run(t, dir, "magnitude", 1, 80), run(t, dir, "magnitude", 1, 80), run(t, dir, "random", 1, 70),
		run(t, dir, "none", 1, 93), run(t, dir, "none", 1, 20, "train.stop=2"),
	}
	g, err := Gather("comparison", runs)
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, s := range g.Series {
		labels = append(labels, s.Label)
	}
	if got, want := strings.Join(labels, "; "), "dense; magnitude, prune.lr 0.1; magnitude, prune.lr 0.01; random"; got != want {
		t.Fatalf("series %s, want %s", got, want)
	}
	points := g.Points(g.Records)
	if len(points) != 1+2*3 {
		t.Fatalf("%d points", len(points))
	}
	high := points[2] // magnitude, 0.1, the second sparsity
	if high.Sparsity != .9 || len(high.Records) != 2 || results.Summarize(high.of(testAcc)...).Mean != 88 {
		t.Errorf("%+v", high)
	}
	if own := high.Records[0].Own; own.Passes != 20 || own.Seconds != 2 || own.Processor != 3 {
		t.Errorf("cost %+v", own)
	}
	if len(g.Apart) != 0 {
		t.Errorf("apart: %v", g.Apart)
	}
	if label, ok := g.Of(runs[0]); !ok || label != "magnitude, prune.lr 0.1" {
		t.Errorf("%q, %v", label, ok)
	}
	g.Baseline = "random"
	if text := g.Table(g.Records).String(); !strings.Contains(text, "+10.00 (n = 1)") {
		t.Errorf("the table is\n%s", text)
	}
}

// TestGatherNames: series whose runs have names of their own are labelled by them.
func TestGatherNames(t *testing.T) {
	dir := t.TempDir()
	g, err := Gather("", []experiment.Run{
		run(t, dir, "none", 1, 90, "name=long", "train.epochs=50"), run(t, dir, "none", 1, 80, "name=short", "train.epochs=5"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if g.Series[0].Label != "dense, long" || g.Series[1].Label != "dense, short" {
		t.Errorf("%q, %q", g.Series[0].Label, g.Series[1].Label)
	}
}

// TestGatherFivePairs: from five pairs on the difference is tested.
func TestGatherFivePairs(t *testing.T) {
	var runs []experiment.Run
	for seed := range uint64(5) {
		runs = append(runs, run(t, "runs", "magnitude", seed+1, 90+.1*float64(seed)), run(t, "runs", "random", seed+1, 80))
	}
	g, err := Gather("", runs)
	if err != nil {
		t.Fatal(err)
	}
	g.Baseline = "random"
	if text := g.Table(g.Records).String(); !strings.Contains(text, "(p < 0.001, n = 5)") {
		t.Errorf("the table is\n%s", text)
	}
}

// TestGatherUnfinished: of a run that failed the reason is kept, of one that was interrupted a cell to do; rounds that do
// not lie beside a run are reported.
func TestGatherUnfinished(t *testing.T) {
	dir := t.TempDir()
	failed, stopped := run(t, dir, "random", 1, 90), run(t, dir, "magnitude", 1, 90)
	failed.Pruned, failed.Status, failed.Error = nil, train.Failed, "no room"
	stopped.Pruned, stopped.Status = stopped.Pruned[:1], train.Interrupted
	imp := run(t, filepath.Join(dir, "elsewhere"), "imp", 1, 90)
	imp.Config.Prune.Sparsity = []float64{Ladder(3)}
	imp.Pruned = imp.Pruned[:1]
	imp.Pruned[0].Sparsity = Ladder(3)
	g, err := Gather("", []experiment.Run{failed, stopped, imp})
	if err != nil {
		t.Fatal(err)
	}
	text := g.Table(g.Records).String()
	if strings.Count(text, "1 failed") != 2 || strings.Count(text, "1 to do") != 1 {
		t.Errorf("the table is\n%s", text)
	}
	if len(g.Apart) != 1 || g.Apart[0] != imp.Path {
		t.Errorf("apart: %v", g.Apart)
	}
}

func TestGatherRefused(t *testing.T) {
	dir := t.TempDir()
	for want, runs := range map[string][]experiment.Run{
		"no runs":          {run(t, dir, "none", 1, 90, "train.stop=2")},
		"different images": {run(t, dir, "none", 1, 90), run(t, dir, "none", 1, 90, "data.name=synthetic")},
	} {
		if _, err := Gather("", runs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// TestProcessorTime: processor time counts where every stage measured it, and is left out where one did not.
func TestProcessorTime(t *testing.T) {
	measured, not := Cost{Seconds: 1, Processor: 2}, Cost{Seconds: 1}
	for _, c := range []struct {
		own, shared Cost
		want        float64
	}{
		{measured, measured, 4}, {measured, Cost{}, 2}, {Cost{Passes: 3}, measured, 2}, {measured, not, math.NaN()}, {not, measured, math.NaN()},
	} {
		if got := allProcessor(Record{Own: c.own, Shared: c.shared}); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%+v and %+v: %v, want %v", c.own, c.shared, got, c.want)
		}
	}
}
