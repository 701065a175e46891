package safetensors

import "math/bits"

// DType is the format's name of an element type.
type DType string

// The element types that the format knows, those narrower than a byte excepted.
const (
	Bool   DType = "BOOL"
	U8     DType = "U8"
	I8     DType = "I8"
	F8E4M3 DType = "F8_E4M3"
	F8E5M2 DType = "F8_E5M2"
	F8E8M0 DType = "F8_E8M0"
	U16    DType = "U16"
	I16    DType = "I16"
	F16    DType = "F16"
	BF16   DType = "BF16"
	U32    DType = "U32"
	I32    DType = "I32"
	F32    DType = "F32"
	U64    DType = "U64"
	I64    DType = "I64"
	F64    DType = "F64"
	C64    DType = "C64"
)

// Size is the number of bytes of an element, or 0 if the type is unknown.
func (d DType) Size() int {
	switch d {
	case Bool, U8, I8, F8E4M3, F8E5M2, F8E8M0:
		return 1
	case U16, I16, F16, BF16:
		return 2
	case U32, I32, F32:
		return 4
	case U64, I64, F64, C64:
		return 8
	}
	return 0
}

// byteLen is the number of bytes of a tensor; ok is false if an axis is negative or the number does not fit int64.
func byteLen(d DType, shape []int) (n int64, ok bool) {
	total, empty := uint64(d.Size()), false
	for _, axis := range shape {
		if axis < 0 {
			return 0, false
		}
		if axis == 0 {
			empty = true
			continue
		}
		high, low := bits.Mul64(total, uint64(axis))
		if high != 0 || low > 1<<63-1 {
			return 0, false
		}
		total = low
	}
	if empty {
		total = 0
	}
	return int64(total), true
}
