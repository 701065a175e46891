package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"espalier/datasets"
	"espalier/experiment"
	"espalier/internal/atomicfile"
	"espalier/internal/kernels"
	"espalier/results"
)

// quickMethods are the ways of pruning that the quickstart compares.
var quickMethods = []string{"bip", "magnitude", "random"}

func newQuickstart(a *app) *cobra.Command {
	var s settings
	var data string
	var search bool
	c := &cobra.Command{
		Use:   "quickstart",
		Short: "Train a small network, prune it, and see what it costs: one minute, nothing to prepare",
		Long: `Trains a small ResNet and prunes it at five sparsities in three ways: by BiP, which trains mask and weights as two
levels of one problem, by global magnitude, and at random. Each pruned network is fine-tuned briefly, all for the same
number of epochs, those of BiP's mask among them. Writes below RUNS/quickstart a table, two figures (PNG and SVG) and
every model and mask. Accuracies are in percent of the test images; of pruning, the share of convolution and linear
weights that was removed is given.

The images are CIFAR-10 where it is found ('espalier data list' says where it is looked for), else a synthetic set that
is made on the spot. On a processor without vector kernels the network and the data are smaller.

With --search it searches an architecture instead: a cell of NAS-Bench-201's space by RARTS, and trains a network of the
cell that is found; settings apply to both. Beside the table stand a drawing of the cell and figures of the search.

What is complete is not repeated; Ctrl-C saves and stops, and the same command goes on. Settings may be changed, each
other combination being a run of its own.`,
		Example: `  espalier quickstart
  espalier quickstart --data synthetic
  espalier quickstart --search
  espalier quickstart --set train.epochs=10 --set prune.epochs=2`,
		GroupID: "do",
		Args:    exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			slow := kernels.ISA() == "go"
			set, why := quickData(data)
			if search {
				cfg, err := s.over(experiment.QuickSearch(set, slow))
				if err != nil {
					return err
				}
				if s.dryRun {
					return a.dryRun(cfg)
				}
				a.quickIntro(cfg, why, slow)
				return a.quickSearch(c.Context(), cfg, func(genotype string) (experiment.Config, error) {
					cell, err := s.over(experiment.QuickCell(set, genotype, slow))
					return cell.Dense(), err
				})
			}
			var configs []experiment.Config
			for _, method := range quickMethods {
				cfg, err := s.over(experiment.Quickstart(set, method, slow))
				if err != nil {
					return err
				}
				configs = append(configs, cfg)
			}
			if s.dryRun {
				return a.dryRun(configs...)
			}
			a.quickIntro(configs[0], why, slow)
			return a.quickstart(c.Context(), configs)
		},
	}
	s.addTo(c)
	c.Flags().BoolVar(&search, "search", false, "search an architecture and train it, instead of pruning")
	c.Flags().StringVar(&data, "data", "", "cifar10 or synthetic (default: cifar10 if it is found, else synthetic)")
	return c
}

// quickIntro says what there is to work with.
func (a *app) quickIntro(c experiment.Config, why string, slow bool) {
	a.say("Data: %s%s.", titleOf(c.Data.Name), why)
	a.say("Engine: %s kernels on %d threads.", kernels.ISA(), kernels.Threads())
	if slow {
		a.say("Without vector kernels the network and the data are smaller.")
	}
}

// quickData is the data set that was asked for, or else CIFAR-10 where it is found; if it is not, why says so.
func quickData(asked string) (name, why string) {
	if asked != "" {
		return asked, ", as asked"
	}
	for _, l := range datasets.List(places().Roots()) {
		if l.Name == "cifar10" && l.Found != "" {
			return l.Name, ", found in " + l.Found
		}
	}
	return "synthetic", ", made on the spot (CIFAR-10 is not here; 'espalier data fetch cifar10' gets it)"
}

