package main

import (
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"espalier/internal/bench"
)

func newBenchSearch(a *app) *cobra.Command {
	var names string
	var rounds, threads int
	c := &cobra.Command{
		Use:   "search",
		Short: "Time a step of each search method beside a plain step (about 6 minutes)",
		Long: `Times whole steps of search methods in DARTS' space (16 channels, 8 cells, 64 synthetic images of 32x32 in a batch),
loading included, in turn with a plain step on the same supernet, which is that of "bench supernet": one pass with the
gradients at all weights and at α, and SGD. Names that end in -all compute all gradients in every pass; the others leave
out what the method does not ask for. A figure is the median over rounds, after one that does not count; "of plain" is the
median of the ratios within the rounds. gdas draws an architecture for each step and takes three steps in a round.`,
		Example: `  espalier bench search
  espalier bench search --names '^(darts-1|gdas)$' --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(_ *cobra.Command, _ []string) error {
			re, err := regexp.Compile(names)
			if err != nil {
				return usageError{fmt.Errorf("--names: %w", err)}
			}
			setThreads(threads)
			s, err := bench.NewSearches(bench.SupernetCases()[0], re)
			if err != nil {
				return err
			}
			defer s.Close()
			rows, err := s.Measure(rounds, time.Now)
			if err != nil {
				return err
			}
			return bench.SearchTable(a.stdout, a.json, rows)
		},
	}
	c.Flags().StringVar(&names, "names", "", "regular expression that a row's name must contain (default: every row)")
	c.Flags().IntVar(&rounds, "rounds", 9, "timed rounds")
	addThreads(c, &threads)
	return c
}
