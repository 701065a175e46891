// Package torchtest gives networks under test the weights and inputs that the scripts in bench/peers give theirs, so that
// results of PyTorch can be compared with. They are formulas, which need no file.
package torchtest

import (
	"math"
	"strings"
	"testing"

	"espalier/internal/safetensors"
	"espalier/nn"
)

// Wave is the scripts' formula for the n elements of something named: numbers of size at most 1.
func Wave(name string, n int) []float64 {
	start := 0.0
	for _, b := range []byte(name) {
		start += float64(b)
	}
	v := make([]float64, n)
	for i := range v {
		v[i] = math.Sin(start/10 + 12.9898*float64(i))
	}
	return v
}

// Fill sets weights and statistics to the scripts' formulas, tensor by tensor in the order on disk.
func Fill(t testing.TB, p *nn.Params) {
	t.Helper()
	tensors := p.Export()
	for i, tensor := range tensors {
		inputs, n := 1, 1
		for k, d := range tensor.Shape {
			n *= d
			if k > 0 {
				inputs *= d
			}
		}
		v := make([]float32, n)
		for k, w := range Wave(tensor.Name, n) {
			switch {
			case strings.HasSuffix(tensor.Name, "running_var"):
				w = 1 + 0.5*w
			case strings.HasSuffix(tensor.Name, "running_mean"):
				w *= 0.1
			case len(tensor.Shape) > 1:
				w *= math.Sqrt(3 / float64(inputs))
			case strings.HasSuffix(tensor.Name, "weight"):
				w = 1 + 0.3*w
			default:
				w *= 0.2
			}
			v[k] = float32(w)
		}
		tensors[i] = safetensors.Float32(tensor.Name, tensor.Shape, v)
	}
	if err := p.Import(tensors); err != nil {
		t.Fatal(err)
	}
}
