package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"espalier/experiment"
	"espalier/internal/atomicfile"
	"espalier/search"
)

func newDerive(a *app) *cobra.Command {
	var space, out string
	epoch := -1
	var all bool
	c := &cobra.Command{
		Use:   "derive RUN",
		Short: "Derive the genotype from the α of a search",
		Long: `Derives the architecture from α as a search left it: in the alphas.csv of a run's directory, or any such file. The
genotype is DARTS' text, or a cell of NAS-Bench-201; other tools read both.

In the DARTS space each node keeps the two edges whose best operation, other than none, has the largest softmax(α); in
that of NAS-Bench-201 every edge keeps its best operation, none included. The space is that of the config.yaml beside the
file, else the built-in one with the file's primitives, unless --space says otherwise.

alphas.csv has a line for each epoch, cell and edge: epoch (0: before the first), cell (its kind), from and to (the
edge's nodes), and α for each primitive; the field is empty where an edge lacks the candidate. Where edges have weights
of their own, betas.csv beside it is read, too, and an operation counts by the product of both softmaxes.`,
		Example: `  espalier derive runs/nb201/0123456789ab/seed-1
  espalier derive alphas.csv --epoch 25 --json
  espalier derive alphas.csv --all
  espalier derive alphas.csv --space my-space.yaml --out genotype.txt`,
		GroupID: "search",
		Args:    exactly(1, "one run directory or one table of α"),
		RunE: func(_ *cobra.Command, args []string) error {
			if all && (epoch >= 0 || out != "") {
				return usageError{errors.New("--all goes with neither --epoch nor --out")}
			}
			epochs, err := readAlphas(args[0], space)
			if err != nil {
				return err
			}
			if !all {
				if epochs, err = oneEpoch(epochs, epoch); err != nil {
					return err
				}
			}
			for _, at := range epochs {
				g, err := search.Derive(at.Space, search.Registry{}, at.Scores())
				if err != nil {
					return fmt.Errorf("α after epoch %d: %w", at.Epoch, err)
				}
				if err := a.printDerived(at, g, all); err != nil {
					return err
				}
				if out == "" {
					continue
				}
				err = atomicfile.Write(out, func(w io.Writer) error {
					_, err := fmt.Fprintln(w, g)
					return err
				})
				if err != nil {
					return fmt.Errorf("genotype: %w", err)
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&space, "space", "", "the space: one of "+strings.Join(search.SpaceNames(), ", ")+", or a YAML file")
	c.Flags().IntVar(&epoch, "epoch", -1, "α after this epoch, 0 being before the first (default: the last)")
	c.Flags().BoolVar(&all, "all", false, "a line for each epoch: the epoch, a tab, the genotype")
	c.Flags().StringVarP(&out, "out", "o", "", "write the genotype into this file, too")
	return c
}

// printDerived prints a genotype.
func (a *app) printDerived(at search.AlphaAt, g search.Genotype, all bool) (err error) {
	switch {
	case a.json:
		found := map[string]any{"epoch": at.Epoch, "space": at.Space.Name, "text": g.String(), "genotype": g}
		if cell, err := search.NB201From(g); err == nil {
			found["index"] = cell.Index()
		}
		return a.printJSON(found)
	case all:
		_, err = fmt.Fprintf(a.stdout, "%d\t%v\n", at.Epoch, g)
	default:
		_, err = fmt.Fprintln(a.stdout, g)
	}
	return err
}

// readAlphas reads the table of α in a file, or in a run's directory, of the given space, or, if that is empty, of the one that
// the run searched.
func readAlphas(path, space string) ([]search.AlphaAt, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, search.AlphasFile)
	}
	if !exists(path) {
		return nil, fmt.Errorf("%s is not there: no search has written its α", path)
	}
	s, err := spaceOf(space)
	if beside := filepath.Join(filepath.Dir(path), experiment.ConfigFile); s == nil && err == nil && exists(beside) {
		c, readErr := experiment.Load(beside, nil)
		if readErr != nil {
			return nil, readErr
		}
		s, err = c.SearchSpace()
	}
	if err != nil {
		return nil, err
	}
	epochs, err := search.LoadAlphas(path, s)
	if err != nil && s == nil {
		err = fmt.Errorf("%w (--space)", err)
	}
	return epochs, err
}

// spaceOf is a built-in space by its name, or one in a YAML file; nil if nothing is given.
func spaceOf(given string) (*search.Space, error) {
	if given == "" {
		return nil, nil
	}
	if s, ok := search.BuiltinSpace(given); ok {
		return s, nil
	}
	text, err := os.ReadFile(given)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError{fmt.Errorf("no built-in space and no file is named %q; the nearest space is %q", given, experiment.Nearest(given, search.SpaceNames()))}
	}
	if err != nil {
		return nil, fmt.Errorf("space: %w", err)
	}
	s, err := search.ParseSpace(text, search.Registry{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", given, err)
	}
	return s, nil
}

// oneEpoch picks an epoch, or the last.
func oneEpoch(epochs []search.AlphaAt, epoch int) ([]search.AlphaAt, error) {
	last := epochs[len(epochs)-1]
	if epoch < 0 {
		return []search.AlphaAt{last}, nil
	}
	for _, at := range epochs {
		if at.Epoch == epoch {
			return []search.AlphaAt{at}, nil
		}
	}
	return nil, usageError{fmt.Errorf("--epoch %d: there is α of the epochs %d to %d", epoch, epochs[0].Epoch, last.Epoch)}
}
