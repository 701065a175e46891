package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"espalier/experiment"
	"espalier/internal/rng"
	"espalier/search"
	"espalier/search/nb201"
)

// cells is a table of 20 cells of NAS-Bench-201.
const cells = "../../search/nb201/testdata/rows.csv"

// write puts a text into a file of a new directory.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestQuery looks cells up in every way in which they can be named, and asks for places.
func TestQuery(t *testing.T) {
	const arch = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
	g, err := search.Parse(arch)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, experiment.GenotypeFile, arch+"\n")
	for _, cell := range []string{"13714", arch, string(asJSON), file, filepath.Dir(file)} {
		stdout, stderr, code := espalier(t, "query", cell, "--table", cells)
		if code != exitOK || !strings.Contains(stdout, "cell 13714  "+arch) || !strings.Contains(stdout, "94.3733  place 1 to 2 of 20, tied with 1 other") {
			t.Errorf("query %s: code %d, %s%s", cell, code, stdout, stderr)
		}
	}
	root := t.TempDir()
	t.Setenv("ESPALIER_DATA", root)
	text, err := os.ReadFile(cells)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, nb201.FileName), text, 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"query best":                               " place  c10_test200  index  cell\n1 to 2      94.3733   6111  ",
		"query best --by c10_val12":                "    1    84.8920  13714  ",
		"query best --by params_c10 --top 2":       "2 to 5      129306      0  ",
		"query rank 4179 --by c10_val12":           "\nc10_val12 79.2020: place 5 to 6 of 20, tied with 1 other; percentile 75.00\n",
		"query 1835 --json":                        `"c10_test200":54.2967`,
		"query rank 1835 --json":                   `"better":19`,
		"query best --json --by macs_c10":          `"of":20,"percentile":97.5,"ties":0,"value":7783040`,
		"query rank 1835 --by params_c10 --table=": "params_c10 73306: place 1 of 20, no ties; percentile 97.50",
	} {
		stdout, stderr, code := espalier(t, strings.Fields(args)...)
		if code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("%s: code %d, %s%s, want %q", args, code, stdout, stderr, want)
		}
	}
}

// TestQueryRefused asks for what is not there.
func TestQueryRefused(t *testing.T) {
	t.Setenv("ESPALIER_DATA", t.TempDir())
	bad := write(t, "bad.csv", "index,arch_str,accuracy\n")
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitFailed, "nasbench201.csv is in none of", []string{"query", "5"}},
		{exitFailed, "no such file", []string{"query", "5", "--table", "none.csv"}},
		{exitFailed, `bad.csv:1: unknown column "accuracy"`, []string{"query", "5", "--table", bad}},
		{exitFailed, "cell 5, |", []string{"query", "5", "--table", cells}},
		{exitUsage, "from 0 to 15624", []string{"query", "15625", "--table", cells}},
		{exitUsage, `no column "c10_test"; the nearest is "c10_test12"`, []string{"query", "best", "--by", "c10_test", "--table", cells}},
		{exitUsage, "--top -1", []string{"query", "best", "--top", "-1", "--table", cells}},
		{exitFailed, "line 1, column 16: expected '|'", []string{"query", "|nor_conv_3x3~0", "--table", cells}},
		{exitFailed, `no primitive "nor_conv_3x4"; the nearest is "nor_conv_3x3"`, []string{"query", "|nor_conv_3x4~0|", "--table", cells}},
		{exitFailed, "is no cell of NAS-Bench-201", []string{"query", "DARTS_V1", "--table", cells}},
		{exitFailed, "the nearest is DARTS_V1", []string{"query", "DARTS_V3", "--table", cells}},
		{exitUsage, "empty", []string{"query", "", "--table", cells}},
		{exitUsage, "want one cell", []string{"query", "--table", cells}},
	} {
		refused(t, c.code, c.want, c.args)
	}
}

// alphasOf writes a run's directory with random α of a space after the epochs 0 to n−1.
func alphasOf(t *testing.T, s *search.Space, n int) string {
	t.Helper()
	b := []byte(search.AlphasHeader(s))
	for epoch := range n {
		a := search.NewAlpha(s)
		a.Init(rng.New(uint64(epoch), "alphas"), 1)
		b = a.AppendCSV(b, epoch)
	}
	return filepath.Dir(write(t, search.AlphasFile, string(b)))
}

