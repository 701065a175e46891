package safetensors

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

// TestPython reads a file that Python's package wrote (testdata/make.py), and writes the same bytes, the checksum apart.
func TestPython(t *testing.T) {
	f, err := ReadFile("testdata/python.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Metadata["model"], `{"name":"a<b> ü"}`; got != want || len(f.Metadata) != 1 {
		t.Errorf("metadata %q, want %q", f.Metadata, want)
	}
	want := []Tensor{
		Int64("bn1.num_batches_tracked", nil, []int64{7}),
		Float64("scores", []int{2}, []float64{-1.5, 1e300}),
		Float32("layer1.0.conv1.weight", []int{2, 3}, []float32{0, 0.25, 0.5, 0.75, 1, 1.25}),
		Int32("targets", []int{2}, []int32{3, -4}),
		{Name: "none", DType: F16, Shape: []int{0, 2}},
		Uint8("mask", []int{3}, []uint8{1, 0, 1}),
	}
	if len(f.Tensors) != len(want) {
		t.Fatalf("%d tensors, want %d", len(f.Tensors), len(want))
	}
	for i, w := range want {
		g := f.Tensors[i]
		if g.Name != w.Name || g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) || !bytes.Equal(g.Data, w.Data) {
			t.Errorf("%+v, want %+v", g, w)
		}
	}
	theirs, err := os.ReadFile("testdata/python.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	var ours bytes.Buffer
	if err := writePlain(&ours, slices.Clone(f.Tensors), f.Metadata); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours.Bytes(), theirs) {
		t.Errorf("ours, without a checksum, differs from theirs:\n%q\n%q", ours.Bytes(), theirs)
	}
}
