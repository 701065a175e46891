package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"espalier/experiment"
	"espalier/results"
	"espalier/train"
)

func newLs(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "ls [DIR]",
		Short: "List runs: where they are, how far, and what they reached",
		Long: `Lists every run below the run directory, or below DIR: its directory, model, data and way of pruning; its state; how
many epochs are done, of how many, and the time that they took; accuracy on validation and test images in percent. Below a
pruning run stands each network that has begun, with the share of weights that was removed.

States: running (a process works on it), interrupted (the same command goes on with it), failed (the reason stands below
the table; the same command tries again), finished.

With --json, one object a line: path, status, error, epochs_done, epochs, seconds, config (every setting), and outcome or,
of a pruning run, pruned, a list of networks.`,
		Example: `  espalier ls
  espalier ls runs/quickstart
  espalier ls --json | jq .outcome.test_acc`,
		GroupID: "look",
		Args:    atMost(1, "one directory at most"),
		RunE: func(_ *cobra.Command, args []string) error {
			root := a.runs
			if len(args) > 0 {
				root = args[0]
			}
			runs, unreadable := experiment.Find(root)
			if len(runs) == 0 && unreadable == nil {
				a.say("no runs below %s; 'espalier quickstart' makes some", root)
				return nil
			}
			if err := a.list(runs); err != nil {
				return err
			}
			return unreadable
		},
	}
}

// list prints runs.
func (a *app) list(runs []experiment.Run) error {
	if a.json {
		for _, r := range runs {
			if err := a.printJSON(r); err != nil {
				return err
			}
		}
		return nil
	}
	if err := runTable(runs).Write(a.stdout, results.Text); err != nil {
		return err
	}
	for _, r := range runs {
		if r.Status == train.Failed {
			fmt.Fprintf(a.stdout, "%s failed: %s\n", filepath.ToSlash(r.Path), r.Error)
		}
	}
	return nil
}

// runTable has a row for each run, and one for each network of a pruning run that has begun.
func runTable(runs []experiment.Run) *results.Table {
	t := results.NewTable("run", "model", "data", "method", "removed", "state", "epochs", "time", "val", "test")
	for _, r := range runs {
		c := r.Config
		row := func(path, removed string, state train.Status, done, total int, seconds float64, val, test string) {
			t.Add(filepath.ToSlash(path), c.Network(), c.Data.Name, c.Prune.Method, removed, string(state),
				fmt.Sprintf("%d/%d", done, total), results.Duration(seconds), val, test)
		}
		done, total := r.Epochs()
		if r.Searching() {
			t.Add(filepath.ToSlash(r.Path), c.SpaceName(), c.Data.Name, c.Search.Method, "", string(r.Status),
				fmt.Sprintf("%d/%d", done, total), results.Duration(r.Seconds()), soFar(r.Trainings[0]).String(), results.NotMeasured().String())
			continue
		}
		if !r.Dense() {
			row(r.Path, "", r.Status, done, total, r.Seconds(), "", "")
			for i, s := range c.Prune.Sparsity {
				if n, ok := networkOf(r, i); ok {
					row(n.path, percent(s), n.state, n.epochs, c.Prune.Epochs, n.seconds, n.val.String(), n.test.String())
				}
			}
			continue
		}
		val, test := soFar(r.Trainings[0]), results.NotMeasured()
		if r.Outcome != nil {
			val, test = r.Outcome.ValAcc, r.Outcome.TestAcc
		}
		row(r.Path, "", r.Status, done, total, r.Seconds(), val.String(), test.String())
	}
	return t
}

// network is one pruned network of a run, as a row shows it.
type network struct {
	path      string
	state     train.Status
	epochs    int
	seconds   float64
	val, test results.Percent
}

// networkOf is the network of a pruning run's sparsity i, if it has begun.
func networkOf(r experiment.Run, i int) (network, bool) {
	t := r.Trainings[i]
	n := network{path: t.Path, epochs: t.Account.Epoch, seconds: t.Seconds, val: soFar(t), test: results.NotMeasured()}
	if p, ok := r.At(r.Config.Prune.Sparsity[i]); ok {
		n.state, n.val, n.test = train.Finished, p.ValAcc, p.TestAcc
		return n, true
	}
	n.state = t.Account.Status
	if n.state == train.Finished {
		n.state = r.Status // its epochs are done, its evaluation is not
	}
	return n, n.state != ""
}

// soFar is the validation accuracy of a training's best epoch until now.
func soFar(t results.Training) results.Percent { return results.Percent(t.At("val_accuracy")) }

// percent writes a share as people do: 0.9 as "90 %".
func percent(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }
