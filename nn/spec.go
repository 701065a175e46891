package nn

import (
	"errors"
	"fmt"
)

// Spec describes a layer as data: it knows shapes and counts, but holds no weights and no memory.
type Spec interface {
	// Kind is the word for this layer in JSON and in tables, such as "conv".
	Kind() string
	// Out is the shape of the output for an input of shape in, or why there is none.
	Out(in Shape) (Shape, error)
}

// Leaf is a spec that is not made of others.
type Leaf interface {
	Spec
	// Params are the tensors that the layer declares, named within the layer: parameters, then buffers.
	Params(in Shape) []Param
	// MACs is the number of multiply-adds of one forward pass of one image. Positions that fall on padding count; batch
	// norm, activations and poolings count nothing, as is usual.
	MACs(in Shape) int
	// Build makes the layer for p.Batch images. in has passed Out.
	Build(p *Plan, in Shape) Layer
}

// Layer is a spec made to work on a fixed batch. Slices hold the whole batch. A layer keeps what its backward pass needs
// beyond x and y, so Backward belongs to the last Forward.
type Layer interface {
	// Forward writes y from x and the weights v. It may write running statistics (v.Buffers).
	Forward(y, x []Float, v Vectors)
	// Backward writes dx, the gradient at x, unless it is nil, and v.Grads, from g, the gradient at y. It may overwrite g.
	Backward(dx, x, y, g []Float, v Vectors)
}

// InPlace is what a layer implements if its Backward accepts dx and g that are the same slice.
type InPlace interface{ InPlace() bool }

// Forgetful is what a layer implements if its Backward leaves x or y alone, so that their memory may hold other things by
// then.
type Forgetful interface{ Forgets() (x, y bool) }

// Named is a spec with its name in the Sequential around it. An empty name adds nothing to the names inside.
type Named struct {
	Name string
	Spec Spec
}

// Sequential is a chain of specs, each reading the output of the one before. A Sequential in a Sequential is the same as its
// parts written there with joined names.
type Sequential []Named

// Kind is "sequential".
func (s Sequential) Kind() string { return "sequential" }

// Out is the shape after the last spec.
func (s Sequential) Out(in Shape) (Shape, error) {
	for _, n := range s {
		out, err := output(n.Spec, in)
		if err != nil {
			return Shape{}, at(n.Name, err)
		}
		in = out
	}
	return in, nil
}

// output is s.Out, checked.
func output(s Spec, in Shape) (Shape, error) {
	if s == nil {
		return Shape{}, errors.New("there is no spec")
	}
	out, err := s.Out(in)
	if err != nil {
		return Shape{}, err
	}
	return out, out.Validate()
}

// at adds the name of a layer to an error from within it.
func at(name string, err error) error {
	if name == "" {
		return err
	}
	if e, ok := err.(*SpecError); ok {
		return &SpecError{Name: join(name, e.Name), Err: e.Err}
	}
	return &SpecError{Name: name, Err: err}
}

// SpecError is a spec that does not fit its input.
type SpecError struct {
	Name string // of the layer, from the root
	Err  error
}

func (e *SpecError) Error() string { return fmt.Sprintf("nn: layer %s: %v", e.Name, e.Err) }

// Unwrap is the reason.
func (e *SpecError) Unwrap() error { return e.Err }

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "." + b
}

// Site is a leaf in its place.
type Site struct {
	Name    string // from the root, torchvision's way: layer1.0.conv1
	Spec    Leaf
	In, Out Shape
	// Auxiliary says that the leaf belongs to an auxiliary head, which exists in training alone.
	Auxiliary bool
}

// Walk calls visit for every leaf of s in the order in which parameters are laid out: along the chain, within a residual
// block first the body and then the shortcut, in a DAG vertex by vertex. It stops at the first error.
func Walk(s Spec, in Shape, visit func(Site) error) error {
	_, err := walk("", s, in, visit)
	return err
}

func walk(name string, s Spec, in Shape, visit func(Site) error) (out Shape, err error) {
	switch s := s.(type) {
	case Sequential:
		for _, n := range s {
			if in, err = walk(join(name, n.Name), n.Spec, in, visit); err != nil {
				return Shape{}, err
			}
		}
		return in, nil
	case Residual:
		if out, err = s.Out(in); err != nil {
			return Shape{}, at(name, err)
		}
		if _, err = walk(name, s.Body, in, visit); err != nil {
			return Shape{}, err
		}
		_, err = walk(name, s.Shortcut, in, visit)
		return out, err
	case DAG:
		return s.walk(name, in, visit)
	case Auxiliary:
		if out, err = output(s, in); err != nil {
			return Shape{}, at(name, err)
		}
		_, err = walk(name, s.Head, in, func(site Site) error {
			site.Auxiliary = true
			return visit(site)
		})
		return out, err
	case Leaf:
		if out, err = output(s, in); err != nil {
			return Shape{}, at(name, err)
		}
		return out, visit(Site{Name: name, Spec: s, In: in, Out: out})
	}
	return Shape{}, at(name, fmt.Errorf("a spec of type %T is neither a leaf nor one of this package's compositions", s))
}

// Cost is the size of a network.
type Cost struct {
	Params  int // trained elements: weights, biases, batch norm's gamma and beta
	Buffers int // running statistics
	MACs    int // multiply-adds of one forward pass of one image in evaluation, so without auxiliary heads
}

// Count walks s and adds up its cost.
func Count(s Spec, in Shape) (Cost, error) {
	var c Cost
	err := Walk(s, in, func(site Site) error {
		if !site.Auxiliary {
			c.MACs += site.Spec.MACs(site.In)
		}
		for _, p := range site.Spec.Params(site.In) {
			if p.Kind.Buffer() {
				c.Buffers += p.Len()
			} else {
				c.Params += p.Len()
			}
		}
		return nil
	})
	return c, err
}
