package study

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"espalier/experiment"
	"espalier/prune"
	"espalier/train"
)

// Gathered is a study that was put together from runs.
type Gathered struct {
	*Study
	Records map[Cell]Record // of the cells that are finished or failed
	// Apart are the directories of runs that started from others which do not lie beside them: what those cost is unknown
	// and not counted.
	Apart []string
}

// Gather puts runs that were picked by hand together as a study would: those whose settings differ by seed, sparsity and
// model alone are a series, labelled by its method and by the settings in which it differs from others of that method.
// Each sparsity of a run is a cell. A run that is given twice counts once; the first epochs of trainings, which other runs
// rewind to, and searches are left out. Runs on different data sets are refused.
func Gather(name string, runs []experiment.Run) (*Gathered, error) {
	runs = slices.DeleteFunc(slices.Clone(runs), func(r experiment.Run) bool { return r.Searching() || r.Dense() && r.Config.Train.Stop > 0 })
	if len(runs) == 0 {
		return nil, errors.New("study: no runs to compare")
	}
	slices.SortStableFunc(runs, func(a, b experiment.Run) int {
		return cmp.Or(methodRank(a.Config)-methodRank(b.Config), cmp.Compare(a.Config.Seed, b.Config.Seed))
	})
	g := &Gathered{Study: &Study{Name: name}, Records: make(map[Cell]Record)}
	groups := map[string]*Series{}
	var order []string
	seen := map[Cell]bool{}
	for _, r := range runs {
		if a, b := runs[0].Config.Data, r.Config.Data; a.Name != b.Name || a.Size != b.Size {
			return nil, fmt.Errorf("study: %s is a run on %s, %s one on %s: accuracies on different images cannot be compared", runs[0].Path, a.Name, r.Path, b.Name)
		}
		shared, whole := started(r)
		if !whole {
			g.Apart = append(g.Apart, r.Path)
		}
		for _, c := range cells(r.Config) {
			if seen[CellOf(c)] {
				continue
			}
			seen[CellOf(c)] = true
			key := fmt.Sprint(kind(c))
			if groups[key] == nil {
				groups[key] = &Series{}
				order = append(order, key)
			}
			groups[key].Cells = append(groups[key].Cells, c)
			switch _, done := r.At(SparsityOf(c)); {
			case r.Dense() && r.Finished() || done:
				g.Records[CellOf(c)] = recordOf(c, r, shared)
			case r.Status == train.Failed:
				failed := blank(c)
				failed.Error = r.Error
				g.Records[CellOf(c)] = failed
			}
		}
	}
	for _, key := range order {
		g.Series = append(g.Series, *groups[key])
	}
	for i := range g.Series {
		g.Series[i].Label = label(g.Series, i)
		slices.SortStableFunc(g.Series[i].Cells, func(a, b experiment.Config) int { return cmp.Compare(SparsityOf(a), SparsityOf(b)) })
	}
	return g, nil
}

// Of is the label of the series that holds a run's cells.
func (g *Gathered) Of(r experiment.Run) (label string, ok bool) {
	want := cells(r.Config)
	for _, s := range g.Series {
		if slices.ContainsFunc(s.Cells, func(c experiment.Config) bool { return CellOf(c) == CellOf(want[0]) }) {
			return s.Label, true
		}
	}
	return "", false
}

// methodRank puts dense trainings first, and the methods in the order of their table.
func methodRank(c experiment.Config) int {
	return slices.IndexFunc(prune.Methods(), func(e prune.Entry) bool { return e.Name == c.Prune.Method })
}

// cells are the cells of a run: one for each sparsity, or the dense training.
func cells(c experiment.Config) (all []experiment.Config) {
	if c.Prune.Method == experiment.NoPruning {
		return []experiment.Config{c}
	}
	for _, s := range c.Prune.Sparsity {
		c.Prune.Sparsity = []float64{s}
		all = append(all, c)
	}
	return all
}

// kind is what the cells of a series have in common.
func kind(c experiment.Config) map[string]string {
	s := c.Settings()
	s["prune.method"] = c.Prune.Method
	delete(s, "prune.sparsity")
	delete(s, "model.name")
	return s
}

// label is the method of a series, and what sets it apart from the others of that method: the name of its runs if each has
// one of its own, else the settings that differ.
func label(all []Series, i int) string {
	own := all[i].Cells[0]
	method := own.Prune.Method
	var rivals []experiment.Config // a cell of each series of the method
	named := map[string]int{}      // series by name of runs
	for _, s := range all {
		if s.Cells[0].Prune.Method != method {
			continue
		}
		rivals = append(rivals, s.Cells[0])
		names := map[string]bool{}
		for _, c := range s.Cells {
			names[c.Name] = true
		}
		for name := range names {
			named[name]++
		}
		if len(names) > 1 {
			named[""] = 2 // such a series has no name
		}
	}
	first := method
	if method == experiment.NoPruning {
		first = "dense"
	}
	if len(rivals) == 1 {
		return first
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(named)), func(n int) bool { return n > 1 }) {
		return first + ", " + own.Name
	}
	differs := map[string]bool{}
	a := kind(own)
	for _, o := range rivals {
		b := kind(o)
		for _, path := range slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b))) {
			if a[path] != b[path] {
				differs[path] = true
			}
		}
	}
	parts := []string{first}
	for _, path := range slices.Sorted(maps.Keys(differs)) {
		parts = append(parts, strings.TrimPrefix(path, method+".")+" "+own.Setting(path))
	}
	return strings.Join(parts, ", ")
}

// started are the runs that a run started from, directly or not, each once, as far as they lie in the same run directory,
// and whether all do.
func started(r experiment.Run) (all []experiment.Run, whole bool) {
	root := filepath.Dir(filepath.Dir(filepath.Dir(r.Path))) // above name/hash/seed
	seen := map[Cell]bool{}
	whole = true
	var visit func(c experiment.Config)
	visit = func(c experiment.Config) {
		for _, n := range c.Needs() {
			if seen[CellOf(n)] {
				continue
			}
			seen[CellOf(n)] = true
			run, err := experiment.Open(n.Dir(root))
			switch {
			case err == nil:
				all = append(all, run)
			case n.Prune.Method != experiment.NoPruning || !errors.Is(err, fs.ErrNotExist):
				whole = false // a dense network's cost stands apart in any case
			}
			visit(n)
		}
	}
	visit(r.Config)
	return all, whole
}
