package safetensors

import (
	"encoding/binary"
	"fmt"
)

// Float32 makes a tensor of values; it panics if shape does not hold just as many.
func Float32(name string, shape []int, values []float32) Tensor {
	return encode(name, F32, shape, values)
}

// Float64 makes a tensor of values; it panics if shape does not hold just as many.
func Float64(name string, shape []int, values []float64) Tensor {
	return encode(name, F64, shape, values)
}

// Int32 makes a tensor of values; it panics if shape does not hold just as many.
func Int32(name string, shape []int, values []int32) Tensor {
	return encode(name, I32, shape, values)
}

// Int64 makes a tensor of values; it panics if shape does not hold just as many.
func Int64(name string, shape []int, values []int64) Tensor {
	return encode(name, I64, shape, values)
}

// Uint8 makes a tensor of values; it panics if shape does not hold just as many.
func Uint8(name string, shape []int, values []uint8) Tensor {
	return encode(name, U8, shape, values)
}

// Float32s returns a copy of the values of a tensor of type F32.
func (t Tensor) Float32s() ([]float32, error) { return decode[float32](t, F32) }

// Float64s returns a copy of the values of a tensor of type F64.
func (t Tensor) Float64s() ([]float64, error) { return decode[float64](t, F64) }

// Int32s returns a copy of the values of a tensor of type I32.
func (t Tensor) Int32s() ([]int32, error) { return decode[int32](t, I32) }

// Int64s returns a copy of the values of a tensor of type I64.
func (t Tensor) Int64s() ([]int64, error) { return decode[int64](t, I64) }

// Uint8s returns a copy of the values of a tensor of type U8.
func (t Tensor) Uint8s() ([]uint8, error) { return decode[uint8](t, U8) }

type number interface {
	~float32 | ~float64 | ~int32 | ~int64 | ~uint8
}

func encode[T number](name string, d DType, shape []int, values []T) Tensor {
	n, ok := byteLen(d, shape)
	if !ok || n != int64(len(values))*int64(d.Size()) {
		panic(fmt.Sprintf("safetensors: tensor %q: shape %v for %d values", name, shape, len(values)))
	}
	data, err := binary.Append(make([]byte, 0, n), binary.LittleEndian, values)
	if err != nil {
		panic(err) // impossible: the values have a fixed size
	}
	return Tensor{Name: name, DType: d, Shape: append([]int{}, shape...), Data: data}
}

func decode[T number](t Tensor, want DType) ([]T, error) {
	if t.DType != want {
		return nil, fmt.Errorf("safetensors: tensor %q holds %s, not %s", t.Name, t.DType, want)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	values := make([]T, len(t.Data)/want.Size())
	if _, err := binary.Decode(t.Data, binary.LittleEndian, values); err != nil {
		return nil, fmt.Errorf("safetensors: tensor %q: %w", t.Name, err)
	}
	return values, nil
}

// check says whether type, shape and bytes of a tensor agree.
func (t Tensor) check() error {
	if t.DType.Size() == 0 {
		return fmt.Errorf("safetensors: tensor %q: unknown element type %q", t.Name, t.DType)
	}
	if n, ok := byteLen(t.DType, t.Shape); !ok || n != int64(len(t.Data)) {
		return fmt.Errorf("safetensors: tensor %q: shape %v of %s for %d bytes", t.Name, t.Shape, t.DType, len(t.Data))
	}
	return nil
}
