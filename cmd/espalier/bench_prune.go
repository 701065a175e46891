package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"espalier/internal/bench"
)

func newBenchPrune(a *app) *cobra.Command {
	var rounds, threads int
	c := &cobra.Command{
		Use:   "prune",
		Short: "Time a step of each method that learns a mask beside a plain step (under a minute)",
		Long: `Times whole steps of the pruning methods that learn a mask (ResNet-20, 128 synthetic images in a batch, a tenth of the
weights kept), loading included, in turn with a plain training step: bip-1 and bip-3 move the weights once and three times
for each move of the scores. "of plain" is the median of the ratios within the rounds. Below stands the time in which the
mask of the highest scores is found among as many as ResNet-18 has convolution and linear weights.`,
		Example: `  espalier bench prune
  espalier bench prune --rounds 21 --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(_ *cobra.Command, _ []string) error {
			if rounds < 1 {
				return usageError{fmt.Errorf("--rounds is %d, want at least 1", rounds)}
			}
			setThreads(threads)
			p, err := bench.NewPrune(rounds)
			if err != nil {
				return err
			}
			defer p.Close()
			steps, err := p.Measure(time.Now)
			if err != nil {
				return err
			}
			return bench.PruneTable(a.stdout, a.json, steps, bench.Top(rounds, time.Now))
		},
	}
	c.Flags().IntVar(&rounds, "rounds", 9, "timed rounds")
	addThreads(c, &threads)
	return c
}
