package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"espalier/experiment"
)

func newLs(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "ls [DIR]",
		Short: "List runs: where they are, how far, and what they reached",
		Long: `Lists every run below the run directory, or below DIR: its directory, model and data, whether it is complete, and its
test accuracy in percent; of a pruning run, the accuracy at each sparsity that is complete.

With --json, one object a line: path, config (the settings that differ from their defaults), status, outcome, pruned.`,
		Example: `  espalier ls
  espalier ls runs/quickstart
  espalier ls --json | jq .outcome.test_acc`,
		GroupID: "look",
		Args:    atMost(1, "one directory at most"),
		RunE: func(_ *cobra.Command, args []string) error {
			runs, err := experiment.Find(argOr(args, a.runs))
			if err != nil {
				return err
			}
			if a.json {
				for _, r := range runs {
					if err := a.printJSON(r); err != nil {
						return err
					}
				}
				return nil
			}
			if len(runs) == 0 {
				a.say("no runs below %s; 'espalier quickstart' makes some", argOr(args, a.runs))
				return nil
			}
			w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "RUN\tMODEL\tDATA\tPRUNING\tSTATUS\tTEST ACCURACY")
			for _, r := range runs {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", filepath.ToSlash(r.Path), r.Config.Model.Name, r.Config.Data.Name,
					r.Config.Prune.Method, status(r), accuracy(r))
			}
			return w.Flush()
		},
	}
}

// status is a run's status in a word; a run that never began has none.
func status(r experiment.Run) string {
	if r.Complete() {
		return "complete"
	}
	if r.Status == "" {
		return "not begun"
	}
	return string(r.Status)
}

// accuracy is what a run reached, as text.
func accuracy(r experiment.Run) string {
	if r.Outcome != nil {
		return fmt.Sprintf("%.2f %%", r.Outcome.TestAcc)
	}
	var parts []string
	for _, p := range r.Pruned {
		parts = append(parts, fmt.Sprintf("%.2f %% at %s", p.TestAcc, percent(p.Sparsity)))
	}
	return strings.Join(parts, ", ")
}

// percent writes a share as people do: 0.9 as "90 %".
func percent(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }

func argOr(args []string, otherwise string) string {
	if len(args) > 0 {
		return args[0]
	}
	return otherwise
}
