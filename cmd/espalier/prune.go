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
	var list bool
	c := &cobra.Command{
		Use:   "prune [RUN]",
		Short: "Prune a trained network, and fine-tune what is left",
		Long: `Removes convolution and linear weights from a network, at one sparsity after the other, each time anew, and trains what
is left; removed weights stay zero. RUN is the directory of a training run; without it the settings describe the network,
which is trained first if that has not been done.

--list names the methods. Most prune the trained network and fine-tune it (prune.epochs, prune.lr); those that learn their
mask train it before that (prune.masking); those for initialisation prune the initial weights and train what is left as
the dense network was trained, for prune.epochs more. Each method has settings of its own, such as bip.gamma. Biases and
batch norm are never pruned. The setting prune.budget says where weights go: global (one threshold over all layers),
uniform (the same share of every layer), erk (more of wide layers); a mask that would empty a layer is refused.

Each pruned network gets a directory RUNS/NAME/HASH/seed-N/sparsity-S with mask.safetensors and model.safetensors; the
table is pruned.csv, in percent, test images read once for each network. Ctrl-C saves and stops; the same command goes on.`,
		Example: `  espalier prune runs/run/13db2d024762/seed-1 --method magnitude --sparsity 0.5,0.8,0.9
  espalier prune runs/run/13db2d024762/seed-1 --method bip --sparsity 0.9 --set bip.gamma=1e4 --set bip.ridge=1e-4
  espalier prune --list
  espalier prune --method random --set prune.epochs=2 --set data.name=synthetic --set model.name=resnet8
  espalier plot runs/run`,
		GroupID: "do",
		Args:    atMost(1, "one run directory at most"),
		RunE: func(c *cobra.Command, args []string) error {
			if list {
				return a.listMethods()
			}
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
				return usageError{fmt.Errorf("--method is missing; there are %s", methodNames())}
			}
			if s.dryRun {
				return a.dryRun(configs...)
			}
			return a.prune(c.Context(), configs)
		},
	}
	s.addTo(c)
	c.Flags().StringVarP(&method, "method", "m", "", "how weights are chosen: "+methodNames()+" (the setting prune.method)")
	c.Flags().StringVar(&sparsity, "sparsity", "", "shares that are removed, as 0.5,0.9 (the setting prune.sparsity)")
	c.Flags().BoolVarP(&list, "list", "l", false, "list the methods and their settings, and do nothing")
	c.Flags().StringVar(&seeds, "seeds", "", "prune once for each of these seeds, as 1,2,3 (default: the setting seed)")
	return c
}

// prune prunes by each configuration and says what came of it.
func (a *app) prune(ctx context.Context, configs []experiment.Config) error {
	for _, cfg := range configs {
		a.say("%s pruning of %s on %s, seed %d, in %s", cfg.Prune.Method, cfg.Network(), cfg.Data.Name, cfg.Seed, cfg.Dir(a.runs))
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

// listMethods prints the table of methods with their settings.
func (a *app) listMethods() error {
	for _, e := range prune.Methods() {
		if a.json {
			if err := a.printJSON(map[string]any{"name": e.Name, "summary": e.Summary, "source": e.Source, "weights": e.Weights.String(), "settings": e.Settings()}); err != nil {
				return err
			}
			continue
		}
		source := ""
		if e.Source != "" {
			source = " (" + e.Source + ")"
		}
		fmt.Fprintf(a.stdout, "%s: %s; prunes %s weights%s\n", e.Name, e.Summary, e.Weights, source)
		for _, s := range e.Settings() {
			fmt.Fprintf(a.stdout, "  %-22s %-14s %s\n", e.Name+"."+s.Name, s.Default, s.Help)
		}
	}
	return nil
}

// methodNames lists the pruning methods.
func methodNames() string {
	var names []string
	for _, e := range prune.Methods() {
		names = append(names, e.Name)
	}
	return strings.Join(names, ", ")
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
