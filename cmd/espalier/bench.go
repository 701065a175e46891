package main

import (
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"espalier/internal/bench"
	"espalier/internal/kernels"
)

func newBench(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:     "bench",
		Short:   "Measure the engine on this machine",
		Long:    "Measures the engine on this machine: single kernels beside the processor's own limit, training steps, steps of a search\nand of methods that learn a mask.",
		GroupID: "machine",
	}, newBenchKernels(a), newBenchTrain(a), newBenchSupernet(a), newBenchSearch(a), newBenchPrune(a))
}

func newBenchKernels(a *app) *cobra.Command {
	var names string
	var rounds, threads int
	var serve, scaling bool
	c := &cobra.Command{
		Use:   "kernels",
		Short: "Time every kernel beside the machine's peak (under 4 minutes)",
		Long: `Times every kernel in each direction: forward, data (the gradient at the input), weights. Beside each stands the machine's
own peak, a loop of multiply-adds on registers, measured in turn with it on the same threads, and the kernel's share of
it. (The loop has 24 independent sums with AVX-512, 14 with AVX2 and 12 in plain Go, whose registers hold no more; ten
keep a core busy.) Pointwise convolutions have a copy loop of equal footprint beside them. The command fails if a kernel
seems to exceed the peak by 2 %, three times in a row: another program on the machine can slow the loop alone.

Names: [s2]conv3x3[d2]_IC_OC_H, stem…, conv1x1…, [s2]dw5x5[d2]_C_H; s2 is stride 2, d2 dilation 2, H the input's height.
Dense 3x3 rows have 128 images, others 64. The instruction set is the best that the processor has;
ESPALIER_KERNELS=avx512, avx2 or go chooses another.`,
		Example: `  espalier bench kernels
  espalier bench kernels --names '^(s2)?dw' --json
  ESPALIER_KERNELS=avx2 espalier bench kernels --names conv3x3`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			re, err := regexp.Compile(names)
			if err != nil {
				return usageError{fmt.Errorf("--names: %w", err)}
			}
			setThreads(threads)
			if serve {
				return bench.ServeKernels(c.InOrStdin(), a.stdout, time.Now)
			}
			emit := bench.KernelTable(a.stdout, a.json)
			return bench.Kernels(bench.KernelOptions{Names: re, Rounds: rounds, Scaling: scaling}, time.Now, func(r bench.KernelRow) error {
				if err := c.Context().Err(); err != nil {
					return err
				}
				return emit(r)
			})
		},
	}
	c.Flags().StringVar(&names, "names", "", "regular expression that a kernel's name must contain (default: every kernel)")
	c.Flags().IntVar(&rounds, "rounds", 9, "timed rounds of each figure, at least 7")
	c.Flags().BoolVar(&scaling, "scaling", false, "time one thread too, in turn: what all threads gain, and what the peak loop gains")
	c.Flags().BoolVar(&serve, "serve", false, "answer each line 'NAME DIRECTION' of the input by one timed round, for a driver")
	addThreads(c, &threads)
	return c
}

// addThreads puts --threads on a command.
func addThreads(c *cobra.Command, threads *int) {
	c.Flags().IntVar(threads, "threads", 0, "threads; results do not depend on them (default: the cores that the process may use)")
}

func setThreads(n int) {
	if n > 0 {
		kernels.SetThreads(n)
	}
}
