package main

import (
	"os"
	"path/filepath"
	"testing"
)

const smallTrained = `
name: small
settings:
  data: {name: synthetic, train: 64}
  search: {space: nas-bench-201, images: 96, channels: 4, cells: 1, epochs: 2, batch: 16}
  model: {channels: 4, cells: 1}
  train: {epochs: 1, batch: 16, warmup: 0}
series:
  - label: DARTS
    settings: {search: {method: darts}, darts: {order: 1}}
  - label: DARTS
    settings: {search: {method: darts}, darts: {order: 1}, model: {name: derived, from: search}}
  - label: random
    settings: {model: {name: derived, from: random, draw: 1}}
    like: [DARTS]
`

// TestStudyOfTrainedCells: such a study makes a search and two trainings, each once, and without its runs, as in a fresh clone, its
// results are drawn again and nothing is computed.
func TestStudyOfTrainedCells(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "study.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, []byte(smallTrained), 0o644); err != nil {
		t.Fatal(err)
	}
	study := func(runs string) {
		t.Helper()
		if _, said, code := espalier(t, "study", file, "--out", out, "--runs", runs, "--quiet"); code != 0 {
			t.Fatalf("exit %d: %s", code, said)
		}
	}
	first := filepath.Join(dir, "first")
	study(first)
	if made, err := filepath.Glob(filepath.Join(first, "small", "*", "seed-1")); err != nil || len(made) != 3 {
		t.Errorf("%d runs, want a search and two trainings: %v", len(made), made)
	}
	drawn := []string{"parameters.svg", "alphas-cell.svg", "entropy.svg", "skips.svg", "search.svg", "genotype.svg"}
	for _, name := range drawn {
		if err := os.Remove(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	second := filepath.Join(dir, "second")
	study(second)
	if _, err := os.Stat(second); !os.IsNotExist(err) {
		t.Errorf("runs were made again: %v", err)
	}
	for _, name := range drawn {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}
