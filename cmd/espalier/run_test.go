package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"espalier/experiment"
)

// tiny are flags for a run of a few steps.
var tiny = []string{
	"--set", "model.width=0.25", "--set", "data.train=96", "--set", "data.validation=64", "--set", "train.epochs=1",
	"--set", "train.warmup=0", "--set", "train.batch=32", "--set", "prune.epochs=1", "--set", "prune.sparsity=0.5,0.9",
}

func command(args ...string) []string { return append(args, tiny...) }

// TestQuickSearch searches on little data and looks for everything that it promises; a second call does nothing again.
func TestQuickSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("searches and trains")
	}
	runs := filepath.Join(t.TempDir(), "runs")
	args := []string{
		"quickstart", "--search", "--data", "synthetic", "--runs", runs, "--set", "data.train=96", "--set", "data.validation=32",
		"--set", "search.epochs=2", "--set", "search.batch=16", "--set", "search.channels=4",
		"--set", "train.epochs=1", "--set", "train.warmup=0", "--set", "train.batch=32",
	}
	out, stderr, code := espalier(t, args...)
	if code != exitOK {
		t.Fatalf("code %d: %s", code, stderr)
	}
	for _, file := range []string{"table.txt", "genotype.png", "alphas-cell.svg", "search.svg", "training.png", "entropy.svg"} {
		if info, err := os.Stat(filepath.Join(runs, "quickstart", "search", file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, want := range []string{"|~0|", "parameters", "derive", "query"} {
		if !strings.Contains(strings.NewReplacer("none", "", "skip_connect", "", "nor_conv_1x1", "", "nor_conv_3x3", "", "avg_pool_3x3", "").Replace(out), want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
	if again, stderr, code := espalier(t, args...); code != exitOK || again != out || strings.Contains(stderr, "epoch 1/") {
		t.Errorf("again: code %d, %s%s", code, again, stderr)
	}
}

// TestQuickstart runs the whole of it on little data and looks for everything that it promises.
func TestQuickstart(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	runs := filepath.Join(t.TempDir(), "runs")
	out, stderr, code := espalier(t, command("quickstart", "--data", "synthetic", "--set", "prune.upper=0.5", "--runs", runs)...)
	if code != exitOK {
		t.Fatalf("code %d: %s", code, stderr)
	}
	dir := filepath.Join(runs, "quickstart")
	for _, file := range []string{"table.txt", "pruning.png", "pruning.svg", "training.png", "training.svg"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, want := range []string{"removed", "bip", "magnitude", "random", "90 %", "pruning.png", "espalier eval"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
	if !strings.Contains(stderr, "synthetic") {
		t.Errorf("it does not say which images it uses:\n%s", stderr)
	}

	out, _, code = espalier(t, "ls", runs, "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != exitOK || len(lines) != 4 {
		t.Fatalf("ls: code %d, %d lines", code, len(lines))
	}
	for _, l := range lines {
		var r struct {
			Path, Status string
			Config       struct{ Train struct{ Batch int } }
			Pruned       []struct{ Sparsity float64 }
		}
		if err := json.Unmarshal([]byte(l), &r); err != nil || r.Path == "" || r.Status != "finished" || r.Config.Train.Batch != 32 {
			t.Errorf("ls printed %s: %v", l, err)
		}
	}
	out, _, _ = espalier(t, "ls", runs)
	if strings.Count(out, "finished") != 4+6 || !regexp.MustCompile(`sparsity-0\.9 +resnet8 +synthetic +random +90 % +finished +1/1 +\d+s +[\d.]+ % +[\d.]+ %\n`).MatchString(out) {
		t.Errorf("ls:\n%s", out)
	}
	pruned, err := filepath.Glob(filepath.Join(dir, "*", "seed-1", "sparsity-0.9"))
	if err != nil || len(pruned) != 3 {
		t.Fatalf("%d pruned networks at 0.9, %v", len(pruned), err)
	}
	out, stderr, code = espalier(t, "eval", pruned[0])
	if code != exitOK || !strings.Contains(out, "4532 of 5036 weights are zero") {
		t.Errorf("eval: code %d, %s%s", code, out, stderr)
	}
	dense, err := filepath.Glob(filepath.Join(dir, "*", "seed-1", experiment.ModelFile))
	if err != nil || len(dense) != 1 {
		t.Fatalf("dense networks: %v, %v", dense, err)
	}
	prune := []string{"prune", filepath.Dir(dense[0]), "--method", "random", "--sparsity", "0.25", "--set", "prune.epochs=0"}
	if out, stderr, code = espalier(t, prune...); code != exitOK || !strings.Contains(out, "25 %") || strings.Contains(stderr, "training") {
		t.Errorf("prune: code %d, %s%s", code, out, stderr)
	}
	if _, stderr, code = espalier(t, append(prune, "--set", "train.lr=0.3")...); code != exitUsage || !strings.Contains(stderr, "not the directory of a dense training") {
		t.Errorf("prune with other settings: code %d, %s", code, stderr)
	}
	figures := filepath.Join(t.TempDir(), "figures")
	if out, stderr, code = espalier(t, "plot", dir, "--out", figures); code != exitOK || strings.Count(out, figures) != 4 {
		t.Errorf("plot: code %d, %s%s", code, out, stderr)
	}
}

// TestTrainReport is interrupted, goes on, and reports on two seeds; then a third run of these settings is reported although
// it was not asked for.
func TestTrainReport(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	report, runs := filepath.Join(t.TempDir(), "report"), t.TempDir()
	args := func(seeds string) []string {
		return command("train", "--runs", runs, "--quiet", "--seeds", seeds, "--report", report, "--note", "Tiny.",
			"--set", "model.name=resnet8", "--set", "data.name=synthetic")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err bytes.Buffer
	if code := newApp(&out, &err).run(ctx, args("1,2")); code != exitInterrupted || exists(report) {
		t.Fatalf("interrupted: code %d, %s", code, err.String())
	}
	if out, _, _ := espalier(t, "ls", runs); !strings.Contains(out, "interrupted") {
		t.Errorf("ls:\n%s", out)
	}
	for _, c := range []struct {
		seeds string
		rows  []string
	}{{"2,1", []string{"1", "2"}}, {"10", []string{"1", "2", "10"}}} {
		_, stderr, code := espalier(t, args(c.seeds)...)
		if code != exitOK || stderr != "" {
			t.Fatalf("code %d: %s", code, stderr)
		}
		b, err := os.ReadFile(filepath.Join(report, "summary.csv"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		if len(lines) != 1+len(c.rows) || lines[0] != "seed,epochs,val_acc,test_acc,seconds" {
			t.Fatalf("summary after seeds %s:\n%s", c.seeds, b)
		}
		row := regexp.MustCompile(`^(\d+),1,\d+\.\d\d,\d+\.\d\d,\d+$`)
		for i, seed := range c.rows {
			if m := row.FindStringSubmatch(lines[i+1]); m == nil || m[1] != seed {
				t.Errorf("row %q, want that of seed %s", lines[i+1], seed)
			}
		}
	}
	page, failure := os.ReadFile(filepath.Join(report, "README.md"))
	if failure != nil {
		t.Fatal(failure)
	}
	for _, want := range []string{
		"# resnet8 on synthetic images\n\nTiny.\n\nTest accuracy in percent: ", "n = 3)", "| seed |", "--seeds 1,2,10 --report " + filepath.ToSlash(report),
		"64 were held out", "The 1000 test images were read once in each\nrun", "```yaml\nmodel:\n  name: resnet8\n", " cores, ", "](training.svg)",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	recipe, failure := experiment.Load(filepath.Join(report, recipeFile), nil)
	if want := filepath.Join(runs, "run", recipe.Hash(), "seed-10"); failure != nil || !exists(want) {
		t.Errorf("the recipe is not that of the runs: %v", failure)
	}
	for _, figure := range []string{"training.svg", "training.png"} {
		if !exists(filepath.Join(report, figure)) {
			t.Errorf("no %s", figure)
		}
	}
}

// TestTrainWithoutTest leaves the test images alone.
func TestTrainWithoutTest(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	report := filepath.Join(t.TempDir(), "report")
	out, stderr, code := espalier(t, command("train", "--runs", t.TempDir(), "--quiet", "--report", report,
		"--set", "data.test=false", "--set", "model.name=resnet8", "--set", "data.name=synthetic")...)
	if code != exitOK || strings.Contains(out, "test accuracy") || !strings.Contains(out, "validation accuracy") {
		t.Errorf("code %d: %s%s", code, out, stderr)
	}
	page, err := os.ReadFile(filepath.Join(report, "README.md"))
	if err != nil || !strings.Contains(string(page), "Validation accuracy in percent: ") || !strings.Contains(string(page), "test images were not read") {
		t.Errorf("%v\n%s", err, page)
	}
}

// screen is what a terminal shows of a text: a carriage return goes back over the line.
func screen(text string) []string {
	var shown []string
	for _, line := range strings.Split(text, "\n") {
		var cells []rune
		at := 0
		for _, c := range line {
			if c == '\r' {
				at = 0
				continue
			}
			if at == len(cells) {
				cells = append(cells, c)
			}
			cells[at] = c
			at++
		}
		shown = append(shown, strings.TrimRight(string(cells), " "))
	}
	return shown
}

// TestErrorStandsAlone fails while a bar is drawn: on the terminal, the error has its line to itself.
func TestErrorStandsAlone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(bytes.Repeat([]byte("no archive "), 100))
	}))
	defer server.Close()
	for _, c := range []struct {
		args       []string
		bar, error string
	}{
		{command("train", "--runs", t.TempDir(), "--set", "model.name=resnet8", "--set", "data.name=synthetic", "--set", "train.lr=1e30"),
			"epoch 1/1", "espalier: experiment: training: "},
		{[]string{"data", "fetch", "cifar10", "--dir", t.TempDir(), "--mirror", server.URL}, "fetching", "espalier: datasets: "},
	} {
		var out, err bytes.Buffer
		a := newApp(&out, &err)
		a.terminal = true
		code := a.run(t.Context(), c.args)
		if code != exitFailed || !strings.Contains(err.String(), c.bar) {
			t.Errorf("code %d, want a failure after a bar: %q", code, err.String())
			continue
		}
		shown := screen(err.String())
		if last := shown[len(shown)-2]; !strings.HasPrefix(last, c.error) { // the text ends with a newline
			t.Errorf("the terminal shows %q", shown)
		}
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
		"prune --method snap":                    "none of none, bip, magnitude",
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
