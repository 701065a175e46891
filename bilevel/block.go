package bilevel

import (
	"fmt"

	"espalier/internal/safetensors"
)

// Float is what variables are made of.
type Float interface{ float32 | float64 }

// Block is a named vector of variables. Its values may be changed between steps; the slice must stay the same.
type Block[T Float] struct {
	Name  string
	Value []T
	Codec Codec[T] // how vectors of this block are saved; nil: as one flat tensor in the precision of T
}

// Codec turns vectors of a block into named tensors and back. An nn.Layout is the codec of a network's vectors.
type Codec[T Float] interface {
	Export(v []T) []safetensors.Tensor
	// Import sets v, and reports tensors that do not fit.
	Import(v []T, tensors []safetensors.Tensor) error
}

// NewBlock is a block with the given values, which it keeps.
func NewBlock[T Float](name string, value ...T) *Block[T] { return &Block[T]{Name: name, Value: value} }

func (b *Block[T]) codec() Codec[T] {
	if b.Codec != nil {
		return b.Codec
	}
	return flat[T]{}
}

// flat saves a vector as one tensor without a name.
type flat[T Float] struct{}

func (flat[T]) Export(v []T) []safetensors.Tensor {
	shape := []int{len(v)}
	switch v := any(v).(type) {
	case []float32:
		return []safetensors.Tensor{safetensors.Float32("", shape, v)}
	case []float64:
		return []safetensors.Tensor{safetensors.Float64("", shape, v)}
	}
	panic("unreachable")
}

func (flat[T]) Import(v []T, tensors []safetensors.Tensor) error {
	if len(tensors) != 1 || len(tensors[0].Shape) != 1 || tensors[0].Shape[0] != len(v) {
		return fmt.Errorf("bilevel: %d tensors where one of %d elements is needed", len(tensors), len(v))
	}
	var err error
	switch v := any(v).(type) {
	case []float32:
		var values []float32
		values, err = tensors[0].Float32s()
		copy(v, values)
	case []float64:
		var values []float64
		values, err = tensors[0].Float64s()
		copy(v, values)
	}
	return err
}

// firstNotFinite is the index of the first NaN or infinity in x, or −1.
func firstNotFinite[T Float](x []T) int {
	var zero T // stays so unless something is not finite
	for _, v := range x {
		zero += v - v
	}
	if zero == 0 {
		return -1
	}
	for i, v := range x {
		if v-v != 0 {
			return i
		}
	}
	return -1
}
