package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"espalier/datasets"
	"espalier/experiment"
	"espalier/results/plot"
	"espalier/study"
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
  search, entropy      of searches: loss and accuracy, and how undecided the choices are, epoch by epoch
  skips                of searches: identities in the cell that would be derived, epoch by epoch
  alphas-CELL          of each search: the weight of every candidate of every edge, epoch by epoch
  genotype             of each search that has ended: what it found

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
				if len(found) == 0 {
					return fmt.Errorf("no runs below %s", dir)
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

// drawRuns writes the figures that one run or more give, as PNG and SVG, and returns their names.
func drawRuns(runs []experiment.Run, dir, given string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	var searches, others []experiment.Run
	for _, r := range runs {
		if r.Searching() {
			searches = append(searches, r)
		} else {
			others = append(others, r)
		}
	}
	for _, r := range others {
		if first := others[0]; r.Config.Model != first.Config.Model || !sameData(r.Config.Data, first.Config.Data) {
			return nil, fmt.Errorf("%s and %s are runs of different models or data; draw them apart", first.Path, r.Path)
		}
	}
	title := given
	if len(others) > 0 {
		c := others[0].Config
		title = cmp.Or(given, c.Network()+" on "+titleOf(c.Data.Name))
	}
	var drawings []named
	for _, figure := range []struct {
		name string
		draw func([]experiment.Run, string) (*plot.Figure, error)
	}{{"pruning", pruningFigure}, {"training", trainingFigure}} {
		f, err := figure.draw(others, title)
		if err != nil {
			return nil, err
		}
		if f != nil {
			drawings = append(drawings, named{figure.name, f})
		}
	}
	if len(searches) > 0 {
		found, err := searchDrawings(searches, cmp.Or(given, "search on "+titleOf(searches[0].Config.Data.Name)))
		if err != nil {
			return nil, err
		}
		drawings = append(drawings, found...)
	}
	var files []string
	for _, d := range drawings {
		for _, ext := range []string{".png", ".svg"} {
			path := filepath.Join(dir, d.name+ext)
			if err := d.Save(path); err != nil {
				return nil, err
			}
			files = append(files, path)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("none of the %d runs has anything to draw yet", len(runs))
	}
	return files, nil
}

// sameData reports whether two settings of data mean the same images, wherever they are.
func sameData(a, b experiment.Data) bool {
	a.Dir, a.Test = b.Dir, b.Test
	return a == b
}

// titleOf is a data set's name as people write it.
func titleOf(data string) string {
	if k, err := datasets.Lookup(data); err == nil {
		return k.Title
	}
	return data
}

// trainingFigure draws the epochs of every training run, or nothing if there are none.
func trainingFigure(runs []experiment.Run, title string) (*plot.Figure, error) {
	runs = slices.DeleteFunc(slices.Clone(runs), func(r experiment.Run) bool {
		return !r.Dense() || len(r.Trainings[0].Records.Rows) == 0
	})
	return curves(runs, curveNames(runs), title, trainingColumns)
}

// curveNames tell runs apart by as little as they need: a single one by nothing, then their seeds, their names, both, or
// all of their directories.
func curveNames(runs []experiment.Run) []string {
	for _, name := range []func(c experiment.Config) string{
		func(c experiment.Config) string { return "" },
		func(c experiment.Config) string { return fmt.Sprintf("seed %d", c.Seed) },
		func(c experiment.Config) string { return c.Name },
		func(c experiment.Config) string { return fmt.Sprintf("%s, seed %d", c.Name, c.Seed) },
	} {
		var names []string
		for _, r := range runs {
			if n := name(r.Config); !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		if len(names) == len(runs) {
			return names
		}
	}
	var names []string
	for _, r := range runs {
		names = append(names, filepath.ToSlash(r.Path))
	}
	return names
}

// pruningFigure draws the pruned networks, a curve for each way of pruning, or nothing if none was tested.
func pruningFigure(runs []experiment.Run, title string) (*plot.Figure, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	g, err := study.Gather(title, runs)
	if err != nil {
		return nil, err
	}
	return g.Accuracy(title, g.Points(g.Records))
}
