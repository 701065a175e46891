package experiment

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Validate says in one line what is wrong with a configuration, the setting's path first, or returns nil.
func (c Config) Validate() error {
	for _, k := range knobs(&c) {
		if one := k.oneOf(); one != nil && k.option == nil && !slices.Contains(one, k.value.String()) {
			return fmt.Errorf("experiment: %s: %q is none of %s; the nearest is %q", k.path, k.value.String(), strings.Join(one, ", "),
				Nearest(k.value.String(), one))
		}
	}
	if c.Name == "" || c.Name == "." || c.Name == ".." || strings.ContainsAny(c.Name, `/\:`) {
		return fmt.Errorf("experiment: name: %q cannot name a directory", c.Name)
	}
	if err := c.validateSearch(); err != nil {
		return err
	}
	t, p, d := c.Train, c.Prune, c.Data
	method, err := c.method()
	if err != nil {
		return err
	}
	for _, rule := range []struct {
		path string
		ok   bool
		want string
	}{
		{"model.width", c.Model.Width > 0 && c.Model.Width <= 64, "a number above 0, at most 64"},
		{genotypePath, c.Model.Name != Derived || c.Made() || c.Model.Genotype != "", "a genotype, as model.name is derived"},
		{genotypePath, c.Model.Name == Derived || c.Model.Genotype == "", "none, as model.name is not derived"},
		{genotypePath, !c.Made() || c.Model.Genotype == "", "none, as model.from says where the cells come from"},
		{"model.from", c.Model.Name == Derived || !c.Made(), "genotype, as model.name is not derived"},
		{"model.from", c.Model.From != FromSearch || c.Search.Method != NoSearch, "another value, as search.method is none"},
		{"model.from", c.Model.From != FromRandom || c.Search.Method == NoSearch, "another value, as search.method is given"},
		{"model.from", !c.Made() || p.Method == NoPruning, "genotype where a network is pruned"},
		{"model.draw", c.Model.From != FromRandom || c.Model.Draw >= 1, "1 or more"},
		{"model.params", c.Model.From != FromRandom || c.Model.Params >= 1 || c.Model.Like != "", "a number of parameters"},
		{"model.channels", c.Model.Channels >= 0 && c.Model.Channels <= 4096, "0 to 4096"},
		{"model.cells", c.Model.Cells >= 0 && c.Model.Cells <= 1024, "0 to 1024"},
		{"model.auxiliary", c.Model.Auxiliary >= 0 && !math.IsInf(c.Model.Auxiliary, 0), "0 or more"},
		{"train.drop_path", t.DropPath >= 0 && t.DropPath < 1, "a probability from 0 to below 1"},
		{"data.dir", d.Name != "folder" || d.Dir != "", "the image folder's directory, as data.name is folder"},
		{"data.size", d.Size >= 8 && d.Size <= 512, "8 to 512 pixels"},
		{"data.pad_to", d.PadTo >= 0 && d.PadTo <= 64, "0 to 64 pixels"},
		{"data.train", d.Train >= 0, "0 or more images"},
		{"data.validation", d.Validation >= 0, "0 or more images"},
		{"data.crop", d.Crop >= 0 && d.Crop <= 64, "0 to 64 pixels"},
		{"data.cutout", d.Cutout >= 0 && d.Cutout <= 512, "0 to 512 pixels"},
		{"train.epochs", t.Epochs >= 1, "1 or more epochs"},
		{"train.batch", t.Batch >= 2 && t.Batch <= 1<<16, "2 to 65536 images"},
		{"train.lr", positive(t.LR), "a number above 0"},
		{"train.momentum", t.Momentum >= 0 && t.Momentum < 1, "a number from 0 to below 1"},
		{"train.nesterov", !t.Nesterov || t.Optimizer != "sgd" || t.Momentum > 0, "momentum above 0 for a look ahead"},
		{"train.weight_decay", t.WeightDecay >= 0 && !math.IsInf(t.WeightDecay, 0), "0 or more"},
		{"train.warmup", t.Warmup >= 0 && t.Warmup < float64(max(1, t.Epochs)), "0 or more epochs, fewer than train.epochs"},
		{"train.label_smoothing", t.LabelSmoothing >= 0 && t.LabelSmoothing < 1, "a number from 0 to below 1"},
		{"train.clip", t.Clip >= 0 && !math.IsInf(t.Clip, 0), "0 or more"},
		{"train.ema", t.EMA >= 0 && t.EMA < 1, "a number from 0 to below 1"},
		{"prune.sparsity", p.Method == NoPruning || len(p.Sparsity) > 0, "at least one share"},
		{"prune.sparsity", rising(p.Sparsity), "shares from 0 to below 1, each larger than the one before"},
		{"prune.epochs", p.Epochs >= 0, "0 or more epochs"},
		{"prune.masking", p.Masking >= 1, "1 or more epochs"},
		{"prune.upper", p.Upper >= 0 && p.Upper < 1, "a share from 0 to below 1"},
		{"prune.weights", p.Weights != "initial" || !method.learns, "the weights of a training: the method trains its mask on them"},
		{"train.stop", t.Stop >= 0 && t.Stop <= t.Epochs, "0 to train.epochs"},
		{"prune.lr", positive(p.LR), "a number above 0"},
		{"prune.warmup", p.Warmup >= 0 && p.Warmup < float64(max(1, p.Epochs)), "0 or more epochs, fewer than prune.epochs"},
	} {
		if !rule.ok {
			return fmt.Errorf("experiment: %s is %s, want %s", rule.path, c.get(rule.path), rule.want)
		}
	}
	return nil
}

func positive(x float64) bool { return x > 0 && !math.IsInf(x, 0) }

func rising(shares []float64) bool {
	last := -1.0
	for _, s := range shares {
		if !(s >= 0 && s < 1 && s > last) {
			return false
		}
		last = s
	}
	return true
}

// get is a setting's value as text.
func (c Config) get(path string) string {
	for _, k := range knobs(&c) {
		if k.path == path {
			return k.text()
		}
	}
	panic("experiment: no setting " + path)
}
