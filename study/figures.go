package study

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"espalier/experiment"
	"espalier/internal/atomicfile"
	"espalier/results"
	"espalier/results/plot"
	"espalier/search/nb201"
)

// Write writes the tables and the figures of a study into a directory and returns the names of the files: table.txt,
// table.md, cells.csv, and for each model and choice of series, as PNG and SVG, accuracy and cost against remaining weights (in
// passes; in seconds where all its cells ran on one machine, undisturbed) and, where masks were trained, how they moved at each sparsity. Of
// derived networks: accuracy against parameters (parameters). Of searches: searches.txt, searches.md, found.csv, and, as far as
// truth (nil: none) knows the cells of NAS-Bench-201, how accurate the derived cell was after each epoch (trajectories).
func (s *Study) Write(dir string, records map[Cell]Record, truth *nb201.Table) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	if err := atomicfile.Sweep(dir); err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	type tableFile struct {
		name   string
		table  *results.Table
		format results.Format
	}
	var tables []tableFile
	if len(s.pointsOf(records, false)) > 0 {
		all := s.Table(records)
		tables = append(tables, tableFile{"table.txt", all, results.Text}, tableFile{"table.md", all, results.Markdown},
			tableFile{"cells.csv", s.Rows(records), results.CSV})
	}
	if len(s.pointsOf(records, true)) > 0 {
		all := s.Searches(records, truth)
		tables = append(tables, tableFile{"searches.txt", all, results.Text}, tableFile{"searches.md", all, results.Markdown},
			tableFile{"found.csv", s.Found(records, truth), results.CSV})
	}
	var files []string
	for _, f := range tables {
		var b strings.Builder
		if err := f.table.Write(&b, f.format); err != nil {
			return files, err
		}
		path := filepath.Join(dir, f.name)
		if err := atomicfile.WriteBytes(path, []byte(b.String())); err != nil {
			return files, fmt.Errorf("study: %w", err)
		}
		files = append(files, path)
	}
	save := func(name string, f *plot.Figure) error {
		for _, ext := range []string{".png", ".svg"} {
			path := filepath.Join(dir, name+ext)
			if err := f.Save(path); err != nil {
				return err
			}
			files = append(files, path)
		}
		return nil
	}
	f, err := s.Trajectories(records, truth)
	if err != nil {
		return files, err
	}
	if f != nil {
		if err := save("trajectories", f); err != nil {
			return files, err
		}
	}
	if f, err = s.Scatter(records); err != nil {
		return files, err
	}
	if f != nil {
		if err := save("parameters", f); err != nil {
			return files, err
		}
	}
	points := s.pointsOf(records, false)
	for _, model := range s.models() {
		of := slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return p.Model != model || len(p.Records) == 0 })
		for _, choice := range s.choices() {
			shown := slices.DeleteFunc(slices.Clone(of), func(p Point) bool { return !slices.Contains(choice.Series, p.Series) })
			figures, err := s.figures(model, shown)
			if err != nil {
				return files, err
			}
			for _, f := range figures {
				if err := save(strings.Join(slices.DeleteFunc([]string{model, choice.Name, f.name}, isEmpty), "-"), f.figure); err != nil {
					return files, err
				}
			}
		}
	}
	return files, nil
}

func isEmpty(s string) bool { return s == "" }

// choices are those of the study, or one without a name of all series.
func (s *Study) choices() []Choice {
	if len(s.Figures) > 0 {
		return s.Figures
	}
	var all Choice
	for _, r := range s.Series {
		all.Series = append(all.Series, r.Label)
	}
	return []Choice{all}
}

// named is a figure and what its file is called after the model.
type named struct {
	name   string
	figure *plot.Figure
}

// figures are those that the finished points of one model give.
func (s *Study) figures(model string, points []Point) (all []named, err error) {
	title := s.Name + ": " + model
	wall, alike := "seconds after the dense network", len(machines(points...)) == 1
	if !steady(points) {
		wall += ", pauses of some runs included"
	}
	f, err := s.Accuracy(title, points)
	if err != nil {
		return nil, err
	}
	if f != nil {
		all = append(all, named{"accuracy", f})
	}
	for _, g := range []struct {
		name, label string
		cost        func(Record) float64
		fair        bool
	}{
		{"passes", "passes after the dense network", allPasses, true},
		{"seconds", wall, allSeconds, alike},
		{"processor", "processor seconds after the dense network", allProcessor, alike},
	} {
		d := density(points, g.cost, false)
		if len(d.Methods) == 0 || crowded(d) || !g.fair {
			continue
		}
		d.Title, d.Label, d.Zero = title, g.label, true
		f, err := plot.NewDensity(d)
		if err != nil {
			return nil, err
		}
		all = append(all, named{g.name, f})
	}
	for _, sparsity := range sparsities(points) {
		masks := moved(points, sparsity)
		if len(masks) == 0 {
			continue
		}
		f, err := plot.NewTurnover(fmt.Sprintf("%s: %s, %s removed", s.Name, model, removed(sparsity)), masks...)
		if err != nil {
			return nil, err
		}
		all = append(all, named{fmt.Sprintf("masks-%.2f", 100*sparsity), f})
	}
	return all, nil
}

