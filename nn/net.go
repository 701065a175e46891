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
	us, params, buffers, err := units(spec, in)
	if err != nil {
		return nil, err
	}
	if len(us) == 0 {
		return nil, errors.New("nn: a network without layers")
	}
	layout, err := NewLayout(params)
	if err != nil {
		return nil, err
	}
	bufferLayout, err := NewLayout(buffers)
	if err != nil {
		return nil, err
	}
	return &Net{Spec: spec, In: in, Out: us[len(us)-1].out, Params: NewParams(layout, bufferLayout), units: us}, nil
}

// Cost counts the net's parameters and multiply-adds.
func (n *Net) Cost() Cost {
	c, err := Count(n.Spec, n.In)
	if err != nil {
		panic(err) // NewNet walked it
	}
	return c
}