// TestDerive derives from the α of a run, of the last epoch and of others, in built-in spaces and one's own.
func TestDerive(t *testing.T) {
	derived := func(s *search.Space, epoch int) string {
		a := search.NewAlpha(s)
		a.Init(rng.New(uint64(epoch), "alphas"), 1)
		g, err := search.Derive(s, search.Registry{}, a.Softmax())
		if err != nil {
			t.Fatal(err)
		}
		return g.String()
	}
	for _, name := range search.SpaceNames() {
		s, _ := search.BuiltinSpace(name)
		dir := alphasOf(t, s, 3)
		for args, epoch := range map[string]int{"": 2, "--epoch 1": 1, "--space " + name: 2} {
			stdout, stderr, code := espalier(t, append([]string{"derive", dir}, strings.Fields(args)...)...)
			if want := derived(s, epoch) + "\n"; code != exitOK || stdout != want {
				t.Errorf("%s %s: code %d, %s%s, want %s", name, args, code, stdout, stderr, want)
			}
		}
	}
	const own = "name: mine\nprimitives: [none, noise, sep_conv_3x3]\ncells: [{name: normal, nodes: 2, keep: 1}, {name: reduce, nodes: 1}]\n"
	s, err := search.ParseSpace([]byte(own), search.Registry{})
	if err != nil {
		t.Fatal(err)
	}
	dir := alphasOf(t, s, 2)
	refused(t, exitFailed, "no built-in space has the primitives noise, none, sep_conv_3x3", []string{"derive", dir})
	config := "search:\n  space:\n    " + strings.ReplaceAll(own, "\n", "\n    ") + "\n"
	if err := os.WriteFile(filepath.Join(dir, experiment.ConfigFile), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, experiment.GenotypeFile)
	done(t, []string{"derive", filepath.Join(dir, search.AlphasFile), "--out", out})
	g, name, err := genotypeOf(dir)
	if err != nil || name != "genotype" || g.String() != derived(s, 1) {
		t.Errorf("%v %s %v", g, name, err)
	}
	stdout, _, _ := espalier(t, "derive", dir, "--all")
	if want := fmt.Sprintf("0\t%s\n1\t%s\n", derived(s, 0), derived(s, 1)); stdout != want {
		t.Errorf("%s, want %s", stdout, want)
	}
	stdout, _, _ = espalier(t, "derive", alphasOf(t, search.NASBench201(), 1), "--json")
	var found struct {
		Epoch, Index int
		Space, Text  string
		Genotype     search.Genotype
	}
	if err := json.Unmarshal([]byte(stdout), &found); err != nil {
		t.Fatal(err)
	}
	if cell, err := search.NB201From(found.Genotype); err != nil || cell.Index() != found.Index || found.Text != cell.String() || found.Space != "nas-bench-201" {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestDeriveRefused asks for what cannot be derived, and writes no genotype then.
func TestDeriveRefused(t *testing.T) {
	dir := alphasOf(t, search.NASBench201(), 2)
	nan := search.NewAlpha(search.NASBench201())
	nan.Values[7] /= nan.Values[7]
	diverged := write(t, search.AlphasFile, string(nan.AppendCSV([]byte(search.AlphasHeader(nan.Space)), 4)))
	out := filepath.Join(t.TempDir(), experiment.GenotypeFile)
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitFailed, "no search has written its α", []string{t.TempDir()}},
		{exitUsage, "there is α of the epochs 0 to 1", []string{dir, "--epoch", "2"}},
		{exitUsage, `the nearest space is "nas-bench-201"`, []string{dir, "--space", "nasbench201"}},
		{exitFailed, "alphas.csv:1: the table's primitives are", []string{dir, "--space", "darts"}},
		{exitFailed, "α after epoch 4: search: the score of none on edge 0→2 of the cell cell is NaN: the search diverged", []string{diverged, "--out", out}},
		{exitUsage, "--all goes with neither", []string{dir, "--all", "--out", out}},
		{exitFailed, "space.yaml: search: space: ", []string{dir, "--space", write(t, "space.yaml", "nodes: 3")}},
	} {
		refused(t, c.code, c.want, append([]string{"derive"}, c.args...))
	}
	if exists(out) {
		t.Error("a genotype was written")
	}
}

