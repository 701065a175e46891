package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"espalier/experiment"
	"espalier/prune"
	"espalier/train"
)

// small are flags of a run that takes a second, below the given directory.
func small(runs string, more ...string) []string {
	return command(append([]string{"--quiet", "--runs", runs, "--set", "model.name=resnet8", "--set", "data.name=synthetic"}, more...)...)
}

func trainSmall(runs string, more ...string) []string {
	return append([]string{"train"}, small(runs, more...)...)
}
func pruneSmall(runs string, more ...string) []string {
	return append([]string{"prune", "--method", "magnitude"}, small(runs, more...)...)
}

// done runs a command that must succeed.
func done(t *testing.T, args []string) {
	t.Helper()
	if _, stderr, code := espalier(t, args...); code != exitOK {
		t.Fatalf("%v: code %d, %s", args, code, stderr)
	}
}

// refused runs a command that must fail with the code and say why in one line, and return that.
func refused(t *testing.T, code int, want string, args []string) {
	t.Helper()
	stdout, stderr, got := espalier(t, args...)
	if got != code || !strings.HasPrefix(stderr, "espalier: ") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
		t.Errorf("%v: code %d, %q; want code %d and one line with %q", args, got, stderr, code, want)
	}
	if stdout != "" {
		t.Errorf("%v printed %q", args, stdout)
	}
}

// snapshot is every file below a directory with its content; locks count as there, whoever had them last.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if d.Name() == ".lock" {
			b = nil
		}
		all[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// unchanged compares a directory with a snapshot of it.
func unchanged(t *testing.T, dir string, before map[string]string) {
	t.Helper()
	after := snapshot(t, dir)
	for path, content := range before {
		if after[path] != content {
			t.Errorf("%s changed", path)
		}
		delete(after, path)
	}
	for path := range after {
		t.Errorf("%s was written", path)
	}
}

// trained is a directory of runs with a small dense training, whose own directory is dense.
func trained(t *testing.T) (runs, dense string) {
	t.Helper()
	runs = t.TempDir()
	done(t, trainSmall(runs))
	return runs, runDir(t, runs, experiment.OutcomeFile)
}

// runDir is the directory of the only run below runs that has a file.
func runDir(t *testing.T, runs, file string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(runs, "*", "*", "*", file))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d directories have %s, %v", len(found), file, err)
	}
	return filepath.Dir(found[0])
}

// TestRefusedBeforeAnythingIsWritten asks for what cannot be.
func TestRefusedBeforeAnythingIsWritten(t *testing.T) {
	dir := t.TempDir()
	runs := filepath.Join(dir, "runs")
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	study := func(name, old, new string) []string {
		text := strings.Replace(tinyStudy, old, new, 1)
		if text == tinyStudy {
			t.Fatalf("the study has no %q", old)
		}
		return []string{"study", file(name, text), "--runs", runs, "--out", filepath.Join(dir, "out")}
	}
	for name, c := range map[string]struct {
		code int
		want string
		args []string
	}{
		"key of a file":          {exitUsage, `key.yaml:2: no setting "train.epocs"; the nearest is "train.epochs"`, trainSmall(runs, "--config", file("key.yaml", "train:\n  epocs: 3\n"))},
		"type of a value":        {exitUsage, `type.yaml:1: train.epochs: "many" is not an integer`, trainSmall(runs, "--config", file("type.yaml", "train: {epochs: many}"))},
		"value":                  {exitUsage, `the nearest is "cosine"`, trainSmall(runs, "--config", file("value.yaml", "train: {schedule: cosin}"))},
		"not YAML":               {exitUsage, "broken.yaml", trainSmall(runs, "--config", file("broken.yaml", "train: [\n"))},
		"flag":                   {exitUsage, "--epochs", trainSmall(runs, "--epochs", "3")},
		"command":                {exitUsage, "unknown command", []string{"trian"}},
		"sparsity 1":             {exitUsage, "prune.sparsity", append(pruneSmall(runs), "--sparsity", "1")},
		"sparsity below 0":       {exitUsage, "prune.sparsity", append(pruneSmall(runs), "--sparsity=-0.1")},
		"sparsity NaN":           {exitUsage, "prune.sparsity", append(pruneSmall(runs), "--sparsity", "NaN")},
		"method":                 {exitUsage, `the nearest is "magnitude"`, append(pruneSmall(runs), "--method", "magnitde")},
		"batch":                  {exitFailed, "train.batch is 128, more than the 96 training images", append(trainSmall(runs), "--set", "train.batch=128")},
		"validation":             {exitFailed, "images", append(trainSmall(runs), "--set", "data.validation=1000000")},
		"key of a study":         {exitUsage, `s1.yaml:9: no key "baselin"; the nearest is "baseline"`, study("s1.yaml", "baseline:", "baselin:")},
		"setting of a study":     {exitUsage, `the nearest is "train.warmup"`, study("s2.yaml", "warmup:", "warm:")},
		"value of a study":       {exitUsage, `the nearest is "random"`, study("s3.yaml", "method: random", "method: randm")},
		"sparsity of a study":    {exitUsage, "prune.sparsity", study("s4.yaml", "rounds: [4]", "sparsity: [1]")},
		"seed of a study":        {exitUsage, "s5.yaml:8", study("s5.yaml", "seeds: [1, 2]", "seeds: [one]")},
		"baseline of a study":    {exitUsage, `"omp"`, study("s6.yaml", "baseline: random", "baseline: omp")},
		"a study that is no map": {exitUsage, "s7.yaml", []string{"study", file("s7.yaml", "[1, 2]"), "--runs", runs}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, c.code, c.want, c.args)
			if exists(runs) || exists(filepath.Join(dir, "out")) {
				t.Fatal("something was written")
			}
		})
	}
}

