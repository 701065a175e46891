package study

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"espalier/experiment"
	"espalier/internal/atomicfile"
	"espalier/results"
	"espalier/results/plot"
)

// Write writes the tables and the figures of a study into a directory and returns the names of the files: table.txt,
// table.md, cells.csv, and for each model accuracy and cost against remaining weights as PNG and SVG.
func (s *Study) Write(dir string, records map[Cell]Record) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	if err := atomicfile.Sweep(dir); err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	var files []string
	for _, f := range []struct {
		name   string
		table  *results.Table
		format results.Format
	}{{"table.txt", s.Table(records), results.Text}, {"table.md", s.Table(records), results.Markdown}, {"cells.csv", s.Rows(records), results.CSV}} {
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
	points := s.Points(records)
	for _, model := range s.models() {
		of := slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return p.Model != model || len(p.Records) == 0 })
		for _, g := range []struct {
			name, label string
			figure      func(Record) float64
			dense       bool
		}{
			{"accuracy", "test accuracy (%)", testAcc, true},
			{"passes", "forward and backward passes after the dense network", allPasses, false},
			{"seconds", "seconds after the dense network", allSeconds, false},
		} {
			d := density(of, g.figure, g.dense)
			if len(d.Methods) == 0 {
				continue
			}
			d.Title, d.Label, d.Zero = s.Name+": "+model, g.label, !g.dense
			f, err := plot.NewDensity(d)
			if err != nil {
				return files, err
			}
			for _, ext := range []string{".png", ".svg"} {
				path := filepath.Join(dir, model+"-"+g.name+ext)
				if err := f.Save(path); err != nil {
					return files, err
				}
				files = append(files, path)
			}
		}
	}
	return files, nil
}

// models are those of the cells, in their order.
func (s *Study) models() []string {
	var all []string
	for _, c := range s.Cells() {
		if !slices.Contains(all, c.Model.Name) {
			all = append(all, c.Model.Name)
		}
	}
	return all
}

// density gathers a figure of the pruned points into a curve for each series. With dense, what the dense networks reached is
// a level.
func density(points []Point, figure func(Record) float64, dense bool) plot.Density {
	var d plot.Density
	for _, p := range points {
		values := p.of(figure)
		values = slices.DeleteFunc(values, func(v float64) bool { return v != v }) // not measured
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
		m.Points = append(m.Points, plot.Pruned{Density: float64(r.Kept) / float64(cmp.Or(r.Total, 1)), Accuracy: values})
	}
	return d
}
