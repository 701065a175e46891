package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"espalier/experiment"
	"espalier/prune"
	"espalier/results"
)

func newPrune(a *app) *cobra.Command {
	var s settings
	var method, sparsity, seeds string
	c := &cobra.Command{
		Use:   "prune [RUN]",
		Short: "Prune a trained network, and fine-tune what is left",
		Long: `Removes convolution and linear weights from a trained network, at one sparsity after the other, each time from the dense
weights, and fine-tunes what is left; removed weights stay zero. RUN is the directory of a training run, of which only the
settings of prune can be changed; without it the settings describe the network, which is trained first if need be.

Methods: magnitude removes the weights of least absolute value, random removes any. The setting prune.budget says where:
global (one threshold over all layers), uniform (the same share of every layer), erk (more of wide layers). Biases and
batch norm are never pruned; the first and the last layer are.

Each pruned network gets a directory RUNS/NAME/HASH/seed-N/sparsity-S with mask.safetensors and model.safetensors; the
table is pruned.csv, in percent, test images read once for each network. Ctrl-C saves and stops; the same command goes on.`,
		Example: `  espalier prune runs/run/13db2d024762/seed-1 --method magnitude --sparsity 0.5,0.8,0.9
  espalier prune --method random --set prune.epochs=2 --set data.name=synthetic --set model.name=resnet8
  espalier plot runs/run`,
		GroupID: "do",
		Args:    atMost(1, "one run directory at most"),
		RunE: func(c *cobra.Command, args []string) error {
			if method != "" {
				s.set = append(s.set, "prune.method="+method)
			}
			if sparsity != "" {
				s.set = append(s.set, "prune.sparsity="+sparsity)
			}
			if len(args) == 1 {
				if s.file != "" {
					return usageError{fmt.Errorf("both RUN and --config say what to prune; give one")}
				}
				s.file = filepath.Join(args[0], experiment.ConfigFile)
			}
			configs, err := s.each(seeds)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				if a.runs, err = rootOf(args[0], configs[0]); err != nil {
					return err
				}
			}
			if configs[0].Prune.Method == "none" {
				return usageError{fmt.Errorf("--method is missing; there are %s", strings.Join(prune.Names(), ", "))}
			}
			if s.dryRun {
				return a.dryRun(configs...)
			}
			return a.prune(c.Context(), configs)
		},
	}
	s.addTo(c)
	c.Flags().StringVarP(&method, "method", "m", "", "how weights are chosen: "+strings.Join(prune.Names(), ", ")+" (the setting prune.method)")
	c.Flags().StringVar(&sparsity, "sparsity", "", "shares that are removed, as 0.5,0.9 (the setting prune.sparsity)")
	c.Flags().StringVar(&seeds, "seeds", "", "prune once for each of these seeds, as 1,2,3 (default: the setting seed)")
	return c
}

// prune prunes by each configuration and says what came of it.
func (a *app) prune(ctx context.Context, configs []experiment.Config) error {
	for _, cfg := range configs {
		a.say("%s pruning of %s on %s, seed %d, in %s", cfg.Prune.Method, cfg.Model.Name, cfg.Data.Name, cfg.Seed, cfg.Dir(a.runs))
		r, err := a.lab().Prune(ctx, cfg)
		if err != nil {
			return err
		}
		if err := a.printPruned(r); err != nil {
			return err
		}
	}
	return nil
}

// rootOf is the directory of all runs that a training run's directory is below, if it is where that of the configuration
// would be. What is pruned is then the network in it, not one that is trained elsewhere.
func rootOf(dir string, cfg experiment.Config) (string, error) {
	recipe := filepath.Dir(filepath.Clean(dir)) // root/name/hash, above the seeds
	root := filepath.Dir(filepath.Dir(recipe))
	if want := filepath.Dir(cfg.Dense().Dir(root)); recipe != want {
		return "", usageError{fmt.Errorf("%s is not the directory of a dense training with these settings, which would be below %s", dir, want)}
	}
	return root, nil
}

// printPruned is the table of a pruning run.
func (a *app) printPruned(r experiment.Run) error {
	if a.json {
		return a.printJSON(r)
	}
	t := results.NewTable("removed", "weights left", "val before tuning", "val after", "test after")
	for _, p := range r.Pruned {
		t.Add(percent(p.Sparsity), strconv.Itoa(p.Kept), p.OneShot.String(), p.ValAcc.String(), p.TestAcc.String())
	}
	if err := t.Write(a.stdout, results.Text); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "in %s\n", r.Path)
	return err
}
