package study

import (
	"fmt"
	"path/filepath"
	"reflect"

	"espalier/experiment"
	"espalier/results"
	"espalier/search"
)

// Derived is the architecture that α meant from the end of an epoch on, until the next one that differs; epoch 0 is the
// beginning.
type Derived struct {
	Epoch    int    `json:"epoch"`
	Genotype string `json:"genotype"`
}

// searched notes what a search came to.
func (r *Record) searched(run experiment.Run) {
	r.Own = costOf(run, 0)
	if run.Genotype != nil {
		r.Genotype = run.Genotype.String()
	}
	if len(run.Trainings) > 0 {
		r.ValAcc = results.Percent(run.Trainings[0].At("val_accuracy"))
	}
	var err error
	if r.Path, err = pathOf(run); err != nil { // a search is over without it
		r.Path = nil
	}
}

// pathOf derives the architecture after every epoch of a search that moves α, and keeps those that differ from the one before.
func pathOf(run experiment.Run) (path []Derived, err error) {
	file := filepath.Join(run.Path, search.AlphasFile)
	space, err := run.Config.SearchSpace()
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	epochs, err := search.LoadAlphas(file, space)
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	if n := len(epochs); n == 0 || reflect.DeepEqual(epochs[0].Scores(), epochs[n-1].Scores()) {
		return nil, nil // a search that does not move α, such as random search
	}
	for _, at := range epochs {
		g, err := search.Derive(at.Space, search.Registry{}, at.Scores())
		if err != nil {
			return nil, fmt.Errorf("study: %s: %w", file, err)
		}
		if text := g.String(); len(path) == 0 || path[len(path)-1].Genotype != text {
			path = append(path, Derived{at.Epoch, text})
		}
	}
	return path, nil
}

// after is the architecture after each epoch from 0 to the last, given the changes; empty if nothing is known.
func after(path []Derived, epochs int) (all []string) {
	if len(path) == 0 {
		return nil
	}
	k := 0
	for e := range epochs + 1 {
		for k+1 < len(path) && path[k+1].Epoch <= e {
			k++
		}
		all = append(all, path[k].Genotype)
	}
	return all
}
