package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"espalier/experiment"
	"espalier/results"
)

func newTrain(a *app) *cobra.Command {
	var s settings
	var seeds, report, note string
	c := &cobra.Command{
		Use:   "train",
		Short: "Train a network",
		Long: `Trains the network that the settings describe ('espalier help settings' lists them all), evaluates it once on the test
images, and leaves everything in RUNS/NAME/HASH/seed-N: the settings, the log, the figures of each epoch, the last two
checkpoints and the best, the model (safetensors with PyTorch's names), and the outcome.

Ctrl-C finishes the step, saves and stops; the same command goes on from there and ends with the same bits as if it had
not been stopped. A run that is complete is not repeated.

With data.validation above 0 that many training images are held out, and the epoch that was best on them counts; else all
are trained on, and the last epoch counts. The test images never choose anything; data.test=false leaves them alone while
settings are being chosen.

With --genotype it trains the network of a genotype ('espalier help draw' says in which forms one is given); the settings
model.channels, model.cells, model.auxiliary and train.drop_path go with it. --preset darts has the settings with which
DARTS' cells are trained on CIFAR-10: 20 cells of 36 channels, 600 epochs; --config and --set change them.

With --report it then writes, for publishing, README.md (accuracy over the seeds, settings, machine, command), recipe.yaml
(the settings), summary.csv (seed,epochs,val_acc,test_acc,seconds; accuracies in percent) and the training curves. They
cover every finished run of these settings below --runs, whichever seeds this command asked for.`,
		Example: `  espalier train
  espalier train --set data.name=synthetic --set model.name=resnet8 --set train.epochs=5
  espalier train --set data.validation=5000 --set data.test=false --set train.lr=0.2 --set name=lr-0.2
  espalier train --config recipe.yaml --seeds 1,2 --report results/resnet20-cifar10
  espalier train --genotype DARTS_V2 --preset darts --set model.channels=16 --set model.cells=8 --set train.epochs=50
  espalier train --config recipe.yaml --dry-run`,
		GroupID: "do",
		Args:    exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			configs, err := s.each(seeds)
			if err != nil {
				return err
			}
			for i := range configs {
				if !configs[i].Made() {
					configs[i] = configs[i].Dense()
				}
			}
			if s.dryRun {
				return a.dryRun(configs...)
			}
			if err := a.train(c.Context(), configs); err != nil || report == "" {
				return err
			}
			files, err := a.report(configs[0], report, note)
			if err != nil {
				return err
			}
			return a.printFiles(files)
		},
	}
	s.addTo(c)
	c.Flags().StringVar(&s.genotype, "genotype", "", "train the network of this genotype: a name as DARTS_V2, a text, a file, or a search's directory")
	c.Flags().StringVar(&s.preset, "preset", "", "begin with the settings of this name instead of the defaults: "+strings.Join(experiment.Presets(), ", "))
	c.Flags().StringVar(&seeds, "seeds", "", "run once for each of these seeds, as 1,2,3 (default: the setting seed)")
	c.Flags().StringVar(&report, "report", "", "then write a page, the recipe, summary.csv and the training curves into this directory")
	c.Flags().StringVar(&note, "note", "", "a sentence for the page of --report: what a reader has to know about the data or the machine")
	return c
}

// train trains each configuration and says what came of it, and of all together.
func (a *app) train(ctx context.Context, configs []experiment.Config) error {
	var runs []experiment.Run
	for _, cfg := range configs {
		a.say("%s on %s, seed %d, in %s", cfg.Network(), cfg.Data.Name, cfg.Seed, cfg.Dir(a.runs))
		r, err := a.lab().Train(ctx, cfg)
		if err != nil {
			return err
		}
		runs = append(runs, r)
		if err := a.printOutcome(r); err != nil {
			return err
		}
	}
	if len(runs) > 1 && !a.json {
		fmt.Fprintln(a.stdout, accuracyOf(runs))
	}
	return nil
}

// each is the configuration of the flags, once for each of the seeds.
func (s *settings) each(seeds string) ([]experiment.Config, error) {
	return s.eachOver(experiment.Default(), seeds)
}

// eachOver is each with other defaults.
func (s *settings) eachOver(defaults experiment.Config, seeds string) ([]experiment.Config, error) {
	cfg, err := s.over(defaults)
	if err != nil || seeds == "" {
		return []experiment.Config{cfg}, err
	}
	var configs []experiment.Config
	for _, text := range strings.Split(seeds, ",") {
		seed, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, usageError{fmt.Errorf("--seeds %s: %q is not a whole number", seeds, text)}
		}
		cfg.Seed = seed
		configs = append(configs, cfg)
	}
	return configs, nil
}

// dryRun says what would be done, and where.
func (a *app) dryRun(configs ...experiment.Config) error {
	for _, cfg := range configs {
		if a.json {
			if err := a.printJSON(map[string]any{"dir": cfg.Dir(a.runs), "config": cfg}); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(a.stdout, "%s\n%s\n", cfg.Dir(a.runs), cfg.YAML()); err != nil {
			return err
		}
	}
	return nil
}

// printOutcome says what a dense training came to.
func (a *app) printOutcome(r experiment.Run) error {
	if a.json {
		return a.printJSON(r)
	}
	o := r.Outcome
	var parts []string
	if o.TestAcc.Measured() {
		parts = append(parts, fmt.Sprintf("test accuracy %v on %d images", o.TestAcc, o.TestCount))
	}
	if o.ValAcc.Measured() {
		parts = append(parts, fmt.Sprintf("validation accuracy %v after epoch %d, the best", o.ValAcc, o.BestEpoch))
	}
	parts = append(parts, fmt.Sprintf("%d parameters", o.Params), fmt.Sprintf("%d epochs in %s", o.Epochs, results.Duration(o.Seconds)))
	_, err := fmt.Fprintf(a.stdout, "%s\nin %s\n", strings.Join(parts, ", "), r.Path)
	return err
}
