package prune

import (
	"fmt"
	"strings"

	"espalier/nn"
)

// Pruner is a pruning method with its options. It is one of OneShot, Learner and Rounds besides, which say how its mask
// comes about; what comes after the mask, fine-tuning, is training as usual with Mask.Apply as the projection.
type Pruner interface {
	// Validate says what is wrong with the options.
	Validate() error
}

// OneShot is a method that makes its mask at once, from the problem's weights.
type OneShot interface {
	Pruner
	Mask(p *Problem, o Options) (*Mask, error)
}

// Priced is a OneShot whose scores cost something: the number of images that go forward and backward through the network, an
// image that does so three times counting three. What a Learner's step costs is its train.Sample's Images.
type Priced interface {
	Passes(p *Problem) int
}

// Learner is a method that trains its mask. What it returns is a stepper for train.Run, whose Mask and Params after the
// last step are the result. It works on the weights of the problem's network: after the last step, Mask().Apply on them leaves
// the pruned network there.
type Learner interface {
	Pruner
	// Bilevel reports whether the mask is trained on images of its own (Problem.Upper), beside those for the weights.
	Bilevel() bool
	Learn(p *Problem, o Options, c Course) (*Learning, error)
}

// Rounds is a method that prunes between whole trainings.
type Rounds interface {
	Pruner
	Rounds(sparsity float64) (rounds int, exact bool)
	Sparsity(rounds int) float64
	Round(round int, before *Mask, trained *nn.Params, o Options) (*Mask, error)
}

// Starter is a method that says what weights the training under its mask starts from. Without it, that is the weights that
// were pruned, or those that a Learner ended with.
type Starter interface {
	Start(w *nn.Params, m *Mask, trained, early *nn.Params)
}

// Weights says which weights a method prunes.
type Weights uint8

const (
	Trained Weights = iota // those of a trained network
	Initial                // those at initialisation; the training is that of the sparse network
)

func (w Weights) String() string { return [...]string{"trained", "initial"}[w] }

// Entry is a line of the table of methods.
type Entry struct {
	Name    string
	Summary string
	Source  string
	Weights Weights
	New     func() Pruner // a pointer to a struct of options at their defaults; see Settings
}

// Methods is the table of all methods: command line, files and help follow from it. To add one, write its file and its line.
func Methods() []Entry {
	return []Entry{
		{"bip", "weights and mask learnt in turn, as two levels of one problem", "Zhang and others 2022, arXiv 2210.04092", Trained, func() Pruner { return new(BiP) }},
		{"magnitude", "least magnitude at once", "Han and others 2015, arXiv 1506.02626", Trained, func() Pruner { return new(Least) }},
		{"omp", "least magnitude at once, then fine-tuning or rewinding", "Han and others 2015, arXiv 1506.02626", Trained, func() Pruner { return at(DefaultOMP()) }},
		{"imp", "least magnitude in rounds of training and rewinding", "Frankle and Carbin 2019, arXiv 1803.03635", Initial, func() Pruner { return at(DefaultIMP()) }},
		{"gmp", "least magnitude little by little during training", "Zhu and Gupta 2017, arXiv 1710.01878", Trained, func() Pruner { return at(DefaultGradual()) }},
		{"hydra", "scores learnt while the weights stay", "Sehwag and others 2020, arXiv 2002.10509", Trained, func() Pruner { return at(DefaultHYDRA()) }},
		{"snip", "sensitivity of the loss to each connection, at initialisation", "Lee and others 2019, arXiv 1810.02340", Initial, func() Pruner { return new(SNIP) }},
		{"grasp", "what the gradient's flow depends on, at initialisation", "Wang and others 2020, arXiv 2002.07376", Initial, func() Pruner { return at(DefaultGraSP()) }},
		{"synflow", "flow from input to output, without data, at initialisation", "Tanaka and others 2020, arXiv 2006.05467", Initial, func() Pruner { return at(DefaultSynFlow()) }},
		{"random", "by chance: what every method must beat", "", Trained, func() Pruner { return new(Chance) }},
	}
}

func at[T any](v T) *T { return &v }

// Least is Magnitude as a OneShot.
type Least struct{}

// Validate is always nil.
func (Least) Validate() error { return nil }

// Mask implements OneShot.
func (Least) Mask(p *Problem, o Options) (*Mask, error) { return Prune(Magnitude{}, p.Net.Params, o) }

// Chance is Random as a OneShot: its seed is the problem's.
type Chance struct{}

// Validate is always nil.
func (Chance) Validate() error { return nil }

// Mask implements OneShot.
func (Chance) Mask(p *Problem, o Options) (*Mask, error) {
	return Prune(Random{Seed: p.Seed}, p.Net.Params, o)
}

// Lookup finds a method by name.
func Lookup(name string) (Entry, error) {
	var names []string
	for _, e := range Methods() {
		if e.Name == name {
			return e, nil
		}
		names = append(names, e.Name)
	}
	return Entry{}, fmt.Errorf("prune: no method %q; there are %s", name, strings.Join(names, ", "))
}

// Configure makes the method of that name with its default options but for the settings, by the names and texts of
// Entry.Settings, and checks them.
func Configure(name string, settings map[string]string) (Pruner, error) {
	e, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	p := e.New()
	if err := e.set(p, settings); err != nil {
		return nil, err
	}
	return p, p.Validate()
}
