package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"espalier/experiment"
)

// settings are the flags that describe a run.
type settings struct {
	file   string
	set    []string
	dryRun bool

	preset, genotype string // of the commands that have them
}

// addTo puts the flags on a command that works on a run.
func (s *settings) addTo(c *cobra.Command) {
	c.Flags().StringVarP(&s.file, "config", "c", "", "YAML file of settings, as config.yaml in a run's directory")
	c.Flags().StringArrayVarP(&s.set, "set", "s", nil, "one setting as path=value, over the file; may be repeated")
	c.Flags().BoolVarP(&s.dryRun, "dry-run", "n", false, "print the settings and the directory, and do nothing")
	if err := c.RegisterFlagCompletionFunc("set", completeSettings); err != nil {
		panic(err) // the flag was made two lines above
	}
	if err := c.MarkFlagFilename("config", "yaml", "yml"); err != nil {
		panic(err)
	}
}

// load is the configuration that the flags ask for: the defaults, changed by the file, changed by the assignments.
func (s *settings) load() (experiment.Config, error) { return s.over(experiment.Default()) }

// over is load with other defaults.
func (s *settings) over(c experiment.Config) (experiment.Config, error) {
	if s.preset != "" {
		if err := c.Preset(s.preset); err != nil {
			return c, usageError{err}
		}
	}
	err := c.Load(s.file, s.set)
	if err == nil && s.genotype != "" {
		g, _, wrong := genotypeOf(s.genotype)
		if wrong != nil {
			return c, wrong
		}
		c.Model.Name, c.Model.Genotype = experiment.Derived, g.String()
	}
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return c, usageError{err}
	}
	return c, nil
}

func completeSettings(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var paths []string
	for _, f := range experiment.Fields() {
		if f.OneOf == nil {
			paths = append(paths, fmt.Sprintf("%s=\t%s", f.Path, f.Doc))
		}
		for _, v := range f.OneOf {
			paths = append(paths, fmt.Sprintf("%s=%s\t%s", f.Path, v, f.Doc))
		}
	}
	return paths, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// newSettings is a help topic: a command that only has a text.
func newSettings() *cobra.Command {
	return &cobra.Command{
		Use:   "settings",
		Short: "What can be set about a run, with defaults and units",
		Long: `Settings describe a run. Each has a default; a YAML file given by --config changes some, and --set changes some more:

  espalier train --config run.yaml --set train.lr=0.05 --set prune.sparsity=0.5,0.9

In a file, the part before the dot is a section:

  train:
    lr: 0.05
  prune:
    sparsity: [0.5, 0.9]

A run's directory holds its config.yaml, which alone repeats the run. The directory's name is a hash of the settings that
differ from their defaults; name, seed and the place of the data are not part of it.

Setting, default, meaning (unit):

` + experiment.Help(),
	}
}
