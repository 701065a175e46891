package prune

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"espalier/nn"
)

// Method gives every prunable weight a score from the weights alone; the highest scores stay.
type Method interface {
	// Scores writes the scores of the prunable weights of w into dst, a vector of w's layout. It may leave the rest of dst.
	Scores(dst []nn.Float, w *nn.Params) error
}

// scorers is every Method by name.
var scorers = map[string]func(seed uint64) Method{
	"magnitude": func(uint64) Method { return Magnitude{} },
	"random":    func(seed uint64) Method { return Random{Seed: seed} },
}

// New is the Method of that name. Methods that draw numbers derive their streams from the seed. Methods lists those that
// need more than weights too.
func New(name string, seed uint64) (Method, error) {
	if f, ok := scorers[name]; ok {
		return f(seed), nil
	}
	return nil, fmt.Errorf("prune: no method %q; there are %s", name, strings.Join(Names(), ", "))
}

// Names lists the names that New knows, in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(scorers)) }