// TestSearch: the command searches, says what it found, and lists its methods; what is cut by --minutes goes on.
func TestSearch(t *testing.T) {
	runs := t.TempDir()
	args := []string{
		"search", "--runs", runs, "--method", "rarts", "--space", "nas-bench-201", "--epochs", "2", "--set", "data.name=synthetic",
		"--set", "data.train=96", "--set", "search.channels=4", "--set", "search.cells=1", "--set", "search.batch=16", "--set", "rarts.lambda=2", "--set", "search.curvature=true",
	}
	if stdout, stderr, code := espalier(t, append(args, "--minutes", "1e-9")...); code != exitOK || stdout != "" || !strings.Contains(stderr, "the time is up") {
		t.Errorf("code %d, %q, %s", code, stdout, stderr)
	}
	stdout, stderr, code := espalier(t, args...)
	if code != exitOK || !strings.HasPrefix(stdout, "|") || !strings.Contains(stdout, "genotype.txt") {
		t.Fatalf("code %d, %q, %s", code, stdout, stderr)
	}
	found, _, _ := strings.Cut(stdout, "\n")
	dir := filepath.Dir(strings.TrimSpace(stdout[strings.LastIndex(stdout, "in ")+3:]))
	if derived, stderr, code := espalier(t, "derive", dir); code != exitOK || strings.TrimSpace(derived) != found {
		t.Errorf("derive: code %d, %q for %q, %s", code, derived, found, stderr)
	}
	stdout, stderr, code = espalier(t, "plot", runs)
	for _, file := range []string{"alphas-cell.svg", "genotype.png", "search.svg", "entropy.png", "eigenvalue.svg"} {
		if info, err := os.Stat(filepath.Join(runs, file)); code != exitOK || err != nil || info.Size() == 0 || !strings.Contains(stdout, file) {
			t.Errorf("plot: code %d, %s: %v, %s%s", code, file, err, stdout, stderr)
		}
	}
	if stdout, _, code := espalier(t, "ls", runs); code != exitOK || !strings.Contains(stdout, "rarts") || !strings.Contains(stdout, "2/2") {
		t.Errorf("ls: code %d, %s", code, stdout)
	}
	if stdout, _, code := espalier(t, "search", "--list"); code != exitOK || !strings.Contains(stdout, "darts.xi") || !strings.Contains(stdout, "search.lr/lambda") {
		t.Errorf("--list: code %d, %s", code, stdout)
	}
	for want, args := range map[string][]string{
		"--minutes is -1":    {"search", "--minutes", "-1"},
		`nearest is "darts"`: {"search", "--method", "drats"},
		"order is 3":         {"search", "--set", "darts.order=3"},
	} {
		if _, stderr, code := espalier(t, args...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%v: code %d, %s", args, code, stderr)
		}
	}
}

// TestOwnSpace: a space from a file is searched, and the run goes on, is derived from and is drawn when the file is gone.
func TestOwnSpace(t *testing.T) {
	runs := t.TempDir()
	file := filepath.Join(t.TempDir(), "mine.yaml")
	const own = "name: mine\nprimitives: [none, skip_connect, sep_conv_3x3]\ncells: [{name: normal, nodes: 2, keep: 1}, {name: reduce, nodes: 1}]\n"
	args := []string{
		"search", "--runs", runs, "--set", "darts.order=1", "--epochs", "2", "--set", "data.name=synthetic", "--set", "data.train=64",
		"--set", "search.channels=4", "--set", "search.cells=3", "--set", "search.batch=16",
	}
	refused(t, exitUsage, "no built-in space and no file", append(args, "--space", file))
	for text, want := range map[string]string{
		own + "colour: red\n": "colour",
		strings.Replace(own, "sep_conv_3x3", "sep_conv_3x4", 1): `the nearest is "sep_conv_3x3"`,
		"name: darts\nprimitives: [none, skip_connect]\n":       "as a built-in one that differs",
		"name: [\n": "mine.yaml",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		refused(t, exitFailed, want, append(args, "--space", file))
	}
	refused(t, exitUsage, `the nearest is "darts"`, append(args, "--set", "search.space=dart"))
	unchanged(t, runs, nil)

	if err := os.WriteFile(file, []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := espalier(t, append(args, "--space", file, "--minutes", "1e-9")...); code != exitOK || !strings.Contains(stderr, "space mine") {
		t.Errorf("code %d, %s", code, stderr)
	}
	stdout, stderr, code := espalier(t, append(args, "--space", file)...)
	if code != exitOK || !strings.HasPrefix(stdout, "Genotype(") {
		t.Fatalf("code %d, %s%s", code, stdout, stderr)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	found, _, _ := strings.Cut(stdout, "\n")
	dir := filepath.Dir(strings.TrimSpace(stdout[strings.LastIndex(stdout, "in ")+3:]))
	if derived, stderr, code := espalier(t, "derive", dir); code != exitOK || strings.TrimSpace(derived) != found {
		t.Errorf("derive: code %d, %q for %q, %s", code, derived, found, stderr)
	}
	if again, stderr, code := espalier(t, "search", "--runs", runs, "--config", filepath.Join(dir, experiment.ConfigFile)); code != exitOK || again != stdout {
		t.Errorf("config.yaml alone: code %d, %s%s", code, again, stderr)
	}
	done(t, []string{"plot", dir})
	if _, err := os.Stat(filepath.Join(dir, "alphas-reduce.svg")); err != nil {
		t.Error(err)
	}
	if stdout, _, _ := espalier(t, "ls", runs); !strings.Contains(stdout, "mine") {
		t.Errorf("ls: %s", stdout)
	}
}
