package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"espalier/experiment"
	"espalier/study"
)

// patience is how long a run in another process may take to finish its step and save.
const patience = 2 * time.Minute

// subprocess returns a function that makes a run in a process of its own with so many threads. The process is this program;
// it saves and ends when ctx does.
func (a *app) subprocess(threads int) func(context.Context, experiment.Config) (experiment.Run, error) {
	return func(ctx context.Context, c experiment.Config) (experiment.Run, error) {
		if c.Made() { // a search has been made by now, in a process of its own
			var err error
			if c, err = a.lab().Settled(ctx, c); err != nil {
				return experiment.Run{}, err
			}
		}
		self, err := os.Executable()
		if err != nil {
			return experiment.Run{}, err
		}
		dir, err := os.MkdirTemp("", "espalier-")
		if err != nil {
			return experiment.Run{}, err
		}
		defer os.RemoveAll(dir)
		file := filepath.Join(dir, experiment.ConfigFile)
		if err := os.WriteFile(file, c.YAML(), 0o644); err != nil {
			return experiment.Run{}, err
		}
		verb := "prune"
		switch {
		case c.Searches():
			verb = "search"
		case c.Prune.Method == experiment.NoPruning:
			verb = "train"
		}
		child := exec.CommandContext(ctx, self, verb, "--config", file, "--runs", a.runs, "--quiet", "--json")
		child.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", threads))
		child.Cancel = func() error { return interrupt(child.Process) }
		child.WaitDelay = patience
		var said bytes.Buffer
		child.Stderr = &said
		err = child.Run()
		if ctx.Err() != nil {
			return experiment.Run{}, context.Cause(ctx)
		}
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			text := lastLine(said.String(), exit.Error())
			if exit.ExitCode() == exitBlocked {
				return experiment.Run{}, fmt.Errorf("%s (%w)", text, study.ErrBlocked)
			}
			return experiment.Run{}, errors.New(text)
		}
		if err != nil {
			return experiment.Run{}, err
		}
		return experiment.Open(c.Dir(a.runs))
	}
}

// interrupt asks a process to save and end; where processes cannot be asked, it is ended, and goes on from its last
// checkpoint another time.
func interrupt(p *os.Process) error {
	if err := p.Signal(os.Interrupt); err == nil || errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.Kill()
}

// lastLine is the error that a run wrote last, without the program's name.
func lastLine(text, otherwise string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := strings.TrimPrefix(lines[len(lines)-1], "espalier: "); last != "" {
		return last
	}
	return otherwise
}
