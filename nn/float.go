package nn

import (
	"unsafe"

	"gorgonia.org/tensor"

	"espalier/internal/kernels"
)

// Float is the element type of every tensor in memory: float32, or float64 under the build tag f64.
type Float = kernels.Float

const floatSize = int(unsafe.Sizeof(Float(0))) // bytes

// dtype is Gorgonia's name for Float.
var dtype = tensor.New(tensor.WithBacking([]Float{0})).Dtype()
