package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asProgram in the environment makes the test binary the program, for runs in processes of their own.
const asProgram = "ESPALIER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const tinyStudy = `
name: tiny
settings:
  model: {name: resnet8, width: 0.25}
  data: {name: synthetic, train: 96, validation: 64}
  train: {epochs: 1, warmup: 0, batch: 32}
  prune: {epochs: 1}
seeds: [1, 2]
baseline: random
series:
  - label: dense
  - label: magnitude
    settings: {prune: {method: magnitude}}
    rounds: [4]
  - label: random
    settings: {prune: {method: random}}
    rounds: [4]
`

// TestStudy runs a study with one process for each run, and again in this process from nothing: the records must be the
// same but for the times.
func TestStudy(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "tiny.yaml")
	if err := os.WriteFile(file, []byte(tinyStudy), 0o644); err != nil {
		t.Fatal(err)
	}
	out, stderr, code := espalier(t, "study", file, "--dry-run", "--runs", filepath.Join(dir, "runs"), "--out", filepath.Join(dir, "out"))
	if code != exitOK || strings.Count(out, "to do") != 6 {
		t.Fatalf("code %d, %s%s", code, out, stderr)
	}
	t.Setenv(asProgram, "1")
	out, stderr, code = espalier(t, "study", file, "--jobs", "2", "--runs", filepath.Join(dir, "runs"), "--out", filepath.Join(dir, "out"))
	if code != exitOK || !strings.Contains(out, "(n = 2)") || !strings.Contains(out, "fewer than 5 pairs are too few") || !strings.Contains(stderr, "6 of 6 epochs") {
		t.Fatalf("code %d, %s%s", code, out, stderr)
	}
	for _, f := range []string{"table.txt", "table.md", "cells.csv", "resnet8-accuracy.svg", "resnet8-seconds.png"} {
		if info, err := os.Stat(filepath.Join(dir, "out", f)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", f, err)
		}
	}
	cells, err := filepath.Glob(filepath.Join(dir, "out", cellsDir, "*.json"))
	if err != nil || len(cells) != 6 {
		t.Fatalf("%d records, %v", len(cells), err)
	}
	table, err := os.ReadFile(filepath.Join(dir, "out", "table.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out, stderr, code = espalier(t, "compare", filepath.Join(dir, "runs"), "--baseline", "random", "--out", filepath.Join(dir, "compared"))
	if code != exitOK || !strings.HasPrefix(out, string(table)) || !strings.Contains(out, "resnet8-accuracy.svg") {
		t.Errorf("code %d, the study's table\n%sthe same by hand\n%s%s", code, table, out, stderr)
	}
	if _, stderr, code = espalier(t, "compare", filepath.Join(dir, "runs"), "--baseline", "nobody"); code != exitUsage || !strings.Contains(stderr, "magnitude") {
		t.Errorf("an unknown baseline: code %d, %s", code, stderr)
	}
	out, stderr, code = espalier(t, "study", file, "--dry-run", "--runs", filepath.Join(dir, "none"), "--out", filepath.Join(dir, "out"))
	if code != exitOK || strings.Count(out, "finished") != 6 {
		t.Errorf("code %d, %s%s", code, out, stderr)
	}
	_, stderr, code = espalier(t, "study", file, "--runs", filepath.Join(dir, "again"), "--out", filepath.Join(dir, "out-again"))
	if code != exitOK {
		t.Fatalf("code %d, %s", code, stderr)
	}
	accuracies := func(out string) (all []string) {
		text, err := os.ReadFile(filepath.Join(dir, out, "cells.csv"))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			all = append(all, strings.Join(strings.Split(line, ",")[:9], ","))
		}
		return all
	}
	one, two := strings.Join(accuracies("out"), "\n"), strings.Join(accuracies("out-again"), "\n")
	if one != two {
		t.Errorf("in two processes\n%s\nin one\n%s", one, two)
	}
}

// TestSearchStudy runs a study of searches, each in a process of its own, and finds in the records what they came to.
func TestSearchStudy(t *testing.T) {
	if testing.Short() {
		t.Skip("searches")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "searches.yaml")
	text := `
name: searches
settings:
  data: {name: synthetic, train: 96}
  search: {space: nas-bench-201, cells: 1, channels: 4, batch: 16, epochs: 2}
series:
  - label: DARTS
    settings: {search: {method: darts}}
  - label: random
    settings: {search: {method: random-ws}}
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(asProgram, "1")
	t.Setenv("ESPALIER_DATA", dir) // where no table is
	out, stderr, code := espalier(t, "study", file, "--jobs", "2", "--runs", filepath.Join(dir, "runs"), "--out", filepath.Join(dir, "out"))
	if code != exitOK || !strings.Contains(out, "DARTS") || !strings.Contains(out, "nas-bench-201") {
		t.Fatalf("code %d, %s%s", code, out, stderr)
	}
	records, err := filepath.Glob(filepath.Join(dir, "out", cellsDir, "*.json"))
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	paths := 0
	for _, r := range records {
		text, err := os.ReadFile(r)
		if err != nil || !strings.Contains(string(text), `"genotype": "|`) {
			t.Errorf("%v, %s", err, text)
		}
		paths += strings.Count(string(text), `"path"`)
	}
	if paths != 1 {
		t.Errorf("%d records have a path, want that of DARTS", paths)
	}
	if again, stderr, code := espalier(t, "study", file, "--runs", filepath.Join(dir, "none"), "--out", filepath.Join(dir, "out")); code != exitOK || again != out {
		t.Errorf("from the records: code %d, %s%s", code, again, stderr)
	}
}

// TestStudyRecordsFailure: a run that fails in its own process is recorded with the line that it wrote.
func TestStudyRecordsFailure(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "tiny.yaml")
	text := strings.Replace(tinyStudy, "train: 96", "train: 20", 1) // fewer images than a batch has
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(asProgram, "1")
	for _, jobs := range []string{"1", "2"} {
		out := filepath.Join(dir, "out"+jobs)
		stdout, stderr, code := espalier(t, "study", file, "--jobs", jobs, "--runs", filepath.Join(dir, "runs"+jobs), "--out", out)
		if code != exitFailed || strings.Count(stdout, "1 failed")+strings.Count(stdout, "2 failed") != 3 || !strings.Contains(stderr, "batch") {
			t.Errorf("%s jobs: code %d, %s%s", jobs, code, stdout, stderr)
		}
	}
}

func TestStudyUsage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(tinyStudy, "epochs: 1, warmup", "epoch: 1, warmup", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"want one study file":           {"study"},
		"nowhere.yaml":                  {"study", "nowhere.yaml"},
		`the nearest is "train.epochs"`: {"study", file},
	} {
		if _, stderr, code := espalier(t, args...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%v: code %d, %s", args, code, stderr)
		}
	}
}
