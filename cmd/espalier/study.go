package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"espalier/experiment"
	"espalier/results"
	"espalier/search"
	"espalier/search/nb201"
	"espalier/study"
)

// cellsDir is where a study's records are within its results.
const cellsDir = "cells"

func newStudy(a *app) *cobra.Command {
	var out, data, table string
	var jobs, threads int
	var retry, dryRun bool
	c := &cobra.Command{
		Use:   "study FILE.yaml",
		Short: "Run a grid of methods, sparsities, models and seeds",
		Long: `Runs every cell of the grid that the file describes, and ends in one table and figures. A file:

  name: small                      # directory of the runs below --runs
  settings:                        # of every run (espalier help settings)
    data: {name: synthetic}
    train: {epochs: 5}
  models: [resnet8]
  seeds: [1, 2]
  baseline: magnitude              # what the others are compared with, pair by pair
  series:
    - label: dense
    - label: magnitude
      settings: {prune: {method: magnitude}}
      rounds: [4, 7]               # sparsities 1-0.8^r
    - label: random
      settings: {prune: {method: random}}
      sparsity: [0.5, 0.9]         # or as shares
    - label: DARTS                 # a search: a cell for each seed
      settings: {search: {method: darts, space: nas-bench-201, cells: 1}}
  figures:                         # default: figures show all series
    - name: one-shot
      series: [magnitude, random]

What several cells start from, such as the dense network, is trained once. Each finished cell leaves a small record in
OUT/cells, and a search its α and figures of each epoch in OUT/searches, of which its plots are drawn; where its record
is, a cell is not run again, also in a fresh clone. A cell that fails is recorded, and the study goes on; --retry-failed
tries such cells again. Ctrl-C saves and stops; the same command goes on.

With --jobs several runs go on at once, each in a process of its own with its share of the threads. Times are then those
of runs that disturb each other: measure them with one job. Processor time, all threads added up, hardly depends on what
else the machine does. What ran on different machines, or at once, is drawn in passes alone, not in times; nor are the
seconds of runs that other work held up, by the share of them that was processor time.`,
		Example: `  espalier study study.yaml --dry-run
  espalier study study.yaml --out results/small
  espalier study study.yaml --jobs 2`,
		GroupID: "do",
		Args:    exactly(1, "one study file"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := study.Load(args[0])
			if err != nil {
				return usageError{err}
			}
			if jobs < 1 {
				return usageError{fmt.Errorf("--jobs %d: at least one", jobs)}
			}
			for i := range s.Series {
				for k := range s.Series[i].Cells {
					cell := &s.Series[i].Cells[k]
					cell.Data.Dir = cmp.Or(data, cell.Data.Dir)
				}
			}
			out := cmp.Or(out, filepath.Join("results", s.Name))
			cells := filepath.Join(out, cellsDir)
			if dryRun {
				return a.printStudy(s, cells)
			}
			machine := experiment.ThisEnv().String()
			if jobs > 1 {
				machine = fmt.Sprintf("%s, %d runs at once", machine, jobs)
			}
			o := study.Options{
				Records: cells, Machine: machine, Jobs: jobs, RetryFailed: retry,
				Execute: func(ctx context.Context, c experiment.Config) (experiment.Run, error) { return a.lab().Make(ctx, c) },
				Observe: a.studyObserver(jobs),
			}
			if jobs > 1 {
				o.Execute = a.subprocess(max(1, cmp.Or(threads, runtime.GOMAXPROCS(0))/jobs))
			} else {
				setThreads(threads)
			}
			execute := o.Execute
			o.Execute = func(ctx context.Context, c experiment.Config) (experiment.Run, error) {
				r, err := execute(ctx, c)
				if err == nil && r.Searching() {
					err = keepSearch(out, r)
				}
				return r, err
			}
			records, failed := s.Run(c.Context(), o)
			if c.Context().Err() != nil || records == nil || study.Blocked(failed) {
				return failed
			}
			truth, err := a.truth(s, table)
			if err != nil {
				return err
			}
			files, err := s.Write(out, records, truth)
			if err != nil {
				return err
			}
			drawn, err := drawSearches(s, out)
			if err != nil {
				return err
			}
			files = append(files, drawn...)
			if err := a.printStudyResult(s, records, truth); err != nil {
				return err
			}
			if err := a.printFiles(files); err != nil {
				return err
			}
			return failed
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "directory of records, tables and figures (default: results/NAME)")
	c.Flags().StringVar(&data, "data-dir", "", "directory that holds the data set (the setting data.dir of every run)")
	c.Flags().IntVarP(&jobs, "jobs", "j", 1, "runs at once")
	c.Flags().StringVar(&table, "table", "", "the table of NAS-Bench-201, for reports on searches (default: "+nb201.FileName+" where data sets are looked for)")
	c.Flags().BoolVar(&retry, "retry-failed", false, "run cells again that failed")
	c.Flags().BoolVarP(&dryRun, "dry-run", "n", false, "list the cells and which are finished, and do nothing")
	addThreads(c, &threads)
	return c
}

// truth is the table by which searches of NAS-Bench-201 are reported, if there are any: the one that was asked for, or one that
// is found; without one it says so, and goes on.
func (a *app) truth(s *study.Study, path string) (*nb201.Table, error) {
	needed := slices.ContainsFunc(s.Cells(), func(c experiment.Config) bool {
		return c.Searches() && c.Search.Space == search.NASBench201().Name
	})
	if !needed {
		return nil, nil
	}
	if path == "" {
		found, err := nb201.Find(places().Roots())
		if err != nil {
			a.say("%v; true accuracies are left out (--table)", err)
			return nil, nil
		}
		path = found
	}
	return nb201.Open(path)
}

// printStudyResult prints what a study came to: tables, or with --json every record.
func (a *app) printStudyResult(s *study.Study, records map[study.Cell]study.Record, truth *nb201.Table) error {
	if a.json {
		for _, p := range s.Points(records) {
			for _, r := range p.Records {
				if err := a.printJSON(r); err != nil {
					return err
				}
			}
		}
		return nil
	}
	tables := []*results.Table{s.Table(records), s.Searches(records, truth)}
	tables = slices.DeleteFunc(tables, func(t *results.Table) bool { return t.Len() == 0 })
	for i, t := range tables {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		if err := t.Write(a.stdout, results.Text); err != nil {
			return err
		}
	}
	return nil
}

// studyObserver says which run begins, and how far the whole is.
func (a *app) studyObserver(jobs int) func(study.Event) {
	start := time.Now()
	return func(e study.Event) {
		switch {
		case !e.Ended:
			a.say("== %v", e)
			return
		case e.Err != nil:
			a.say("== %v: FAILED: %v", e, e.Err)
		}
		left := ""
		if e.Done > 0 && e.Done < e.Total {
			seconds := time.Since(start).Seconds() / float64(e.Done) * float64(e.Total-e.Done)
			left = fmt.Sprintf(", about %s left", results.Duration(seconds))
		}
		a.say("== %v is done: %d of %d epochs of the study%s", e, e.Done, e.Total, left)
	}
}

// printStudy lists the cells of a study.
func (a *app) printStudy(s *study.Study, cells string) error {
	records, err := s.Records(cells)
	if err != nil {
		return err
	}
	t := results.NewTable("series", "model", "removed", "seed", "state", "run")
	for _, series := range s.Series {
		for _, c := range series.Cells {
			state := "to do"
			if r, ok := records[study.CellOf(c)]; ok {
				if state = "finished"; r.Error != "" {
					state = "failed"
				}
			}
			if a.json {
				if err := a.printJSON(map[string]any{"series": series.Label, "state": state, "dir": c.Dir(a.runs), "config": c}); err != nil {
					return err
				}
				continue
			}
			t.Add(series.Label, study.ModelOf(c), percent(study.SparsityOf(c)), fmt.Sprint(c.Seed), state, c.Dir(a.runs))
		}
	}
	if a.json {
		return nil
	}
	return t.Write(a.stdout, results.Text)
}
