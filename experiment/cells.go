package experiment

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"espalier/datasets"
	"espalier/models"
	"espalier/nn"
	"espalier/search"
)

// Derived is the model (model.name) of a genotype's network.
const Derived = "derived"

// genotypePath is the setting that is kept as canonical text, so that a hash does not depend on how it was given.
const genotypePath = "model.genotype"

// canonicalGenotype is the text of a genotype that is given by a published name, or as a text of any form; of nothing, nothing.
func canonicalGenotype(given string) (string, error) {
	given = strings.TrimSpace(given)
	if given == "" {
		return "", nil
	}
	if !strings.ContainsAny(given, "({|") {
		g, err := search.Published(given)
		return g.String(), err
	}
	g, err := search.Parse(given)
	if err != nil {
		return "", err
	}
	return g.String(), g.Validate(search.Registry{})
}

// cells describes the network of the configuration's genotype.
func (c Config) cells(in datasets.Shape, classes int) (*nn.Net, error) {
	g, err := search.Parse(c.Model.Genotype)
	if err != nil {
		return nil, err
	}
	spec, err := models.Derived(g, models.CellOptions{
		Input: nn.Shape(in), Classes: classes, Channels: c.Model.Channels, Cells: c.Model.Cells, Auxiliary: c.Model.Auxiliary,
		DropPath: c.Train.DropPath > 0,
	})
	if err != nil {
		return nil, err
	}
	return nn.NewNet(spec, nn.Shape(in))
}

// Network names the network that is trained: a model by its own name, a genotype by that under which it was published, as
// nas-bench-201-INDEX, or, if it has neither, as derived- and six digits of a hash of its text.
func (c Config) Network() string {
	if c.Model.Name != Derived || c.Made() {
		return c.Model.Name
	}
	if cell, err := search.ParseNB201(c.Model.Genotype); err == nil {
		return fmt.Sprintf("nas-bench-201-%d", cell.Index())
	}
	if g, err := search.Parse(c.Model.Genotype); err == nil {
		if name := search.PublishedAs(g); name != "" {
			return name
		}
	}
	return fmt.Sprintf("%s-%x", Derived, sha256.Sum256([]byte(c.Model.Genotype)))[:len(Derived)+1+6]
}

// presets are settings by name, over the defaults.
var presets = map[string]func(*Config){"darts": dartsEvaluation}

// Presets are the names that Preset knows, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// Preset changes c by the settings of the given name: "darts" is how Liu et al. (2019) train the network of a genotype on
// CIFAR-10, in their released code: 20 cells of 36 channels, 600 epochs of 96 images, SGD with a cosine from 0.025, cutout of 16
// pixels, drop path up to 0.2, an auxiliary loss of weight 0.4.
func (c *Config) Preset(name string) error {
	set, ok := presets[name]
	if !ok {
		return fmt.Errorf("experiment: no preset %q; there are %s", name, strings.Join(Presets(), ", "))
	}
	set(c)
	return nil
}

func dartsEvaluation(c *Config) {
	c.Model.Name, c.Model.Channels, c.Model.Cells, c.Model.Auxiliary = Derived, 36, 20, 0.4
	c.Data.Crop, c.Data.Flip, c.Data.Cutout = 4, true, 16
	c.Train = Train{
		Epochs: 600, Batch: 96, Optimizer: "sgd", LR: 0.025, Momentum: 0.9, WeightDecay: 3e-4, DecayAll: true, Schedule: "cosine", Clip: 5,
		DropPath: 0.2,
	}
}
