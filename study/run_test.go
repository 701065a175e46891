package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"espalier/experiment"
	"espalier/results"
)

// lab stands in for package experiment: it notes what is executed, in what order, and fails where it is told to.
type lab struct {
	mu       sync.Mutex
	executed []string
	running  map[string]bool
	most     int // stages at once
	fail     func(experiment.Config) error
	enter    func(context.Context) error // within an execution
}

func name(c experiment.Config) string { return Event{Config: c}.String() }

func (l *lab) execute(ctx context.Context, c experiment.Config) (experiment.Run, error) {
	l.mu.Lock()
	if l.running == nil {
		l.running = make(map[string]bool)
	}
	for _, n := range c.Needs() {
		if !slices.Contains(l.executed, name(n)) || l.running[name(n)] {
			l.mu.Unlock()
			return experiment.Run{}, fmt.Errorf("%s was begun before %s", name(c), name(n))
		}
	}
	l.executed = append(l.executed, name(c))
	l.running[name(c)] = true
	l.most = max(l.most, len(l.running))
	l.mu.Unlock()
	defer func() { l.mu.Lock(); delete(l.running, name(c)); l.mu.Unlock() }()
	if l.enter != nil {
		if err := l.enter(ctx); err != nil {
			return experiment.Run{}, err
		}
	}
	if l.fail != nil {
		if err := l.fail(c); err != nil {
			return experiment.Run{}, err
		}
	}
	r := experiment.Run{Config: c}
	if c.Prune.Method == experiment.NoPruning {
		r.Outcome = &experiment.Outcome{ValAcc: 90, TestAcc: 91}
		return r, nil
	}
	r.Pruned = []experiment.Pruned{{Sparsity: c.Prune.Sparsity[0], Kept: 20, Total: 100, OneShot: 50, ValAcc: 80, TestAcc: results.Percent(80 + float64(c.Seed))}}
	return r, nil
}

