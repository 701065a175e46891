package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"espalier/internal/bench"
)

func newBenchTrain(a *app) *cobra.Command {
	var model string
	var batch, rounds, threads int
	var layers, loading, serve bool
	c := &cobra.Command{
		Use:   "train",
		Short: "Time whole training steps of a network",
		Long: `Times whole training steps on 32x32x3 images of 10 classes: forward with batch statistics, cross-entropy, backward, SGD
with momentum and weight decay; the step that training runs. The batch is random and fixed. The figure is the median of
the rounds, after two that do not count.

With --serve it takes one step for each line of its input and answers with its milliseconds, so that another program can
be timed in turn with it (bench/peers/pair.py).`,
		Example: `  espalier bench train --model resnet20 --batch 128
  espalier bench train --model resnet18 --batch 64 --json
  espalier bench train --model DARTS_V2 --batch 96
  espalier bench train --layers`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			setThreads(threads)
			s, err := bench.NewStep(model, batch)
			if err != nil {
				return usageError{err}
			}
			if serve {
				return serveSteps(c, a, s)
			}
			row, err := s.Measure(rounds, time.Now)
			if err != nil {
				return err
			}
			if err := bench.StepTable(a.stdout, a.json, row); err != nil {
				return err
			}
			if loading {
				row, err := s.Loading(rounds, time.Now)
				if err != nil {
					return err
				}
				if err := bench.LoadingTable(a.stdout, a.json, row); err != nil {
					return err
				}
			}
			if layers {
				rows, err := s.Layers(rounds, time.Now)
				if err != nil {
					return err
				}
				return bench.LayerTable(a.stdout, a.json, rows)
			}
			return nil
		},
	}
	c.Flags().StringVar(&model, "model", "resnet20", "network: a name that 'espalier train --help' lists, or a published genotype such as DARTS_V2 (16 channels, 8 cells)")
	c.Flags().IntVar(&batch, "batch", 128, "images of a step")
	c.Flags().IntVar(&rounds, "rounds", 15, "timed steps")
	c.Flags().BoolVar(&layers, "layers", false, "also show where the time goes, by kind of layer")
	c.Flags().BoolVar(&loading, "loading", false, "also time steps that take augmented images from a loader, in turn with the others")
	c.Flags().BoolVar(&serve, "serve", false, "take a step for each line of the input")
	addThreads(c, &threads)
	return c
}

// serveSteps answers lines with timed steps until the input ends.
func serveSteps(c *cobra.Command, a *app, s *bench.Step) error {
	about, err := s.Measure(3, time.Now)
	if err != nil {
		return err
	}
	if err := bench.StepTable(a.stdout, true, about); err != nil {
		return err
	}
	answer := json.NewEncoder(a.stdout)
	for in := bufio.NewScanner(c.InOrStdin()); in.Scan(); {
		start := time.Now()
		if err := s.Run(); err != nil {
			return err
		}
		ms := float64(time.Since(start).Nanoseconds()) / 1e6
		if err := answer.Encode(map[string]float64{"ms": ms}); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
	return nil
}
