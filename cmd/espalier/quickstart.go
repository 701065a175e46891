package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"espalier/datasets"
	"espalier/experiment"
	"espalier/internal/atomicfile"
	"espalier/internal/kernels"
)

// quickMethods are the ways of pruning that the quickstart compares.
var quickMethods = []string{"magnitude", "random"}

func newQuickstart(a *app) *cobra.Command {
	var s settings
	var data string
	c := &cobra.Command{
		Use:   "quickstart",
		Short: "Train a small network, prune it, and see what it costs: one minute, nothing to prepare",
		Long: `Trains a small ResNet, prunes it at five sparsities by global magnitude and at random, fine-tunes each pruned network
briefly, and writes below RUNS/quickstart a table, two figures (PNG and SVG) and every model and mask.

The images are CIFAR-10 where it is found ('espalier data list' says where it is looked for), else a synthetic set that
is made on the spot. On a processor without vector kernels the network and the data are smaller.

What is complete is not repeated; Ctrl-C saves and stops, and the same command goes on. Settings may be changed, each
other combination being a run of its own.`,
		Example: `  espalier quickstart
  espalier quickstart --data synthetic
  espalier quickstart --set train.epochs=10 --set prune.epochs=2`,
		GroupID: "do",
		Args:    exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			slow := kernels.ISA() == "go"
			set := data
			if set == "" {
				set = "synthetic"
				if slices.ContainsFunc(datasets.List(places().Roots()), func(l datasets.Listing) bool { return l.Name == "cifar10" && l.Found != "" }) {
					set = "cifar10"
				}
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
			return a.quickstart(c.Context(), configs, slow)
		},
	}
	s.addTo(c)
	c.Flags().StringVar(&data, "data", "", "cifar10 or synthetic (default: cifar10 if it is found)")
	return c
}

// quickstart runs the configurations, which differ in their method alone, and reports.
func (a *app) quickstart(ctx context.Context, configs []experiment.Config, slow bool) error {
	began := time.Now()
	cfg := configs[0]
	if cfg.Data.Name == "synthetic" {
		a.say("CIFAR-10 was not asked for or not found ('espalier data fetch cifar10' gets it): using synthetic images.")
	} else {
		a.say("Using %s.", cfg.Data.Name)
	}
	if slow {
		a.say("No vector kernels for this processor: using a smaller network and less data.")
	}
	a.say("Kernels %s, %d threads. Training %s, then pruning it at %d sparsities by %s.", kernels.ISA(), kernels.Threads(),
		cfg.Model.Name, len(cfg.Prune.Sparsity), strings.Join(quickMethods, " and by "))
	lab := a.lab()
	dense, err := lab.Train(ctx, cfg)
	if err != nil {
		return err
	}
	a.say("Dense network: %.2f %% of %d test images.", dense.Outcome.TestAcc, dense.Outcome.TestCount)
	runs := []experiment.Run{dense}
	for _, cfg := range configs {
		r, err := lab.Prune(ctx, cfg)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	if a.json {
		for _, r := range runs {
			if err := a.printJSON(r); err != nil {
				return err
			}
		}
	}
	return a.quickReport(runs, time.Since(began))
}

// quickReport writes the table and the figures, and says what there is to look at.
func (a *app) quickReport(runs []experiment.Run, took time.Duration) error {
	dense := runs[0]
	dir := filepath.Join(a.runs, dense.Config.Name)
	table := quickTable(runs)
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
	fmt.Fprintf(a.stdout, "\n%s\nTest accuracy on %d images, one run each: a point or two between neighbours means little.\n", table, dense.Outcome.TestCount)
	a.say("\nDone in %v.", took.Round(time.Second))
	fmt.Fprintf(a.stdout, `
Look at
  %s   accuracy against the weights that remain (and .svg)
  %s   how the dense training went
  %s   this table
  %s   the dense model; its pruned children are in sparsity-… beside
Go on with
  espalier ls %s
  espalier eval %s
  espalier train --help
`, filepath.Join(dir, "pruning.png"), filepath.Join(dir, "training.png"), file, dense.Model(), dir,
		filepath.Join(runs[1].Path, experiment.StageName(runs[1].Pruned[0].Sparsity)))
	return nil
}

// quickTable compares the methods, a row for each sparsity.
func quickTable(runs []experiment.Run) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "removed\tweights left\t")
	for _, r := range runs[1:] {
		fmt.Fprintf(w, "%s\t", r.Config.Prune.Method)
	}
	total := runs[1].Pruned[0].Total
	fmt.Fprintf(w, "\n%s\t%d\t", percent(0), total)
	for range runs[1:] {
		fmt.Fprintf(w, "%s\t", points(runs[0].Outcome.TestAcc))
	}
	for i, row := range runs[1].Pruned {
		fmt.Fprintf(w, "\n%s\t%d\t", percent(row.Sparsity), row.Kept)
		for _, r := range runs[1:] {
			fmt.Fprintf(w, "%s\t", points(r.Pruned[i].TestAcc))
		}
	}
	fmt.Fprintln(w)
	w.Flush() // into memory
	return b.String()
}
