package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"espalier/experiment"
	"espalier/oneshot"
	"espalier/search"
)

// errMinutes is the cause of an end by --minutes.
var errMinutes = errors.New("the time is up")

func newSearch(a *app) *cobra.Command {
	var s settings
	var method, space, seeds string
	var epochs int
	var minutes float64
	var list bool
	c := &cobra.Command{
		Use:   "search",
		Short: "Search an architecture",
		Long: `Searches an architecture by training a supernet, whose weights all architectures of a space share. The training images are
divided between weights and architecture (search.val); test images are not looked at.

--list names the methods and their settings, such as darts.xi. All settings of a search begin with search.;
'espalier help settings' lists them. The defaults are those of DARTS: 8 cells of 16 channels, 50 epochs, batches of 64.

It leaves, in RUNS/NAME/HASH/seed-N, the settings, the log, metrics.csv with the figures of each epoch (losses,
accuracies, entropy of the choices, skip connections of the architecture so far), alphas.csv with α after each, from which
'espalier derive' derives an architecture of any epoch, and genotype.txt, the architecture that was found, as other tools
read it.

Ctrl-C finishes the step, saves and stops, and so does the end of --minutes; the same command goes on from there and ends
with the same bits as if it had not been stopped.`,
		Example: `  espalier search
  espalier search --method rarts --space nas-bench-201 --set search.cells=1 --set data.train=10000
  espalier search --method darts --set darts.order=1 --minutes 30
  espalier search --space my-space.yaml --set search.cells=5
  espalier search --list`,
		GroupID: "search",
		Args:    exactly(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if list {
				return a.listSearches()
			}
			if method != "" {
				s.set = append(s.set, "search.method="+method)
			}
			if own, err := spaceOf(space); err != nil {
				return err
			} else if own != nil {
				text, err := experiment.SpaceText(own)
				if err != nil {
					return fmt.Errorf("%s: %w", space, err)
				}
				s.set = append(s.set, "search.space="+text)
			}
			if epochs > 0 {
				s.set = append(s.set, fmt.Sprintf("search.epochs=%d", epochs))
			}
			if c.Flags().Changed("minutes") && !(minutes > 0) {
				return usageError{fmt.Errorf("--minutes is %v, want a number above 0", minutes)}
			}
			defaults := experiment.Default()
			defaults.Search.Method = "darts"
			configs, err := s.eachOver(defaults, seeds)
			if err != nil {
				return err
			}
			if configs[0].Search.Method == experiment.NoSearch {
				return usageError{fmt.Errorf("search.method is none; there are %s", searchNames())}
			}
			for i := range configs {
				configs[i] = configs[i].SearchAlone()
			}
			if s.dryRun {
				return a.dryRun(configs...)
			}
			ctx := c.Context()
			if minutes > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(minutes*float64(time.Minute)), errMinutes)
				defer cancel()
			}
			err = a.search(ctx, configs)
			if errors.Is(err, errMinutes) {
				a.say("%v: %v; the same command goes on", errMinutes, err)
				return nil
			}
			return err
		},
	}
	s.addTo(c)
	c.Flags().StringVarP(&method, "method", "m", "", "one of "+searchNames()+" (the setting search.method; default: darts)")
	c.Flags().StringVar(&space, "space", "", "one of "+strings.Join(search.SpaceNames(), ", ")+", or a YAML file (the setting search.space)")
	c.Flags().IntVar(&epochs, "epochs", 0, "epochs of the search (the setting search.epochs)")
	c.Flags().Float64Var(&minutes, "minutes", 0, "save and stop after so many minutes")
	c.Flags().StringVar(&seeds, "seeds", "", "search once for each of these seeds, as 1,2,3 (default: the setting seed)")
	c.Flags().BoolVarP(&list, "list", "l", false, "list the methods and their settings, and do nothing")
	return c
}

// search searches by each configuration and says what came of it.
func (a *app) search(ctx context.Context, configs []experiment.Config) error {
	for _, cfg := range configs {
		a.say("%s on %s, space %s, seed %d, in %s", cfg.Search.Method, cfg.Data.Name, cfg.SpaceName(), cfg.Seed, cfg.Dir(a.runs))
		r, err := a.lab().Search(ctx, cfg)
		if err != nil {
			return err
		}
		if a.json {
			err = a.printJSON(r)
		} else {
			_, err = fmt.Fprintf(a.stdout, "%v\nin %s\n", r.Genotype, filepath.Join(r.Path, experiment.GenotypeFile))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listSearches prints the table of methods with their settings.
func (a *app) listSearches() error {
	for _, e := range oneshot.Methods() {
		if a.json {
			if err := a.printJSON(map[string]any{"name": e.Name, "summary": e.Summary, "source": e.Source, "settings": e.Settings()}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(a.stdout, "%s: %s (%s)\n", e.Name, e.Summary, e.Source)
		for _, s := range e.Settings() {
			fmt.Fprintf(a.stdout, "  %-22s %-18s %s\n", e.Name+"."+s.Name, s.Default, s.Help)
		}
	}
	return nil
}

// searchNames lists the search methods.
func searchNames() string {
	var names []string
	for _, e := range oneshot.Methods() {
		names = append(names, e.Name)
	}
	return strings.Join(names, ", ")
}
