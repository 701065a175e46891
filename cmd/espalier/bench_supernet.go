package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"espalier/internal/bench"
	"espalier/internal/kernels"
)

func newBenchSupernet(a *app) *cobra.Command {
	var names, serve string
	var rounds, threads int
	c := &cobra.Command{
		Use:   "supernet",
		Short: "Time steps of an architecture search",
		Long: `Times steps of a search in DARTS' space, 16 channels, on 32x32x3 images of 10 classes: forward of all candidates with
batch statistics, cross-entropy, backward with the gradients at all weights and at α, SGD with momentum and weight decay.
The batch is random and fixed. Each row is measured in a process of its own, whose peak memory stands beside it; the
processes take their steps in turn. The figure is the median of the rounds, after two that do not count.

Names are darts-c16-l(cells)-b(batch), with -n(nodes of a cell) where that is not 4, with -recompute where only nodes and
statistics are kept for the backward pass, and with -drawn where each pass computes one drawn operation of each edge, as
GDAS does. After the first three rows come sizes of cells, batch and edges around them.`,
		Example: `  espalier bench supernet
  espalier bench supernet --names 'l8-b64(-recompute)?$' --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			setThreads(threads)
			if serve != "" {
				s, err := bench.ParseSupernet(serve)
				if err != nil {
					return usageError{err}
				}
				return bench.ServeSupernet(s, c.InOrStdin(), a.stdout, time.Now)
			}
			re, err := regexp.Compile(names)
			if err != nil {
				return usageError{fmt.Errorf("--names: %w", err)}
			}
			rows, err := measureSupernets(c.Context(), re, rounds)
			if err != nil {
				return err
			}
			return bench.SupernetTable(a.stdout, a.json, rows)
		},
	}
	c.Flags().StringVar(&names, "names", "", "regular expression that a row's name must contain (default: every row)")
	c.Flags().IntVar(&rounds, "rounds", 7, "timed steps of each row")
	c.Flags().StringVar(&serve, "serve", "", "take a step of the row of this name for each line of the input, for a driver")
	addThreads(c, &threads)
	return c
}

// measureSupernets starts a process for each row and has them take steps in turn, a few at a time so that they fit in memory.
func measureSupernets(ctx context.Context, names *regexp.Regexp, rounds int) (rows []bench.SupernetRow, err error) {
	var cases []bench.SupernetCase
	for _, c := range bench.SupernetCases() {
		if names.MatchString(c.Name) {
			cases = append(cases, c)
		}
	}
	const together = 4
	for len(cases) > 0 {
		n := min(together, len(cases))
		more, err := measureTogether(ctx, cases[:n], rounds)
		if err != nil {
			return nil, err
		}
		rows, cases = append(rows, more...), cases[n:]
	}
	return rows, nil
}

func measureTogether(ctx context.Context, cases []bench.SupernetCase, rounds int) (rows []bench.SupernetRow, err error) {
	served := make([]*servedStep, len(cases))
	times := make([][]bench.SupernetRound, len(cases))
	for i, c := range cases {
		if served[i], err = serveStep(ctx, c.Name); err != nil {
			return nil, err
		}
		defer served[i].close()
	}
	for range rounds {
		for i, s := range served {
			r, err := s.round()
			if err != nil {
				return nil, err
			}
			times[i] = append(times[i], r)
		}
	}
	for i, c := range cases {
		rows = append(rows, bench.SupernetRowOf(c, kernels.Threads(), times[i]))
	}
	return rows, nil
}

// servedStep is this program in another process, serving the steps of a row.
type servedStep struct {
	child *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
}

func serveStep(ctx context.Context, name string) (*servedStep, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.CommandContext(ctx, self, "bench", "supernet", "--serve", name, "--threads", strconv.Itoa(kernels.Threads()))
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(); err != nil {
		return nil, fmt.Errorf("measuring %s: %w", name, err)
	}
	s := &servedStep{child, in, json.NewDecoder(out)}
	var about json.RawMessage
	if err := s.out.Decode(&about); err != nil {
		s.close()
		return nil, fmt.Errorf("measuring %s: %w", name, err)
	}
	return s, nil
}

// round takes a step.
func (s *servedStep) round() (r bench.SupernetRound, err error) {
	if _, err := io.WriteString(s.in, "\n"); err != nil {
		return r, fmt.Errorf("measuring: %w", err)
	}
	if err := s.out.Decode(&r); err != nil {
		return r, fmt.Errorf("measuring: %w", err)
	}
	return r, nil
}

// close ends the process.
func (s *servedStep) close() {
	s.in.Close()
	s.child.Wait() // whatever it has to say was said on its standard error
}
