package study

import (
	"fmt"
	"slices"
	"strings"

	"espalier/experiment"
)

// like is model.like of cells that are to have about as many parameters as the derived networks of the series before them that
// have one of these labels.
func (s *Study) like(labels []string) (string, error) {
	var names []string
	for _, label := range labels {
		before := len(names)
		for _, r := range s.Series {
			for _, c := range r.Cells {
				if r.Label == label && c.Model.Name == experiment.Derived {
					names = append(names, CellOf(c).String())
				}
			}
		}
		if len(names) == before {
			return "", fmt.Errorf("like: no series before it that trains a derived network is labelled %q", label)
		}
	}
	return strings.Join(names, " "), nil
}

// liked are the cells of the study that model.like of c names.
func (s *Study) liked(c experiment.Config) (all []experiment.Config) {
	names := strings.Fields(c.Model.Like)
	for _, o := range s.Cells() {
		if slices.Contains(names, CellOf(o).String()) {
			all = append(all, o)
		}
	}
	return all
}

// settled is the configuration of a stage with the parameters of the cells that it is like, whose records are there.
func (r *runner) settled(st *stage) (experiment.Config, error) {
	c := st.config
	if c.Model.Like == "" {
		return c, nil
	}
	if len(st.like) == 0 {
		return c, fmt.Errorf("study: %s: none of the cells that it is like is in the study: %s", c.Hash(), c.Model.Like)
	}
	sum := 0
	for _, o := range st.like {
		rec := r.records[CellOf(o)]
		if rec.Params == 0 {
			return c, fmt.Errorf("study: what it is like, %s, seed %d, has no parameters: it failed", o.Hash(), o.Seed)
		}
		sum += rec.Params
	}
	c.Model.Params, c.Model.Like = sum/len(st.like), ""
	return c, nil
}
