package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"espalier/experiment"
	"espalier/study"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitBlocked     = 3
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

// usageError is a mistake in what was asked, not in the world: a bad flag, argument or setting.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// app is what every subcommand shares.
type app struct {
	stdout, stderr io.Writer
	terminal       bool          // stderr is one: progress is drawn as bars
	quiet          bool          // --quiet
	json           bool          // --json
	runs           string        // --runs
	bars           []*progress   // on the terminal's last line
	every          time.Duration // from one plain line of a loop to the next, where there is no terminal
}

func newApp(stdout, stderr io.Writer) *app {
	a := &app{stdout: stdout, stderr: stderr, every: plainEvery}
	if f, ok := stderr.(*os.File); ok {
		a.terminal = term.IsTerminal(int(f.Fd()))
	}
	return a
}

// run executes a command line and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	a.clear() // of what did not come to its end
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		text := "interrupted"
		if stopped := (*experiment.Interrupted)(nil); errors.As(err, &stopped) {
			text = stopped.Error()
		}
		fmt.Fprintln(a.stderr, text)
		return exitInterrupted
	}
	text, unknown := oneLine(err), strings.HasPrefix(err.Error(), "unknown command")
	if unknown {
		text += "; see 'espalier help'"
	}
	fmt.Fprintf(a.stderr, "espalier: %s\n", text)
	switch usage := (usageError{}); {
	case unknown || errors.As(err, &usage):
		return exitUsage
	case study.Blocked(err):
		return exitBlocked
	}
	return exitFailed
}

// oneLine is an error in one line, also if it joins several.
func oneLine(err error) string {
	var parts []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "espalier",
		Short: "Train, prune and measure convolutional networks on one machine",
		Long: `Espalier trains convolutional networks on the processors of one machine, prunes them, and shows what was lost.

Begin with "espalier quickstart": it needs no data and no settings. A run is described by settings
(espalier help settings), kept in one directory, and resumed by the same command.

Exit codes: 0 done, 1 failed, 2 a mistake in the command line or the settings, 3 a directory is in use by another process,
full or not writable (the same command goes on when that is put right), 130 interrupted (what was done is saved; the same
command goes on from there).`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see '%s --help'", err, c.CommandPath())}
	})
	root.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "no progress, only results and errors")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "results as JSON, one object a line")
	root.PersistentFlags().StringVar(&a.runs, "runs", "runs", "directory of all runs")
	root.AddGroup(
		&cobra.Group{ID: "do", Title: "Train and prune:"},
		&cobra.Group{ID: "search", Title: "Search architectures:"},
		&cobra.Group{ID: "look", Title: "Look at results:"},
		&cobra.Group{ID: "machine", Title: "Data and machine:"},
	)
	root.AddCommand(
		newQuickstart(a), newTrain(a), newPrune(a), newStudy(a),
		newSearch(a), newDerive(a), newDraw(a), newQuery(a),
		newEval(a), newCompare(a), newPlot(a), newLs(a),
		newData(a), newBench(a), newSettings(),
	)
	return root
}

// exactly is cobra.ExactArgs as a usage error that says what is wanted.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("want %s, got %d arguments", what, len(args))}
		}
		return nil
	}
}

// atMost is cobra.MaximumNArgs as a usage error that says what is wanted.
func atMost(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usageError{fmt.Errorf("want %s, got %d arguments", what, len(args))}
		}
		return nil
	}
}

// group makes a command that only has subcommands: alone it shows its help.
func group(c *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usageError{fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())}
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(subs...)
	return c
}

// printJSON writes one object on a line of its own.
func (a *app) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n", b)
	return err
}

// say tells a person what is going on, unless told to be quiet.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		a.clear()
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}
