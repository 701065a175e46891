package prune

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"espalier/internal/rng"
	"espalier/nn"
)

// Method gives every prunable weight a score; the highest scores stay.
type Method interface {
	// Scores writes the scores of the prunable weights of w into dst, a vector of w's layout. It may leave the rest of dst.
	Scores(dst []nn.Float, w *nn.Params) error
}

// methods is every method by name.
var methods = map[string]func(seed uint64) Method{
	"magnitude": func(uint64) Method { return Magnitude{} },
	"random":    func(seed uint64) Method { return Random{Seed: seed} },
}

// New is the method of that name. Methods that draw numbers derive their streams from the seed.
func New(name string, seed uint64) (Method, error) {
	if f, ok := methods[name]; ok {
		return f(seed), nil
	}
	return nil, fmt.Errorf("prune: no method %q; there are %s", name, strings.Join(Names(), ", "))
}

// Names lists the methods in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(methods)) }

// Magnitude scores a weight by its absolute value (LeCun, Denker and Solla's baseline, 1990; Han and others, 2015).
type Magnitude struct{}

// Scores implements Method.
func (Magnitude) Scores(dst []nn.Float, w *nn.Params) error {
	for _, p := range Prunable(w.Layout) {
		s := p.Of(dst)
		for i, x := range p.Of(w.Values) {
			s[i] = max(x, -x)
		}
	}
	return nil
}

// Random scores a weight by a number drawn evenly from [0,1), from a stream of its tensor's name: every mask of the given
// density is equally likely, and a tensor's scores do not depend on the tensors beside it.
type Random struct{ Seed uint64 }

// Scores implements Method.
func (r Random) Scores(dst []nn.Float, w *nn.Params) error {
	for _, p := range Prunable(w.Layout) {
		stream := rng.New(r.Seed, "prune", p.Name)
		for i := range p.Of(dst) {
			p.Of(dst)[i] = nn.Float(stream.Float64())
		}
	}
	return nil
}