// TestEmptiedLayer: prune refuses it and leaves the trained network alone; a study records it and goes on.
func TestEmptiedLayer(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	runs, dense := trained(t)
	before := snapshot(t, dense)
	refused(t, exitFailed, "sparsity 0.9995 empties", append(pruneSmall(runs), "--sparsity", "0.9995"))
	unchanged(t, dense, before)
	for _, file := range []string{experiment.MaskFile, experiment.ModelFile} {
		if found, _ := filepath.Glob(filepath.Join(runs, "*", "*", "*", "sparsity-*", file)); len(found) > 0 {
			t.Errorf("%v was written", found)
		}
	}

	if listed, _, _ := espalier(t, "ls", runs); strings.Contains(listed, "interrupted") || !strings.Contains(listed, "failed: sparsity 0.9995 empties") {
		t.Errorf("ls does not say why it failed:\n%s", listed)
	}

	file, out := filepath.Join(t.TempDir(), "study.yaml"), filepath.Join(t.TempDir(), "out")
	text := strings.Replace(strings.Replace(tinyStudy, "rounds: [4]", "sparsity: [0.9995]", 1), "[1, 2]", "[1]", 1)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := espalier(t, "study", file, "--quiet", "--runs", runs, "--out", out)
	if code != exitFailed || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "1 of 3 cells failed") || !strings.Contains(stderr, "empties") {
		t.Errorf("code %d, %s", code, stderr)
	}
	if strings.Count(stdout, "1 failed") != 1 || strings.Count(stdout, "n = 1") < 2 {
		t.Errorf("the table has not one failed cell and two others:\n%s", stdout)
	}
	if _, stderr, code = espalier(t, "study", file, "--quiet", "--runs", runs, "--out", out); code != exitOK {
		t.Errorf("again: code %d, %s", code, stderr)
	}
	_, stderr, code = espalier(t, "study", file, "--quiet", "--retry-failed", "--runs", runs, "--out", out)
	if code != exitFailed || !strings.Contains(stderr, "1 of 1 cells failed") {
		t.Errorf("tried again, it fails as before: code %d, %s", code, stderr)
	}
}

// TestDiverged: a loss that is not finite ends the run and nothing takes the place of a model.
func TestDiverged(t *testing.T) {
	runs := t.TempDir()
	refused(t, exitFailed, "epoch 1, step ", append(trainSmall(runs), "--set", "train.lr=1e300"))
	dir := runDir(t, runs, train.StatusFile)
	a, err := train.ReadAccount(dir)
	if err != nil || a.Status != train.Failed || !strings.Contains(a.Error, "epoch 1, step ") {
		t.Errorf("the run is %+v, %v", a, err)
	}
	for _, file := range []string{experiment.ModelFile, experiment.OutcomeFile, train.MetricsFile} {
		if exists(filepath.Join(dir, file)) {
			t.Errorf("%s was written", file)
		}
	}
}

