package models

import (
	"fmt"
	"maps"
	"slices"

	"espalier/nn"
)

// Constructor describes a model for the given options.
type Constructor func(Options) (nn.Sequential, error)

// table holds every model by name.
var table = map[string]Constructor{
	"resnet8":   cifar(8).spec,
	"resnet20":  cifar(20).spec,
	"resnet32":  cifar(32).spec,
	"resnet56":  cifar(56).spec,
	"resnet110": cifar(110).spec,
	"resnet18":  resnet18().spec,
}

// Parse finds a model by name. The error for an unknown one names the nearest.
func Parse(name string) (Constructor, error) {
	if c, ok := table[name]; ok {
		return c, nil
	}
	nearest := slices.MinFunc(Names(), func(a, b string) int { return edits(name, a) - edits(name, b) })
	return nil, fmt.Errorf("models: no model %q; the nearest is %q", name, nearest)
}

// Names are the names that Parse knows, sorted.
func Names() []string { return slices.Sorted(maps.Keys(table)) }

// New is a net of the named model, its weights zero.
func New(name string, o Options) (*nn.Net, error) {
	c, err := Parse(name)
	if err != nil {
		return nil, err
	}
	if o, err = o.fill(); err != nil {
		return nil, err
	}
	spec, err := c(o)
	if err != nil {
		return nil, err
	}
	return nn.NewNet(spec, o.Input)
}

// edits is the number of insertions, deletions and substitutions that turn a into b (Levenshtein's distance).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, substitute)
		}
	}
	return row[len(b)]
}
