package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"espalier/experiment"
	"espalier/internal/atomicfile"
	"espalier/results/plot"
	"espalier/search"
	"espalier/study"
	"espalier/train"
)

// searchesDir is where what a study's searches left, epoch by epoch, is kept beside its records.
const searchesDir = "searches"

// keptOfSearch are the files of a search that its figures need. They are small.
var keptOfSearch = []string{experiment.GenotypeFile, search.AlphasFile, search.BetasFile, train.MetricsFile, train.TimingsFile, train.StatusFile}

// searchCopy is the directory of a search below the results of its study.
func searchCopy(out string, c experiment.Config) string {
	return filepath.Join(out, searchesDir, study.CellOf(c).String())
}

// keepSearch copies what figures of a finished search need, so that they can be drawn again without its run directory.
func keepSearch(out string, r experiment.Run) error {
	dir := searchCopy(out, r.Config)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("study: %w", err)
	}
	c := r.Config
	if c.Data.Name != "folder" {
		c.Data.Dir = "" // where the data are on this machine
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, experiment.ConfigFile), c.YAML()); err != nil {
		return fmt.Errorf("study: %w", err)
	}
	for _, name := range keptOfSearch {
		b, err := os.ReadFile(filepath.Join(r.Path, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = atomicfile.WriteBytes(filepath.Join(dir, name), b)
		}
		if err != nil {
			return fmt.Errorf("study: %w", err)
		}
	}
	return nil
}

// drawSearches draws the searches of a study that are kept, named by their series, unless they are too many for a figure.
func drawSearches(s *study.Study, out string) ([]string, error) {
	var runs []experiment.Run
	for _, series := range s.Series {
		for _, c := range series.Cells {
			if !c.Searches() {
				continue
			}
			r, err := experiment.Open(searchCopy(out, c))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			r.Config.Name = series.Label
			runs = append(runs, r)
		}
	}
	if len(runs) == 0 || 2*len(runs) > plot.Curves {
		return nil, nil
	}
	return drawRuns(runs, out, s.Name)
}
