package study

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"espalier/experiment"
)

const training = `
name: cells
settings:
  data: {name: synthetic}
  model: {name: derived, channels: 4, cells: 3}
  train: {epochs: 2}
  search: {images: 200, epochs: 3}
series:
  - label: DARTS
    settings: {search: {method: darts}, model: {name: resnet20}}
  - label: DARTS
    settings: {search: {method: darts}, model: {from: search}}
  - label: random
    settings: {model: {from: random, draw: 1}}
    like: [DARTS]
`

// TestTrained: what a search finds is trained after that one search, and a random cell after both, with the parameters found.
func TestTrained(t *testing.T) {
	s, dir := read(t, training), t.TempDir()
	if n := len(s.Cells()); n != 3 {
		t.Fatalf("%d cells", n)
	}
	search, found, random := s.Cells()[0], s.Cells()[1], s.Cells()[2]
	if search.Data.Train != 200 || found.Data.Train != 0 || found.Needs()[0].Hash() != search.Hash() {
		t.Errorf("%d images of the search, %d of the training", search.Data.Train, found.Data.Train)
	}
	if !strings.Contains(random.Model.Like, found.Hash()) || strings.Contains(random.Model.Like, search.Hash()) {
		t.Errorf("the random cell is like %q, not like %s", random.Model.Like, found.Hash())
	}
	var mu sync.Mutex
	var done []string
	broken := false
	execute := func(_ context.Context, c experiment.Config) (experiment.Run, error) {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, name(c))
		if c.Searches() {
			return experiment.Run{Config: c}, nil
		}
		if broken {
			return experiment.Run{}, errors.New("no memory")
		}
		if c.Model.From == experiment.FromRandom && (c.Model.Params != 12345 || c.Model.Like != "") {
			t.Errorf("the random cell has %d parameters", c.Model.Params)
		}
		c.Model.Genotype = "cells of " + c.Model.From
		c.Search, c.Model.From = experiment.Default().Search, experiment.FromGenotype
		return experiment.Run{Config: c, Outcome: &experiment.Outcome{Params: 12345, MACs: 67, TestAcc: 50}}, nil
	}
	records, err := s.Run(t.Context(), Options{Records: dir, Execute: execute})
	if want := "derived random, draw 1, seed 1"; err != nil || len(done) != 3 || done[2] != want {
		t.Fatalf("done %q, %v", done, err)
	}
	if r := records[CellOf(random)]; r.Params != 12345 || r.MACs != 67 || r.Genotype != "cells of random" || r.Hash != random.Hash() {
		t.Errorf("%+v", r)
	}
	table := s.Table(records).String()
	if !strings.Contains(table, "12345") || !strings.Contains(table, "search") {
		t.Errorf("\n%s", table)
	}
	files, err := s.Write(t.TempDir(), records, nil)
	if err != nil || !strings.Contains(strings.Join(files, " "), "parameters.svg") {
		t.Errorf("wrote %q, %v", files, err)
	}
	// A lost record is made again from those that are there.
	if err := os.Remove(filepath.Join(dir, recordName(random))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), Options{Records: dir, Execute: execute}); err != nil || len(done) != 4 {
		t.Errorf("done %q, %v", done, err)
	}
	// What failed leaves the others without a measure.
	broken, done = true, nil
	other := t.TempDir()
	records, err = s.Run(t.Context(), Options{Records: other, Execute: execute})
	if err == nil || len(done) != 2 || !strings.Contains(records[CellOf(random)].Error, "no memory") {
		t.Errorf("done %q, %v, %+v", done, err, records[CellOf(random)])
	}
}

func TestLikeRefused(t *testing.T) {
	for _, change := range [][2]string{{"like: [DARTS]", "like: [RARTS]"}, {"from: random, draw: 1", "from: search"}, {"    like: [DARTS]\n", ""}} {
		if _, err := Read(strings.NewReader(strings.Replace(training, change[0], change[1], 1)), "x"); err == nil {
			t.Errorf("%q was not refused", change[1])
		}
	}
}