// steady reports whether cells kept the processor about as busy as each other, to within a half: else some waited for other work,
// or stood still, and their seconds say how long. Cells whose processor time is unknown are taken for steady.
func steady(points []Point) bool {
	least, most := math.Inf(1), 0.
	for _, p := range points {
		for _, r := range p.Records {
			if busy := allProcessor(r) / allSeconds(r); r.Method != experiment.NoPruning && busy > 0 {
				least, most = min(least, busy), max(most, busy)
			}
		}
	}
	return most <= 1.5*least
}

// Accuracy draws the accuracy of points of one model against the weights that remain, a curve for each series; it is nil if
// nothing pruned is finished, or if there are more curves than can be told apart.
func (s *Study) Accuracy(title string, points []Point) (*plot.Figure, error) {
	accuracy, label := judged(points)
	d := density(points, accuracy, true)
	if len(d.Methods) == 0 || crowded(d) {
		return nil, nil
	}
	d.Title, d.Label = title, label
	return plot.NewDensity(d)
}

// sparsities are those of the points, in their order.
func sparsities(points []Point) (all []float64) {
	for _, p := range points {
		if !slices.Contains(all, p.Sparsity) {
			all = append(all, p.Sparsity)
		}
	}
	return all
}

// moved is how the masks of a sparsity moved that were trained: one for each series, but of series whose masks moved alike,
// as they do with and without fine-tuning, the first.
func moved(points []Point, sparsity float64) (masks []plot.Moved) {
	for _, p := range points {
		m := plot.Moved{Name: p.Series}
		for _, r := range p.Records {
			var changed, regrown []float64
			for _, t := range r.Trace {
				changed, regrown = append(changed, t.Changed), append(regrown, t.Regrown)
			}
			if changed != nil {
				m.Changed, m.Regrown = append(m.Changed, changed), append(m.Regrown, regrown)
			}
		}
		alike := func(o plot.Moved) bool { return slices.EqualFunc(o.Changed, m.Changed, slices.Equal) }
		if p.Sparsity == sparsity && m.Changed != nil && !slices.ContainsFunc(masks, alike) {
			masks = append(masks, m)
		}
	}
	return masks
}

// models are those of the cells, in their order.
func (s *Study) models() []string {
	var all []string
	for _, c := range s.Cells() {
		if !slices.Contains(all, ModelOf(c)) {
			all = append(all, ModelOf(c))
		}
	}
	return all
}

// crowded reports whether there are more curves than can be told apart: then none is drawn.
func crowded(d plot.Density) bool { return len(d.Methods) > plot.Curves }

// density gathers a figure of the pruned points into a curve for each series. With dense, what the dense networks reached is
// a level.
func density(points []Point, figure func(Record) float64, dense bool) plot.Density {
	var d plot.Density
	for _, p := range points {
		values := p.of(figure)
		if len(values) == 0 {
			continue
		}
		r := p.Records[0]
		if r.Method == experiment.NoPruning {
			if dense {
				d.Dense = append(d.Dense, values...)
			}
			continue
		}
		i := slices.IndexFunc(d.Methods, func(m plot.Method) bool { return m.Name == p.Series })
		if i < 0 {
			i = len(d.Methods)
			d.Methods = append(d.Methods, plot.Method{Name: p.Series})
		}
		m := &d.Methods[i]
		share := float64(r.Kept) / float64(cmp.Or(r.Total, 1))
		k := slices.IndexFunc(m.Points, func(p plot.Pruned) bool { return p.Density == share })
		if k < 0 { // else a small network, where two sparsities keep the same number of weights
			k = len(m.Points)
			m.Points = append(m.Points, plot.Pruned{Density: share})
		}
		m.Points[k].Accuracy = append(m.Points[k].Accuracy, values...)
	}
	return d
}