// TestDivergedMask: so does one while a mask is trained. The trained network stays as it is, and the same command goes on from
// the last checkpoint, to fail at the same place.
func TestDivergedMask(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	runs, dense := trained(t)
	before := snapshot(t, dense)
	args := append([]string{"prune", "--method", "bip", "--sparsity", "0.9", "--set", "bip.lr=1e30", "--set", "prune.masking=3", "--set", "prune.upper=0.5"}, small(runs)...)
	for range 2 {
		refused(t, exitFailed, "epoch 1, step ", args)
		unchanged(t, dense, before)
		masks, _ := filepath.Glob(filepath.Join(runs, "*", "*", "*", "sparsity-*", experiment.MaskStage, train.StatusFile))
		if len(masks) != 1 {
			t.Fatalf("%d masks were trained", len(masks))
		}
		if a, err := train.ReadAccount(filepath.Dir(masks[0])); err != nil || a.Status != train.Failed {
			t.Errorf("the training of the mask is %+v, %v", a, err)
		}
		for _, file := range []string{experiment.MaskFile, experiment.ModelFile} {
			if found, _ := filepath.Glob(filepath.Join(runs, "*", "*", "*", "sparsity-*", file)); len(found) > 0 {
				t.Errorf("%v was written", found)
			}
		}
	}
}

// TestPruneSettings: --list names every method with its settings, and --set reaches the run that is made.
func TestPruneSettings(t *testing.T) {
	out, stderr, code := espalier(t, "prune", "--list")
	if code != exitOK {
		t.Fatal(code, stderr)
	}
	for _, e := range prune.Methods() {
		if !strings.Contains(out, e.Name) || !strings.Contains(out, e.Summary) {
			t.Errorf("--list says nothing of %s:\n%s", e.Name, out)
		}
	}
	if !strings.Contains(out, "bip.gamma") || !strings.Contains(out, "imp.share") {
		t.Errorf("--list does not name the settings:\n%s", out)
	}
	if testing.Short() {
		t.Skip("trains")
	}
	runs, dense := trained(t)
	done(t, []string{"prune", dense, "--quiet", "--runs", runs, "--method", "bip", "--sparsity", ".9", "--set", "bip.gamma=2.5",
		"--set", "prune.masking=1", "--set", "prune.epochs=1", "--set", "prune.upper=0.5"})
	config, err := os.ReadFile(filepath.Join(runDir(t, runs, experiment.PrunedFile), experiment.ConfigFile))
	if err != nil || !strings.Contains(string(config), "method: bip") || !strings.Contains(string(config), "gamma: 2.5") {
		t.Errorf("%v\n%s", err, config)
	}
	refused(t, exitUsage, `the nearest is "bip.gamma"`, []string{"prune", dense, "--runs", runs, "--method", "bip", "--set", "bip.gama=1"})
}

