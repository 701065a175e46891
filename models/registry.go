package models

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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

// Parse finds a model by name. The error for an unknown one lists those that there are.
func Parse(name string) (Constructor, error) {
	if c, ok := table[name]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("models: no model %q; there are %s", name, strings.Join(Names(), ", "))
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
