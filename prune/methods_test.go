package prune

import (
	"fmt"
	"strings"
	"testing"

	"espalier/nn"
)

// TestTable: every line can be made, is valid at its defaults, has help for every option, takes each default back as a
// setting, and says how its mask comes about.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Methods() {
		if seen[e.Name] || e.Summary == "" || e.Source == "" && e.Name != "random" {
			t.Errorf("line %+v: a name used before, or something is missing", e)
		}
		seen[e.Name] = true
		p := e.New()
		if err := p.Validate(); err != nil {
			t.Errorf("%s at its defaults: %v", e.Name, err)
		}
		kinds := 0
		for _, is := range []bool{is[OneShot](p), is[Learner](p), is[Rounds](p)} {
			if is {
				kinds++
			}
		}
		if kinds != 1 {
			t.Errorf("%s is of %d kinds", e.Name, kinds)
		}
		for _, s := range e.Settings() {
			if s.Name == "" || s.Help == "" {
				t.Errorf("%s: option %+v has no name or no help", e.Name, s)
			}
			if e.Name == "bip" && s.Name == "ridge" { // that of another option
				continue
			}
			if _, err := Configure(e.Name, map[string]string{s.Name: s.Default}); err != nil {
				t.Errorf("%s: the default of %s: %v", e.Name, s.Name, err)
			}
			if s.OneOf != nil && len(s.OneOf) < 2 {
				t.Errorf("%s.%s is one of %q", e.Name, s.Name, s.OneOf)
			}
		}
	}
}

func is[T any](p Pruner) bool {
	_, ok := p.(T)
	return ok
}

// TestPasses: 30 images, ten of each of three classes, are three batches of ten.
func TestPasses(t *testing.T) {
	p := problem(t)
	for name, want := range map[string]int{"snip": 30, "grasp": 90, "synflow": 100} {
		m, err := Configure(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.(Priced).Passes(p); got != want {
			t.Errorf("%s: %d passes, want %d", name, got, want)
		}
	}
	if got := (SNIP{Images: 31}).Passes(p); got != 40 {
		t.Errorf("31 images are %d passes, want four batches", got)
	}
}

func TestConfigure(t *testing.T) {
	p, err := Configure("bip", map[string]string{"gamma": "10", "ridge": "1e-4", "steps": "1"})
	if err != nil {
		t.Fatal(err)
	}
	if s := p.(*BiP).settings(); s.gamma != 10 || s.ridge != 1e-4 || s.steps != 1 {
		t.Errorf("settings %+v", s)
	}
	for want, c := range map[string][3]string{
		`no method "bap"`:                 {"bap", "gamma", "1"},
		"setting bip.gama: there is none": {"bip", "gama", "1"},
		`"much" is not a number`:          {"bip", "gamma", "much"},
		"gamma 0":                         {"bip", "gamma", "0"},
		"gamma NaN":                       {"bip", "gamma", "NaN"},
		`bip.compat is "release"`:         {"bip", "compat", "release"},
		`no schedule "round"`:             {"bip", "schedule", "round"},
		`"1.5" is not a whole`:            {"synflow", "rounds", "1.5"},
		"in 0 rounds":                     {"synflow", "rounds", "0"},
		"temperature -1":                  {"grasp", "temperature", "-1"},
		"on -1 images":                    {"snip", "images", "-1"},
		"removing 1 a round":              {"imp", "share", "1"},
		`rewinding to "back"`:             {"omp", "rewind", "back"},
		"every 0 steps":                   {"gmp", "every", "0"},
		"hydra with lr 0":                 {"hydra", "lr", "0"},
		"optim: momentum is 1":            {"hydra", "momentum", "1"},
	} {
		if _, err := Configure(c[0], map[string]string{c[1]: c[2]}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", c, err, want)
		}
	}
	for want, c := range map[string]struct {
		l     Learner
		o     Options
		c     Course
		upper bool
	}{
		"images for the level of the masks": {BiP{}, Options{Sparsity: 0.5}, Course{Epochs: 1}, false},
		"for 0 epochs":                      {BiP{}, Options{Sparsity: 0.5}, Course{}, true},
		"not within a mask":                 {DefaultHYDRA(), Options{Sparsity: 0.5, Within: NewMask(small(t).Params.Layout)}, Course{Epochs: 1}, true},
		"can rise":                          {DefaultGradual(), Options{Counts: map[string]int{"fc.weight": 3}}, Course{Epochs: 1}, true},
		"sparsity 1 is outside":             {DefaultHYDRA(), Options{Sparsity: 1}, Course{Epochs: 1}, true},
	} {
		p := problem(t)
		if !c.upper {
			p.Upper = nil
		}
		if _, err := c.l.Learn(p, c.o, c.c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// ExampleConfigure prunes a network by a method that is named as on the command line, with a setting of its own.
func ExampleConfigure() {
	net, err := nn.NewNet(nn.Sequential{
		{Name: "conv", Spec: nn.Conv{Channels: 8, Kernel: 3, Stride: 1, Pad: 1}},
		{Name: "bn", Spec: nn.BatchNorm{}},
		{Name: "relu", Spec: nn.ReLU{}},
		{Name: "pool", Spec: nn.GlobalAvgPool{}},
		{Name: "fc", Spec: nn.Linear{Channels: 10}},
	}, nn.Shape{H: 8, W: 8, C: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	net.Params.Init(1)
	method, err := Configure("synflow", map[string]string{"rounds": "20"})
	if err != nil {
		fmt.Println(err)
		return
	}
	mask, err := method.(OneShot).Mask(&Problem{Net: net}, Options{Sparsity: 0.9})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mask.Kept(), "weights stay, none left of", mask.Empty())
	// Output:
	// 30 weights stay, none left of []
}