// TestInUse starts a run that another process has: that says who, and what is there stays as it is. TestLockOfTheDead has a
// holder that dies.
func TestInUse(t *testing.T) {
	runs := t.TempDir()
	refused(t, exitFailed, "epoch 1", append(trainSmall(runs), "--set", "train.lr=1e300")) // a run that is not finished
	dir := runDir(t, runs, train.StatusFile)
	holder, err := train.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	before := snapshot(t, runs)
	refused(t, exitBlocked, "in use by process ", append(trainSmall(runs), "--set", "train.lr=1e300"))
	unchanged(t, runs, before)

	file, out := filepath.Join(t.TempDir(), "study.yaml"), filepath.Join(t.TempDir(), "out")
	text := strings.Replace(tinyStudy, "batch: 32", "batch: 32, lr: 1e300", 1)
	if err := os.WriteFile(file, []byte(strings.Replace(text, "name: tiny", "name: run", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(asProgram, "1")
	for _, jobs := range []string{"1", "2"} {
		refused(t, exitBlocked, "in use by process ", []string{"study", file, "--quiet", "--jobs", jobs, "--runs", runs, "--out", out})
		if records, _ := filepath.Glob(filepath.Join(out, cellsDir, "*-seed-1.json")); len(records) > 0 {
			t.Errorf("%s jobs: a run in use is recorded as failed: %v", jobs, records)
		}
	}
}

// TestUnwritable runs where no directory can be made, and where a file cannot take its place.
func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	runs := filepath.Join(file, "runs")
	refused(t, exitBlocked, runs, trainSmall(runs))
	runs = filepath.Join(t.TempDir(), "runs")
	dry, _, _ := espalier(t, append(trainSmall(runs), "--dry-run")...)
	dir, _, _ := strings.Cut(dry, "\n")
	blocked := filepath.Join(dir, experiment.ConfigFile)
	if err := os.MkdirAll(filepath.Join(blocked, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	refused(t, exitBlocked, blocked, trainSmall(runs))
	if err := os.RemoveAll(blocked); err != nil {
		t.Fatal(err)
	}
	if !testing.Short() {
		done(t, trainSmall(runs))
	}
}

// TestOtherArchitecture puts the checkpoints of one network where those of another are looked for.
func TestOtherArchitecture(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	runs, wide := t.TempDir(), t.TempDir()
	done(t, trainSmall(runs))
	done(t, append(trainSmall(wide), "--set", "model.width=0.5"))
	dir := runDir(t, runs, experiment.OutcomeFile)
	from := filepath.Join(runDir(t, wide, experiment.OutcomeFile), train.CheckpointsDir)
	for _, path := range []string{train.CheckpointsDir, experiment.OutcomeFile} {
		if err := os.RemoveAll(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(dir, train.CheckpointsDir), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, runs)
	refused(t, exitFailed, "it is of another architecture or recipe: ", trainSmall(runs))
	unchanged(t, runs, before)
}

// TestOtherMask puts another mask where that of a pruned network belongs.
func TestOtherMask(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	runs, wide := t.TempDir(), t.TempDir()
	done(t, append(pruneSmall(runs), "--sparsity", "0.5,0.9"))
	done(t, append(pruneSmall(wide), "--sparsity", "0.5", "--set", "model.width=0.5"))
	dir := runDir(t, runs, experiment.PrunedFile)
	if err := os.Remove(filepath.Join(dir, experiment.PrunedFile)); err != nil {
		t.Fatal(err)
	}
	mask := filepath.Join(dir, experiment.StageName(0.5), experiment.MaskFile)
	own, err := os.ReadFile(mask)
	if err != nil {
		t.Fatal(err)
	}
	for want, from := range map[string]string{
		"not one of this network": runDir(t, wide, experiment.PrunedFile),
		"another mask":            dir,
	} {
		stage := experiment.StageName(0.5)
		if from == dir {
			stage = experiment.StageName(0.9)
		}
		other, err := os.ReadFile(filepath.Join(from, stage, experiment.MaskFile))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(mask, other, 0o644); err != nil {
			t.Fatal(err)
		}
		before := snapshot(t, runs)
		refused(t, exitFailed, want, append(pruneSmall(runs), "--sparsity", "0.5,0.9"))
		unchanged(t, runs, before)
	}
	if err := os.WriteFile(mask, own, 0o644); err != nil {
		t.Fatal(err)
	}
	done(t, append(pruneSmall(runs), "--sparsity", "0.5,0.9"))
}

// TestDamagedCheckpoints damages the newest checkpoint of a run, which warns and goes on to the same bits, and then all.
func TestDamagedCheckpoints(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	runs := t.TempDir()
	args := append(trainSmall(runs), "--set", "train.epochs=3")
	done(t, args)
	dir := runDir(t, runs, experiment.OutcomeFile)
	before := snapshot(t, filepath.Join(dir, train.CheckpointsDir))
	model, err := os.ReadFile(filepath.Join(dir, experiment.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	damage := func(epochs ...string) {
		t.Helper()
		for _, e := range epochs {
			path := filepath.Join(dir, train.CheckpointsDir, "epoch-000"+e+"-step-000000.safetensors")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Remove(filepath.Join(dir, experiment.OutcomeFile)); err != nil {
			t.Fatal(err)
		}
	}
	damage("3")
	_, stderr, code := espalier(t, args...)
	if code != exitOK || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "going on from the checkpoint before it") {
		t.Errorf("code %d, %q, want a warning alone", code, stderr)
	}
	for path, content := range before {
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("%s differs, %v", path, err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, experiment.ModelFile)); err != nil || string(b) != string(model) {
		t.Errorf("the model differs, %v", err)
	}
	damage("2", "3")
	before = snapshot(t, runs)
	refused(t, exitFailed, "none of the 2 checkpoints", args)
	unchanged(t, runs, before)
}
