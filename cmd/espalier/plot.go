package main

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"espalier/experiment"
	"espalier/results/plot"
	"espalier/train"
)

func newPlot(a *app) *cobra.Command {
	var out, title string
	c := &cobra.Command{
		Use:   "plot [DIR...]",
		Short: "Draw training curves, and accuracy against remaining weights",
		Long: `Draws the runs below the given directories, or below the run directory:

  training.{png,svg}   loss and accuracy of each training run, epoch by epoch
  pruning.{png,svg}    test accuracy against the share of weights that remains, a curve for each way of pruning, runs of
                       different seeds together: each run and the range under five seeds, mean ± one standard
                       deviation from five on; the dense networks are a dashed line

The runs must be of one model and one data set. The names of the files that were written are printed.`,
		Example: `  espalier plot runs/quickstart
  espalier plot runs/a runs/b --out figures --title 'ResNet-20 on CIFAR-10'`,
		GroupID: "look",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{a.runs}
			}
			var runs []experiment.Run
			for _, dir := range args {
				found, err := experiment.Find(dir)
				if err != nil {
					return err
				}
				runs = append(runs, found...)
			}
			files, err := drawRuns(runs, cmp.Or(out, args[0]), title)
			if err != nil {
				return err
			}
			return a.printFiles(files)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "directory for the figures (default: the first DIR)")
	c.Flags().StringVar(&title, "title", "", "title of the figures (default: model and data)")
	return c
}

// printFiles lists files that were written.
func (a *app) printFiles(files []string) error {
	for _, f := range files {
		if a.json {
			if err := a.printJSON(map[string]string{"file": f}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(a.stdout, f)
	}
	return nil
}

// drawRuns writes the figures that the runs give, as PNG and SVG, and returns their names.
func drawRuns(runs []experiment.Run, dir, title string) ([]string, error) {
	if len(runs) == 0 {
		return nil, fmt.Errorf("no runs to draw")
	}
	first := runs[0].Config
	for _, r := range runs {
		r.Config.Data.Dir = first.Data.Dir
		if r.Config.Model != first.Model || r.Config.Data != first.Data {
			return nil, fmt.Errorf("%s and %s are runs of different models or data; draw them apart", runs[0].Path, r.Path)
		}
	}
	title = cmp.Or(title, first.Model.Name+" on "+first.Data.Name)
	var files []string
	for name, draw := range map[string]func([]experiment.Run, string) (*plot.Figure, error){
		"training": trainingFigure, "pruning": pruningFigure,
	} {
		f, err := draw(runs, title)
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		for _, ext := range []string{".png", ".svg"} {
			path := filepath.Join(dir, name+ext)
			if err := f.Save(path); err != nil {
				return nil, err
			}
			files = append(files, path)
		}
	}
	slices.Sort(files)
	if len(files) == 0 {
		return nil, fmt.Errorf("none of the %d runs has anything to draw yet", len(runs))
	}
	return files, nil
}

// trainingFigure draws the epochs of every training run, or nothing if there are none.
func trainingFigure(runs []experiment.Run, title string) (*plot.Figure, error) {
	var curves []plot.Run
	for _, r := range runs {
		if r.Config.Prune.Method != "none" {
			continue
		}
		records, err := train.ReadRecords(filepath.Join(r.Path, train.MetricsFile))
		if err != nil || len(records.Rows) == 0 {
			continue // not begun
		}
		curve := plot.Run{Name: fmt.Sprintf("seed %d", r.Config.Seed)}
		for i := range records.Rows {
			of := func(name string) float64 {
				if c := records.Column(name); c != nil {
					return c[i]
				}
				return math.NaN()
			}
			curve.Epochs = append(curve.Epochs, plot.Epoch{
				Epoch: i + 1, TrainLoss: of("train_loss"), TrainAccuracy: of("train_accuracy"),
				ValLoss: of("val_loss"), ValAccuracy: of("val_accuracy"),
			})
		}
		curves = append(curves, curve)
	}
	switch len(curves) {
	case 0:
		return nil, nil
	case 1:
		curves[0].Name = ""
	}
	return plot.NewTraining(title, curves...)
}

// pruningFigure draws the pruned networks, a curve for each method and budget, or nothing if there are none.
func pruningFigure(runs []experiment.Run, title string) (*plot.Figure, error) {
	d := plot.Density{Title: title}
	for _, r := range runs {
		if r.Outcome != nil {
			d.Dense = append(d.Dense, r.Outcome.TestAcc)
		}
		if len(r.Pruned) == 0 {
			continue
		}
		m := methodOf(&d, r.Config.Prune)
		for _, p := range r.Pruned {
			i := slices.IndexFunc(m.Points, func(q plot.Pruned) bool { return q.Density == p.Density() })
			if i < 0 {
				i = len(m.Points)
				m.Points = append(m.Points, plot.Pruned{Density: p.Density()})
			}
			m.Points[i].Accuracy = append(m.Points[i].Accuracy, p.TestAcc)
		}
	}
	if len(d.Methods) == 0 {
		return nil, nil
	}
	return plot.NewDensity(d)
}

// methodOf is the curve of a way of pruning, made if it is not there.
func methodOf(d *plot.Density, p experiment.Prune) *plot.Method {
	name := p.Budget + " " + p.Method
	i := slices.IndexFunc(d.Methods, func(m plot.Method) bool { return m.Name == name })
	if i < 0 {
		i = len(d.Methods)
		d.Methods = append(d.Methods, plot.Method{Name: name})
	}
	return &d.Methods[i]
}
