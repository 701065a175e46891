package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"espalier/experiment"
	"espalier/search"
)

// aboutGenotypes says in help texts what genotypeOf takes.
const aboutGenotypes = `a name of a published cell, the text itself (DARTS' Genotype(normal=…) in any of its usual forms, a cell of
NAS-Bench-201 as |nor_conv_3x3~0|+|…|, or JSON), a file with such a text, or a directory with a genotype.txt`

// genotypeOf reads a genotype that is given as a name, a text, a file or a directory. The name is that of the cell or of the
// file, or empty. Its operations are those of the table of primitives.
func genotypeOf(given string) (g search.Genotype, name string, err error) {
	if g, err := search.Published(given); err == nil {
		return g, given, nil
	}
	info, err := os.Stat(given)
	switch {
	case strings.TrimSpace(given) == "":
		return g, "", usageError{errors.New("the genotype is empty")}
	case err == nil:
		if info.IsDir() {
			given = filepath.Join(given, experiment.GenotypeFile)
		}
		text, err := os.ReadFile(given)
		if err != nil {
			return g, "", fmt.Errorf("genotype: %w", err)
		}
		g, err = readGenotype(string(text))
		if err != nil {
			return g, "", fmt.Errorf("%s: %w", given, err)
		}
		return g, strings.TrimSuffix(filepath.Base(given), filepath.Ext(given)), nil
	case strings.ContainsAny(given, "({|"):
		g, err = readGenotype(given)
		return g, "", err
	case errors.Is(err, fs.ErrNotExist):
		return g, "", fmt.Errorf("genotype: there is no file %s, and no published cell of that name; the nearest is %s", given,
			experiment.Nearest(given, search.PublishedNames()))
	}
	return g, "", fmt.Errorf("genotype: %w", err)
}

func readGenotype(text string) (search.Genotype, error) {
	g, err := search.Parse(text)
	if err == nil {
		err = g.Validate(search.Registry{})
	}
	return g, err
}
