package safetensors_test

import (
	"bytes"
	"errors"
	"fmt"

	"espalier/internal/safetensors"
)

func Example() {
	var b bytes.Buffer
	err := safetensors.Write(&b, safetensors.File{
		Tensors:  []safetensors.Tensor{safetensors.Float32("fc.bias", []int{3}, []float32{0.5, -1, 2})},
		Metadata: map[string]string{"step": "12"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := safetensors.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	bias, _ := f.Tensor("fc.bias")
	values, err := bias.Float32s()
	fmt.Println(bias.Shape, values, f.Metadata, err)

	b.Bytes()[b.Len()-1] ^= 1
	_, err = safetensors.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	fmt.Println("one bit flipped:", errors.Is(err, safetensors.ErrCorrupt))
	// Output:
	// [3] [0.5 -1 2] map[step:12] <nil>
	// one bit flipped: true
}