// text is a value as JSON, since what was not measured is a NaN, which equals nothing.
func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRun(t *testing.T) {
	s, dir := read(t, small), t.TempDir()
	var l lab
	var last Event
	records, err := s.Run(t.Context(), Options{Records: dir, Machine: "here", Execute: l.execute, Observe: func(e Event) { last = e }})
	if err != nil {
		t.Fatal(err)
	}
	// Four dense networks, eight by magnitude, one at random with a dense network of its own seed, which is no cell.
	if len(records) != 13 || len(l.executed) != 14 {
		t.Fatalf("%d records, %d executed:\n%s", len(records), len(l.executed), strings.Join(l.executed, "\n"))
	}
	if last.Done != last.Total || last.Total != 5*3+9*2 {
		t.Errorf("ended at %d of %d epochs", last.Done, last.Total)
	}
	c := s.Series[1].Cells[1]
	want := Record{
		Hash: c.Hash(), Seed: 2, Model: "resnet8", Method: "magnitude", Sparsity: Ladder(4), Kept: 20, Total: 100,
		OneShot: 50, ValAcc: 80, TestAcc: 82, Config: string(c.YAML()), Machine: "here",
	}
	if got := text(t, records[CellOf(c)]); got != text(t, want) {
		t.Errorf("got  %s\nwant %s", got, text(t, want))
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 13 {
		t.Fatalf("%d files, %v", len(files), err)
	}

	// The records alone, as in a fresh clone, are enough.
	var again lab
	kept, err := s.Run(t.Context(), Options{Records: dir, Execute: again.execute})
	if err != nil || len(again.executed) != 0 || len(kept) != len(records) {
		t.Errorf("with all records %q were executed, %v", again.executed, err)
	}
	for c, r := range records {
		if text(t, kept[c]) != text(t, r) {
			t.Errorf("%s was read as %s", text(t, r), text(t, kept[c]))
		}
	}
	// A lost record is made again, with what it needs.
	if err := os.Remove(filepath.Join(dir, recordName(c))); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Run(t.Context(), Options{Records: dir, Execute: again.execute}); err != nil {
		t.Fatal(err)
	}
	if want := []string{name(c.Dense()), name(c)}; !slices.Equal(again.executed, want) {
		t.Errorf("executed %q, want %q", again.executed, want)
	}
}

// TestRoundsAreMadeOnce: all rounds of IMP's ladder, those that are cells and those between, and the dense network before them,
// are made once for each seed.
func TestRoundsAreMadeOnce(t *testing.T) {
	s := read(t, `
name: ladder
settings: {data: {name: synthetic, train: 200}, train: {epochs: 3}, imp: {rewind: rate}}
models: [resnet8]
seeds: [1, 2]
series:
  - label: dense
  - label: IMP
    settings: {prune: {method: imp}}
    rounds: [2, 4]
  - label: OMP
    settings: {prune: {method: omp}}
    rounds: [4]
`)
	var l lab
	records, err := s.Run(t.Context(), Options{Records: t.TempDir(), Execute: l.execute})
	if err != nil || len(records) != 8 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	times := make(map[string]int)
	for _, name := range l.executed {
		times[name]++
	}
	// Of each seed a dense network, four rounds and OMP.
	if len(times) != 2*6 || len(l.executed) != len(times) {
		t.Errorf("executed %q", l.executed)
	}
}

func TestFailedCellGoesOn(t *testing.T) {
	s, dir := read(t, small), t.TempDir()
	bad := s.Series[1].Cells[0]
	l := lab{fail: func(c experiment.Config) error {
		if CellOf(c) == CellOf(bad) {
			return errors.New("a layer would be empty")
		}
		return nil
	}}
	records, err := s.Run(t.Context(), Options{Records: dir, Execute: l.execute})
	if err == nil || !strings.Contains(err.Error(), "a layer would be empty") || len(records) != 13 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if r := records[CellOf(bad)]; r.Error != "a layer would be empty" || r.TestAcc.Measured() {
		t.Errorf("%+v", r)
	}
	// It is not tried again, and not complained about again, until that is asked for.
	var again lab
	if _, err := s.Run(t.Context(), Options{Records: dir, Execute: again.execute}); err != nil || len(again.executed) != 0 {
		t.Errorf("executed %q, %v", again.executed, err)
	}
	records, err = s.Run(t.Context(), Options{Records: dir, Execute: again.execute, RetryFailed: true})
	if err != nil || records[CellOf(bad)].Error != "" || !slices.Equal(again.executed, []string{name(bad.Dense()), name(bad)}) {
		t.Errorf("retried %q, %v", again.executed, err)
	}
}

// TestFailedStage: what needs a stage that failed is recorded as failed, and the rest is run.
func TestFailedStage(t *testing.T) {
	s, dir := read(t, small), t.TempDir()
	bad := s.Series[0].Cells[0] // dense resnet8 of seed 1
	l := lab{fail: func(c experiment.Config) error {
		if CellOf(c) == CellOf(bad) {
			return errors.New("the loss is NaN")
		}
		return nil
	}}
	records, err := s.Run(t.Context(), Options{Records: dir, Execute: l.execute})
	if err == nil || len(records) != 13 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	wrong := 0
	for c, r := range records {
		if r.Error != "" {
			wrong++
			if c.Seed != 1 || r.Model != "resnet8" || !strings.Contains(r.Error, "the loss is NaN") {
				t.Errorf("%+v", r)
			}
		}
	}
	if wrong != 3 || len(l.executed) != 12 {
		t.Errorf("%d failed, %d executed", wrong, len(l.executed))
	}
}

func TestJobs(t *testing.T) {
	s, dir := read(t, small), t.TempDir()
	var first sync.WaitGroup // the first two stages wait for each other
	first.Add(2)
	var begun atomic.Int32
	l := lab{enter: func(context.Context) error {
		if begun.Add(1) <= 2 {
			first.Done()
			first.Wait()
		}
		return nil
	}}
	records, err := s.Run(t.Context(), Options{Records: dir, Jobs: 2, Execute: l.execute})
	if err != nil || len(records) != 13 || l.most != 2 {
		t.Errorf("%d records, at most %d at once, %v", len(records), l.most, err)
	}
}

func TestInterrupted(t *testing.T) {
	s, dir := read(t, small), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	begun := 0
	l := lab{enter: func(ctx context.Context) error {
		if begun++; begun == 6 {
			cancel()
		}
		if ctx.Err() != nil {
			return &experiment.Interrupted{}
		}
		return nil
	}}
	records, err := s.Run(ctx, Options{Records: dir, Execute: l.execute})
	if interrupted := (*experiment.Interrupted)(nil); !errors.As(err, &interrupted) {
		t.Fatalf("error %v", err)
	}
	for _, r := range records {
		if r.Error != "" {
			t.Errorf("an interrupted cell is recorded as failed: %+v", r)
		}
	}
	l.enter = nil
	all, err := s.Run(t.Context(), Options{Records: dir, Execute: l.execute})
	if err != nil || len(all) != 13 {
		t.Errorf("%d records after going on, %v", len(all), err)
	}
	for c := range maps.Keys(records) {
		if text(t, all[c]) != text(t, records[c]) {
			t.Errorf("the record of %v changed", c)
		}
	}
}

// TestUnwritable: a record that cannot be written ends the study, since what follows would be lost too.
func TestUnwritable(t *testing.T) {
	s := read(t, small)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var l lab
	_, err := s.Run(t.Context(), Options{Records: filepath.Join(file, "cells"), Execute: l.execute})
	if err == nil || !strings.Contains(err.Error(), file) || len(l.executed) > 1 {
		t.Errorf("executed %q, %v", l.executed, err)
	}
}

func TestBrokenRecord(t *testing.T) {
	s, dir := read(t, small), t.TempDir()
	path := filepath.Join(dir, recordName(s.Series[0].Cells[0]))
	for content, want := range map[string]string{
		"{":                        "delete it to run the cell again",
		`{"hash": "x", "seed": 1}`: "give it back its name",
	} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Records(dir); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", content, err)
		}
	}
}
