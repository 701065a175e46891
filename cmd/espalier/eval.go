package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"espalier/experiment"
)

func newEval(a *app) *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use:   "eval MODEL",
		Short: "Evaluate a model on the test images",
		Long: `Evaluates a model file, or the model in a run's directory, on every test image once: accuracy in percent, mean loss in
nats, and the share of zeros among the convolution and linear weights.

The data set is that of the config.yaml beside the model, unless --config or --set says otherwise.`,
		Example: `  espalier eval runs/run/13db2d024762/seed-1
  espalier eval runs/quickstart/0123456789ab/seed-1/sparsity-0.9 --json
  espalier eval model.safetensors --set data.name=cifar10 --set data.dir=/data`,
		GroupID: "look",
		Args:    exactly(1, "one model file or run directory"),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := experiment.ConfigOf(args[0])
			if err != nil {
				return err
			}
			if cfg, err = s.over(cfg); err != nil {
				return err
			}
			if s.dryRun {
				return a.dryRun(cfg)
			}
			e, err := a.lab().Evaluate(c.Context(), args[0], cfg)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(e)
			}
			_, err = fmt.Fprintf(a.stdout, "test accuracy %v, loss %.4f nats, on %d images (%s)\n%d parameters; %d of %d weights are zero (%s)\n",
				e.Accuracy, e.Loss, e.Images, e.Data, e.Params, e.Zeros, e.Weights, percent(e.Sparsity))
			return err
		},
	}
	s.addTo(c)
	return c
}
