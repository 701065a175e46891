package study

import (
	"slices"
	"strings"
	"testing"

	"espalier/experiment"
)

const small = `
name: small
about: what is asked
settings:
  data: {name: synthetic, train: 200}
  train: {epochs: 3}
  prune: {epochs: 2}
models: [resnet8, resnet20]
seeds: [1, 2]
baseline: magnitude
series:
  - label: dense
  - label: magnitude
    settings: {prune: {method: magnitude}}
    rounds: [4, 7]
  - label: random, by layer
    settings: {prune: {method: random, budget: uniform}}
    sparsity: [0.5]
    seeds: [3]
    models: [resnet8]
`

func read(t *testing.T, text string) *Study {
	t.Helper()
	s, err := Read(strings.NewReader(text), "small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRead(t *testing.T) {
	s := read(t, small)
	var labels []string
	var counts []int
	for _, r := range s.Series {
		labels, counts = append(labels, r.Label), append(counts, len(r.Cells))
	}
	if !slices.Equal(labels, []string{"dense", "magnitude", "random, by layer"}) || !slices.Equal(counts, []int{4, 8, 1}) {
		t.Fatalf("series %q of %d cells", labels, counts)
	}
	c := s.Series[1].Cells[3]
	if c.Name != "small" || c.Model.Name != "resnet8" || c.Seed != 2 || c.Prune.Sparsity[0] != .7902848 || c.Train.Epochs != 3 {
		t.Errorf("the fourth cell of the second series is %+v", c)
	}
	if c := s.Series[2].Cells[0]; c.Seed != 3 || c.Prune.Budget != "uniform" {
		t.Errorf("the cell of the third series is %+v", c)
	}
	if s.Series[0].Cells[0].Hash() != c.Dense().Hash() {
		t.Error("the dense series is not the dense network of the others")
	}
}

// TestSameLabel: a series may go on for another model with settings of its own.
func TestSameLabel(t *testing.T) {
	s := read(t, small+`
  - label: random, by layer
    settings: {prune: {method: random, budget: uniform, epochs: 7}}
    rounds: [7]
    models: [resnet56]
`)
	var models []string
	for _, p := range s.Points(nil) {
		if p.Series == "random, by layer" {
			models = append(models, p.Model)
		}
	}
	if !slices.Equal(models, []string{"resnet8", "resnet56"}) {
		t.Errorf("the series has points of %v", models)
	}
}

func TestLadder(t *testing.T) {
	for rounds, want := range map[int]float64{1: .2, 4: .5904, 7: .7902848, 10: .8926258176, 13: .9450244186} {
		if got := Ladder(rounds); got != want {
			t.Errorf("%d rounds: %v, want %v", rounds, got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(small, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(small, old, new, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":                   {"", "empty"},
		"two documents":           {small + "---\nname: x\n", "more than one"},
		"unknown key":             {change("about:", "abuot:"), `small.yaml:3: no key "abuot"; the nearest is "about"`},
		"unknown key of a series": {change("    rounds: [4, 7]", "    round: [4, 7]"), `no key "round"; the nearest is "rounds"`},
		"unknown method":          {change("method: magnitude", "method: magnitud"), `the nearest is "magnitude"`},
		"broken":                  {"name: [\n", "small.yaml"},
		"unknown setting":         {change("epochs: 3", "epoch: 3"), `small.yaml:6: no setting "train.epoch"; the nearest is "train.epochs"`},
		"value":                   {change("epochs: 3", "epochs: three"), "small.yaml:6"},
		"setting of a series":     {change("budget: uniform", "budge: uniform"), `series "random, by layer"`},
		"sparsity 1":              {change("[0.5]", "[1]"), "prune.sparsity"},
		"no sparsity":             {change("    sparsity: [0.5]\n", ""), "either sparsity or rounds"},
		"both":                    {change("[0.5]", "[0.5]\n    rounds: [1]"), "either sparsity or rounds"},
		"rounds":                  {change("[4, 7]", "[0]"), "rounds: 0"},
		"dense with sparsity":     {change("label: dense", "label: dense\n    sparsity: [0.5]"), "without a pruning method"},
		"no label":                {change("label: dense", "label: ''"), "no label"},
		"same label":              {change("label: dense", "label: magnitude"), `two series of resnet8 are labelled "magnitude"`},
		"unknown baseline":        {change("baseline: magnitude", "baseline: omp"), `"omp"`},
		"a name that is a way":    {change("name: small", "name: a/b"), "cannot name a directory"},
		"unknown model":           {change("resnet20", "resnet21"), "resnet21"},
		"no series":               {small[:strings.Index(small, "baseline")], "no series"},
		"figure without name":     {small + "figures: [{series: [dense]}]\n", `figures: 1: name ""`},
		"figure of nothing":       {small + "figures: [{name: a}]\n", "a shows no series"},
		"figures of one name":     {small + "figures: [{name: a, series: [dense]}, {name: a, series: [dense]}]\n", `figures: 2: two are named "a"`},
		"figure's series":         {small + "figures: [{name: a, series: [magnitud]}]\n", `the nearest is "magnitude"`},
		"key of a figure":         {small + "figures:\n  - nam: a\n", `no key "nam"; the nearest is "name"`},
		"name in settings":        {change("settings: {prune: {method: magnitude}}", "settings: {name: x, prune: {method: magnitude}}"), "name is that of the study"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.text), "small.yaml")
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q", err, c.want)
			}
		})
	}
}

func TestLoadMissing(t *testing.T) {
	if _, err := Load("nowhere.yaml"); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(small)
	f.Add("name: x\nseries: [{label: a}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Read(strings.NewReader(text), "fuzz")
		if err != nil {
			return
		}
		for _, c := range s.Cells() {
			if err := c.Validate(); err != nil {
				t.Errorf("a cell is not valid: %v", err)
			}
			if c.Prune.Method != experiment.NoPruning && len(c.Prune.Sparsity) != 1 {
				t.Errorf("a cell of %d sparsities", len(c.Prune.Sparsity))
			}
		}
	})
}
