package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// espalier runs a command line in this process.
func espalier(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = newApp(&out, &err).run(t.Context(), args)
	return out.String(), err.String(), code
}

// TestEveryCommand asks of each command that it say in its help what it is for, and of each that can be run that it give an
// example, and that its flags have texts.
func TestEveryCommand(t *testing.T) {
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		if c.Name() == "help" || c.Name() == "completion" {
			return
		}
		if c.Short == "" || c.Long == "" {
			t.Errorf("%s: no short or no long text", c.CommandPath())
		}
		if c.RunE != nil && !c.HasSubCommands() && c.Example == "" {
			t.Errorf("%s: no example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Long+"\n"+c.Example, "\n") {
			if len([]rune(line)) > 122 {
				t.Errorf("%s: a line of %d characters: %s", c.CommandPath(), len(line), line)
			}
		}
		for line := range strings.Lines(c.LocalFlags().FlagUsages()) {
			if text := strings.Fields(line); len(text) < 4 {
				t.Errorf("%s: a flag without a text: %s", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(newRoot(&app{}))
}

func TestUsageErrors(t *testing.T) {
	for _, args := range []string{
		"nothing", "--nothing", "bench nothing", "bench kernels extra", "bench kernels --names (", "bench kernels --rounds x",
	} {
		if _, stderr, code := espalier(t, strings.Fields(args)...); code != exitUsage || !strings.HasPrefix(stderr, "espalier: ") {
			t.Errorf("%s: code %d, %q", args, code, stderr)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err bytes.Buffer
	if code := newApp(&out, &err).run(ctx, []string{"bench", "kernels", "--names", "^conv1x1_64_64_8$"}); code != exitInterrupted {
		t.Errorf("code %d, %s", code, err.String())
	}
	if err.String() != "interrupted\n" {
		t.Errorf("%q", err.String())
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, _, code := espalier(t, "completion", shell); code != exitOK || !strings.Contains(out, "espalier") {
			t.Errorf("%s: code %d, %d bytes", shell, code, len(out))
		}
	}
}
