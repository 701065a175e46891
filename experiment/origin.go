package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"

	"espalier/internal/rng"
	"espalier/search"
)

// Where the cells of a derived network come from (model.from).
const (
	FromGenotype = "genotype"
	FromSearch   = "search"
	FromRandom   = "random"
)

// paramsWithin is by how large a share the parameters of a random cell's network may differ from model.params.
const paramsWithin = 0.1

// maxSamples bounds how many cells are drawn for one that has the parameters.
const maxSamples = 5000

// Made reports whether the cells of the network are not known before a search or a draw has made them.
func (c Config) Made() bool { return c.Model.From == FromSearch || c.Model.From == FromRandom }

// Searches reports whether the configuration is that of a search alone; one that trains what a search finds is not.
func (c Config) Searches() bool { return c.Search.Method != NoSearch && c.Model.From != FromSearch }

// Settled is the configuration of the training that Train makes of c: where model.from is search or random, the one that names
// the genotype. The search is made, or found finished; when ctx ends it saves, and the error is *Interrupted.
func (l *Lab) Settled(ctx context.Context, c Config) (Config, error) {
	if !c.Made() {
		return c, nil
	}
	if err := c.Validate(); err != nil {
		return c, err
	}
	var g search.Genotype
	if c.Model.From == FromSearch {
		r, err := l.Search(ctx, c)
		if err != nil {
			return c, err
		}
		g = *r.Genotype
	} else {
		var err error
		if g, err = l.draw(ctx, c); err != nil {
			return c, fmt.Errorf("experiment: model.from: %w", err)
		}
	}
	c.Model.Genotype = g.String()
	c.Model.From, c.Model.Draw, c.Model.Params, c.Model.Like = FromGenotype, 0, 0, ""
	return c.Dense(), nil
}

// draw is the cell of model.draw among those of the space whose networks have the parameters, in the order of a random
// stream of the seed. Nothing but the parameters is looked at.
func (l *Lab) draw(ctx context.Context, c Config) (search.Genotype, error) {
	space, err := c.SearchSpace()
	if err != nil {
		return search.Genotype{}, err
	}
	set, err := l.OpenData(c)
	if err != nil {
		return search.Genotype{}, err
	}
	stream, want := rng.New(c.Seed, "random cells"), float64(c.Model.Params)
	var fit []search.Genotype
	for range maxSamples {
		if err := ctx.Err(); err != nil {
			return search.Genotype{}, err
		}
		g := space.Sample(search.Registry{}, stream)
		c.Model.Genotype = g.String()
		net, err := c.cells(set.Shape(), len(set.Classes))
		if err != nil {
			return search.Genotype{}, err
		}
		if math.Abs(float64(net.Cost().Params)-want) > paramsWithin*want || slices.ContainsFunc(fit, g.Equal) {
			continue
		}
		if fit = append(fit, g); len(fit) == c.Model.Draw {
			return g, nil
		}
	}
	return search.Genotype{}, fmt.Errorf("%d cells were drawn, of which the networks of %d have %d parameters to within %.0f %%, fewer than model.draw, %d",
		maxSamples, len(fit), c.Model.Params, 100*paramsWithin, c.Model.Draw)
}
