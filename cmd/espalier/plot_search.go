package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"espalier/darts"
	"espalier/experiment"
	"espalier/results/plot"
	"espalier/search"
	"espalier/train"
)

// drawing is what can be saved as PNG or SVG.
type drawing interface{ Save(path string) error }

// named is a drawing and the name of its files.
type named struct {
	name string
	drawing
}

// searchDrawings are those that searches give: for each the weights of the candidates, cell by cell, and what it found; for all
// together loss and accuracy, the entropy of the choices, and how many are identities.
func searchDrawings(runs []experiment.Run, title string) (all []named, err error) {
	names := curveNames(runs)
	for i, r := range runs {
		prefix, of := "", title
		if names[i] != "" {
			prefix = strings.NewReplacer(" ", "-", ",", "", "/", "-").Replace(names[i]) + "-"
			of += ", " + names[i]
		}
		cells, err := weightDrawings(r, of)
		if err != nil {
			return nil, err
		}
		for _, c := range cells {
			all = append(all, named{prefix + c.name, c.drawing})
		}
		if r.Genotype == nil {
			continue
		}
		d, err := plot.NewDrawing(of, *r.Genotype)
		if err != nil {
			return nil, err
		}
		all = append(all, named{prefix + "genotype", d})
	}
	f, err := curves(runs, names, title, searchColumns)
	if err != nil {
		return nil, err
	}
	if f != nil {
		all = append(all, named{"search", f})
	}
	for _, of := range []struct{ name, column, label string }{
		{"entropy", "_entropy", "entropy of the choices (nats)"},
		{"skips", "_skips", "identities in the derived cell"},
	} {
		if f, err = cellFigure(runs, names, title, of.column, of.label); err != nil {
			return nil, err
		}
		if f != nil {
			all = append(all, named{of.name, f})
		}
	}
	if f, err = eigenvalueFigure(runs, names, title); err != nil {
		return nil, err
	}
	if f != nil {
		all = append(all, named{"eigenvalue", f})
	}
	return all, nil
}

// weightDrawings draw alphas.csv, if the search has come to write it.
func weightDrawings(r experiment.Run, title string) (all []named, err error) {
	if _, err := os.Stat(filepath.Join(r.Path, search.AlphasFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	epochs, err := readAlphas(r.Path, "")
	if err != nil || len(epochs) == 0 {
		return nil, err
	}
	var scores []search.Scores
	for _, at := range epochs {
		scores = append(scores, at.Softmax())
	}
	for k, cell := range epochs[0].Space.Cells {
		var edges []plot.EdgeCourse
		for e, edge := range cell.Edges {
			course := plot.EdgeCourse{Name: fmt.Sprintf("%d → %d", edge.From, edge.To), Choices: edge.Primitives}
			for o := range edge.Primitives {
				var weights []float64
				for _, s := range scores {
					weights = append(weights, s[k][e][o])
				}
				course.Weights = append(course.Weights, weights)
			}
			edges = append(edges, course)
		}
		name := title
		if len(epochs[0].Space.Cells) > 1 {
			name += ", " + cell.Name + " cell"
		}
		f, err := plot.NewEdgeCourses(name, edges...)
		if err != nil {
			return nil, err
		}
		all = append(all, named{"alphas-" + cell.Name, f})
	}
	return all, nil
}

// cellFigure draws the columns with an ending, one of each kind of cell, as far as all their epochs have it.
func cellFigure(runs []experiment.Run, names []string, title, ending, label string) (*plot.Figure, error) {
	var courses []plot.Course
	for i, r := range runs {
		records := r.Trainings[0].Records
		for _, column := range records.Columns {
			cell, ok := strings.CutSuffix(column, ending)
			if values := records.Column(column); ok && len(values) > 0 && finite(values) {
				courses = append(courses, plot.Course{Name: strings.TrimPrefix(names[i]+", "+cell, ", "), Runs: [][]float64{values}})
			}
		}
	}
	if len(courses) == 0 || len(courses) > plot.Curves {
		return nil, nil
	}
	return plot.NewCourses(title, label, 1, courses...)
}

// eigenvalueFigure draws the largest eigenvalue of the Hessian in α, where it was measured, and says which searches it ended.
func eigenvalueFigure(runs []experiment.Run, names []string, title string) (*plot.Figure, error) {
	var courses []plot.Course
	for i, r := range runs {
		c := plot.Course{Name: cmp.Or(names[i], "search"), Runs: make([][]float64, 1)}
		for e, v := range r.Trainings[0].Records.Column("eigenvalue") {
			if !math.IsNaN(v) {
				c.Epochs, c.Runs[0] = append(c.Epochs, e+1), append(c.Runs[0], v)
			}
		}
		if c.Epochs == nil {
			continue
		}
		if stop, _, best := darts.DefaultStopping().Stop(c.Runs[0]); stop && r.Config.Search.Stop {
			c.Name += fmt.Sprintf(" (ended; epoch %d counts)", best)
		}
		courses = append(courses, c)
	}
	if len(courses) == 0 || len(courses) > plot.Curves {
		return nil, nil
	}
	return plot.NewCourses(title, "largest eigenvalue of the Hessian in α", 1, courses...)
}

func finite(values []float64) bool {
	sum := 0.
	for _, v := range values {
		sum += v - v
	}
	return !math.IsNaN(sum)
}

// columnsOf are the figures of an epoch that training curves are drawn of.
type columnsOf struct{ trainLoss, trainAccuracy, valLoss, valAccuracy string }

var (
	trainingColumns = columnsOf{"train_loss", "train_accuracy", "val_loss", "val_accuracy"}
	searchColumns   = columnsOf{"w_loss", "w_accuracy", "val_loss", "val_accuracy"}
)

// curves draws the epochs of runs, or nothing if there are none.
func curves(runs []experiment.Run, names []string, title string, columns columnsOf) (*plot.Figure, error) {
	var all []plot.Run
	for i, r := range runs {
		c := curve(r.Trainings[0].Records, columns)
		if c.Name = names[i]; len(c.Epochs) > 0 {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return plot.NewTraining(title, all...)
}

// curve is the epochs of one run; what was not measured is NaN.
func curve(records train.Records, columns columnsOf) (c plot.Run) {
	of := func(epoch int, name string) float64 {
		if c := records.Column(name); c != nil {
			return c[epoch]
		}
		return math.NaN()
	}
	for e := range records.Rows {
		c.Epochs = append(c.Epochs, plot.Epoch{
			Epoch: e + 1, TrainLoss: of(e, columns.trainLoss), TrainAccuracy: of(e, columns.trainAccuracy),
			ValLoss: of(e, columns.valLoss), ValAccuracy: of(e, columns.valAccuracy),
		})
	}
	return c
}
