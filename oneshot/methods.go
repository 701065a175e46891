package oneshot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"espalier/bilevel"
	"espalier/internal/settings"
	"espalier/nn"
	"espalier/search"
	"espalier/train"
)

// Method is a way to search, with its options.
type Method interface {
	// Validate says what is wrong with the options.
	Validate() error
	// Passes is the number of forward and backward passes of a batch in a step.
	Passes() int
	// Updates is the list of updates of a step, over s.W, s.Alpha and what the method adds.
	Updates(s *Search) (bilevel.Method[nn.Float], error)
}

// Edged is a method whose supernet has other edges than DARTS'; see the function Edge.
type Edged interface{ Edge() search.MixedEdge }

// Chooser is a method that does not end in the architecture that α stands for, and takes its time to find another.
type Chooser interface {
	Choose(ctx context.Context, s *Search, report train.Report) (search.Genotype, error)
}

// Sparse is a method that computes one operation of each edge in a pass: memory for all of them would be idle.
type Sparse interface{ Sparse() bool }

// Judged is a method that may hold up nothing to be evaluated after an epoch.
type Judged interface{ Judged() bool }

// Entry is a line of the table of methods.
type Entry struct {
	Name    string
	Summary string
	Source  string
	New     func() Method // a pointer to a struct of options at their defaults; see Settings
}

// Methods is the table of all methods: command line, files and help follow from it. To add one, write its file and its line.
func Methods() []Entry {
	return []Entry{
		{"darts", "weights and α in turn, α at weights one step further", "Liu and others 2019, arXiv 1806.09055", func() Method { return newDARTS() }},
		{"rarts", "two sets of weights on two halves of the data, held together, and α", "Xue and others 2022, arXiv 2008.03901", func() Method { return newRARTS() }},
		{"gdas", "one drawn operation an edge, with a gradient through its probability", "Dong and Yang 2019, arXiv 1910.04465", func() Method { return newGDAS() }},
		{"pc-darts", "DARTS on a part of the channels, with weights of edges", "Xu and others 2020, arXiv 1907.05737", func() Method { return newPCDARTS() }},
		{"random-ws", "weights of random architectures, and the best of many judged by them", "Li and Talwalkar 2019, arXiv 1902.07638", func() Method { return new(Random) }},
	}
}

// Lookup finds a method by name.
func Lookup(name string) (Entry, error) {
	all := Methods()
	if i := slices.IndexFunc(all, func(e Entry) bool { return e.Name == name }); i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	return Entry{}, fmt.Errorf("oneshot: no method %q; there are %s", name, strings.Join(names, ", "))
}

// Settings are the options of the method.
func (e Entry) Settings() []settings.Setting { return settings.Of(e.New()) }

// Configure makes the method of that name with its default options but for the given ones, by the names and texts of
// Entry.Settings, and checks them.
func Configure(name string, values map[string]string) (Method, error) {
	e, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	m := e.New()
	if err := settings.Set(m, values); err != nil {
		return nil, fmt.Errorf("oneshot: setting %s.%w", name, err)
	}
	return m, m.Validate()
}

// Text is the value of a setting of m as it would be given, each value in one way.
func Text(m Method, name string) string { return settings.Text(m, name) }

// describe is all options of a method.
func describe(m Method) string {
	var parts []string
	for _, s := range settings.Of(m) {
		parts = append(parts, s.Name+"="+s.Default)
	}
	return strings.Join(parts, " ")
}

// place is the index in α of the operation of an edge.
func place(a *search.Alpha, cell int, e search.Choice) int {
	c := &a.Space.Cells[cell]
	for i, f := range c.Edges {
		if k := slices.Index(f.Primitives, e.Op); f.From == e.From && f.To == e.To && k >= 0 {
			return a.Row(cell, i).Offset + k
		}
	}
	panic(fmt.Sprintf("oneshot: the %s cell of %s has no %s on an edge %d→%d", c.Name, a.Space.Name, e.Op, e.From, e.To))
}
