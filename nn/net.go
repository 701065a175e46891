package nn

import (
	"errors"
)

// Net is a spec for images of one shape, with its parameters.
type Net struct {
	Spec    Sequential
	In, Out Shape   // Out is 1×1×K: the logits
	Params  *Params // the weights that programs begin with

	units  []unit
	memory memory
}

// NewNet works out the shapes of spec for images of shape in and lays out its parameters. Weights are zero until Init or
// Import sets them. A spec that does not fit is a *SpecError.
func NewNet(spec Sequential, in Shape) (*Net, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	layout, bufferLayout, err := Layouts(spec, in)
	if err != nil {
		return nil, err
	}
	us, err := units(spec, in)
	if err != nil {
		return nil, err
	}
	if len(us) == 0 {
		return nil, errors.New("nn: a network without layers")
	}
	return &Net{Spec: spec, In: in, Out: us[len(us)-1].out, Params: NewParams(layout, bufferLayout), units: us}, nil
}

// Layouts lay out the parameters and the running statistics of a spec for input of shape in, in the order of Walk.
func Layouts(spec Spec, in Shape) (values, buffers *Layout, err error) {
	var trained, running []Param
	err = Walk(spec, in, func(site Site) error {
		for _, p := range site.Spec.Params(site.In) {
			p.Name, p.Auxiliary = join(site.Name, p.Name), site.Auxiliary
			if p.Kind.Buffer() {
				running = append(running, p)
			} else {
				trained = append(trained, p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if values, err = NewLayout(trained); err != nil {
		return nil, nil, err
	}
	buffers, err = NewLayout(running)
	return values, buffers, err
}

// Cost counts the net's parameters and multiply-adds.
func (n *Net) Cost() Cost {
	c, err := Count(n.Spec, n.In)
	if err != nil {
		panic(err) // NewNet walked it
	}
	return c
}