// quickstart runs the configurations, which differ in their method alone, and reports.
func (a *app) quickstart(ctx context.Context, configs []experiment.Config) error {
	began := time.Now()
	lab := a.lab()
	cfg := configs[0]
	a.say("\nTraining %s for %d epochs.", cfg.Network(), cfg.Train.Epochs)
	dense, err := lab.Train(ctx, cfg)
	if err != nil {
		return err
	}
	a.say("The dense network gets %v of %d test images right.", dense.Outcome.TestAcc, dense.Outcome.TestCount)
	runs := []experiment.Run{dense}
	for _, cfg := range configs {
		a.say("\n%s", quickStage(cfg))
		r, err := lab.Prune(ctx, cfg)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	if a.json {
		if err := a.list(runs); err != nil {
			return err
		}
	}
	return a.quickReport(runs, time.Since(began))
}

// quickStage says what comes next.
func quickStage(c experiment.Config) string {
	parts := []string{fmt.Sprintf("Pruning it at %d sparsities by %s", len(c.Prune.Sparsity), c.Prune.Method)}
	of := func(n int, what string) {
		switch {
		case n == 1:
			parts = append(parts, what+" for an epoch")
		case n > 1:
			parts = append(parts, fmt.Sprintf("%s for %d epochs", what, n))
		}
	}
	if all := c.Epochs() / len(c.Prune.Sparsity); all > c.Prune.Epochs {
		of(all-c.Prune.Epochs, "training each mask")
	}
	of(c.Prune.Epochs, "fine-tuning each")
	return strings.Join(parts, ", ") + "."
}

// quickReport writes the table and the figures, and says what there is to look at.
func (a *app) quickReport(runs []experiment.Run, took time.Duration) error {
	dense := runs[0]
	dir := filepath.Join(a.runs, dense.Config.Name)
	table := quickTable(runs).String()
	file := filepath.Join(dir, "table.txt")
	if err := atomicfile.WriteBytes(file, []byte(table)); err != nil {
		return fmt.Errorf("quickstart: %w", err)
	}
	files, err := drawRuns(runs, dir, "")
	if err != nil {
		return err
	}
	if a.json {
		return a.printFiles(append(files, file))
	}
	a.say("")
	fmt.Fprintf(a.stdout, "%s\nTest accuracy on %d images, one run each: a point or two between neighbours means little.\n", table, dense.Outcome.TestCount)
	a.say("Done in %v.", took.Round(time.Second))
	sparsities := runs[1].Config.Prune.Sparsity
	network := filepath.Join(runs[1].Path, experiment.StageName(sparsities[len(sparsities)/2]))
	a.hints("Look at", [][2]string{
		{filepath.Join(dir, "pruning.png"), "accuracy against the weights that remain"},
		{filepath.Join(dir, "training.png"), "loss and accuracy of the dense training; both figures are there as .svg too"},
		{file, "the table above"},
	})
	a.hints("Go on with", [][2]string{
		{program() + " ls " + dir, "every network: where it is, what it took, what it reached"},
		{program() + " eval " + network, "evaluate one of them again"},
		{program() + " train --help", "train what you like"},
	})
	return nil
}

// hints prints things to look at or to do, and in a second column what for.
func (a *app) hints(heading string, rows [][2]string) {
	width := 0
	for _, r := range rows {
		width = max(width, len(r[0]))
	}
	fmt.Fprintf(a.stdout, "\n%s\n", heading)
	for _, r := range rows {
		fmt.Fprintf(a.stdout, "  %-*s   %s\n", width, r[0], r[1])
	}
}

// program is how the running program was called.
func program() string {
	if strings.Contains(filepath.ToSlash(os.Args[0]), "/go-build") {
		return "go run ./cmd/espalier"
	}
	return "espalier"
}

// quickTable compares the methods, a row for each sparsity.
func quickTable(runs []experiment.Run) *results.Table {
	dense, pruned := runs[0], runs[1:]
	columns := []string{"removed", "weights left"}
	first := []string{percent(0), strconv.Itoa(pruned[0].Pruned[0].Total)}
	for _, r := range pruned {
		columns = append(columns, r.Config.Prune.Method)
		first = append(first, dense.Outcome.TestAcc.String())
	}
	t := results.NewTable(columns...)
	t.Add(first...)
	for i, p := range pruned[0].Pruned {
		row := []string{percent(p.Sparsity), strconv.Itoa(p.Kept)}
		for _, r := range pruned {
			row = append(row, r.Pruned[i].TestAcc.String())
		}
		t.Add(row...)
	}
	return t
}
