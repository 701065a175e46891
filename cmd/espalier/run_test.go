package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tiny are flags for a run of a few steps.
var tiny = []string{
	"--set", "model.width=0.25", "--set", "data.train=96", "--set", "data.validation=64", "--set", "train.epochs=1",
	"--set", "train.warmup=0", "--set", "train.batch=32", "--set", "prune.epochs=1", "--set", "prune.sparsity=0.5,0.9",
}

func command(args ...string) []string { return append(args, tiny...) }

// TestQuickstart runs the whole of it on little data and looks for everything that it promises.
func TestQuickstart(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	runs := filepath.Join(t.TempDir(), "runs")
	out, stderr, code := espalier(t, command("quickstart", "--data", "synthetic", "--runs", runs)...)
	if code != exitOK {
		t.Fatalf("code %d: %s", code, stderr)
	}
	dir := filepath.Join(runs, "quickstart")
	for _, file := range []string{"table.txt", "pruning.png", "pruning.svg", "training.png", "training.svg"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, want := range []string{"removed", "magnitude", "random", "90 %", "pruning.png", "espalier eval"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
	if !strings.Contains(stderr, "synthetic") {
		t.Errorf("it does not say which images it uses:\n%s", stderr)
	}

	out, _, code = espalier(t, "ls", runs, "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != exitOK || len(lines) != 3 {
		t.Fatalf("ls: code %d, %d lines", code, len(lines))
	}
	for _, l := range lines {
		var r struct{ Path string }
		if err := json.Unmarshal([]byte(l), &r); err != nil || r.Path == "" {
			t.Errorf("ls printed %s: %v", l, err)
		}
	}
	if out, _, _ := espalier(t, "ls", runs); strings.Count(out, "complete") != 3 {
		t.Errorf("ls:\n%s", out)
	}
	pruned, err := filepath.Glob(filepath.Join(dir, "*", "seed-1", "sparsity-0.9"))
	if err != nil || len(pruned) != 2 {
		t.Fatalf("%d pruned networks at 0.9, %v", len(pruned), err)
	}
	out, stderr, code = espalier(t, "eval", pruned[0])
	if code != exitOK || !strings.Contains(out, "4532 of 5036 weights are zero") {
		t.Errorf("eval: code %d, %s%s", code, out, stderr)
	}
	figures := t.TempDir()
	if out, stderr, code = espalier(t, "plot", dir, "--out", figures); code != exitOK || strings.Count(out, figures) != 4 {
		t.Errorf("plot: code %d, %s%s", code, out, stderr)
	}
}

// TestTrainReport trains two seeds and reads the report.
func TestTrainReport(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	report := filepath.Join(t.TempDir(), "report")
	_, stderr, code := espalier(t, command("train", "--runs", t.TempDir(), "--quiet", "--seeds", "1,2", "--report", report,
		"--set", "model.name=resnet8", "--set", "data.name=synthetic")...)
	if code != exitOK || stderr != "" {
		t.Fatalf("code %d: %s", code, stderr)
	}
	b, err := os.ReadFile(filepath.Join(report, "summary.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) != 3 || lines[0] != "seed,epochs,val_acc,test_acc,seconds" || !strings.HasPrefix(lines[1], "1,1,") || !strings.HasPrefix(lines[2], "2,1,") {
		t.Errorf("summary:\n%s", b)
	}
}

// TestDryRun prints what would be done and does nothing.
func TestDryRun(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs")
	for _, args := range [][]string{
		{"train"}, {"train", "--seeds", "3,4"}, {"prune", "--method", "random"}, {"quickstart"}, {"eval", "nothing"}, {"data", "check"},
	} {
		out, stderr, code := espalier(t, append(args, "--dry-run", "--runs", runs, "--set", "train.lr=0.07")...)
		if code != exitOK || !strings.Contains(out, "lr: 0.07") || !strings.Contains(out, runs) {
			t.Errorf("%v: code %d\n%s%s", args, code, out, stderr)
		}
	}
	if exists(runs) {
		t.Error("a dry run wrote something")
	}
}

func TestMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"train --set train.epoch=1":              `the nearest is "train.epochs"`,
		"train --set train.epochs=0":             "train.epochs is 0",
		"train --config absent.yaml":             "absent.yaml",
		"train --seeds 1,x":                      `"x" is not a whole number`,
		"prune":                                  "--method is missing",
		"prune --method snap":                    "none of none, magnitude, random",
		"prune --method random --sparsity 1.5":   "prune.sparsity",
		"prune a --config b --method random":     "give one",
		"eval":                                   "want one model file",
		"data fetch":                             "want one name",
		"data check imagenet":                    "none of cifar10",
		"quickstart --set prune.budget=sideways": "none of global",
	} {
		_, stderr, code := espalier(t, strings.Fields(args)...)
		if code != exitUsage || !strings.Contains(stderr, want) || !strings.HasPrefix(stderr, "espalier: ") {
			t.Errorf("%s: code %d, %q; want %q", args, code, stderr, want)
		}
	}
	if _, stderr, code := espalier(t, "eval", filepath.Join(t.TempDir(), "none.safetensors")); code != exitFailed {
		t.Errorf("a model that is not there: code %d, %s", code, stderr)
	}
}
