package nn

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"espalier/internal/safetensors"
)

// TestDiskOrder checks against numbers written out that memory's order becomes PyTorch's.
func TestDiskOrder(t *testing.T) {
	for _, c := range []struct {
		p      Param
		memory []Float
		shape  []int
		disk   []float32
	}{
		// Elements are named by their digits: output channel, input channel, row, column.
		{Param{Name: "conv", Shape: []int{1, 2, 2, 3}, Kind: ConvWeight},
			[]Float{0000, 1000, 2000, 100, 1100, 2100, 1, 1001, 2001, 101, 1101, 2101},
			[]int{3, 2, 1, 2},
			[]float32{0, 1, 100, 101, 1000, 1001, 1100, 1101, 2000, 2001, 2100, 2101}},
		{Param{Name: "depthwise", Shape: []int{2, 1, 3}, Kind: DepthwiseWeight},
			[]Float{0, 100, 200, 10, 110, 210},
			[]int{3, 1, 2, 1},
			[]float32{0, 10, 100, 110, 200, 210}},
		{Param{Name: "linear", Shape: []int{2, 3}, Kind: LinearWeight},
			[]Float{0, 10, 20, 1, 11, 21},
			[]int{3, 2},
			[]float32{0, 1, 10, 11, 20, 21}},
		{Param{Name: "bias", Shape: []int{3}, Kind: Bias}, []Float{1, 2, 3}, []int{3}, []float32{1, 2, 3}},
	} {
		l, err := NewLayout([]Param{c.p})
		if err != nil {
			t.Fatal(err)
		}
		v := l.New()
		copy(v, c.memory)
		tensors := l.Export(v)
		got, err := tensors[0].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, c.disk) || !slices.Equal(tensors[0].Shape, c.shape) {
			t.Errorf("%s on disk: %v %v, want %v %v", c.p.Name, tensors[0].Shape, got, c.shape, c.disk)
		}
		back := l.New()
		if err := l.Import(back, tensors); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(back, v) {
			t.Errorf("%s came back as %v", c.p.Name, back)
		}
	}
}

// TestExportImport checks that all weights and statistics survive, and that PyTorch's counters do no harm.
func TestExportImport(t *testing.T) {
	p := smallNet(t).Params
	p.Init(4)
	p.Value("bn1.running_mean")[2] = 5
	tensors := append(p.Export(), safetensors.Int64("bn1.num_batches_tracked", nil, []int64{9}))
	q := NewParams(p.Layout, p.BufferLayout)
	slices.Reverse(tensors)
	if err := q.Import(tensors); err != nil {
		t.Fatal(err)
	}
	if !q.Equal(p) {
		t.Error("weights came back changed")
	}
}

func TestImportErrors(t *testing.T) {
	p := smallNet(t).Params
	for _, c := range []struct {
		want string
		edit func([]safetensors.Tensor) []safetensors.Tensor
	}{
		{`no tensor "extra"`, func(ts []safetensors.Tensor) []safetensors.Tensor {
			return append(ts, safetensors.Float32("extra", []int{1}, []float32{1}))
		}},
		{`"conv1.weight" is missing`, func(ts []safetensors.Tensor) []safetensors.Tensor { return ts[1:] }},
		{"is missing", func(ts []safetensors.Tensor) []safetensors.Tensor { return ts[:len(ts)-1] }},
		{`"conv1.weight" is there twice`, func(ts []safetensors.Tensor) []safetensors.Tensor { return append(ts, ts[0]) }},
		{"shape [4 3 9 1] in the file, [4 3 3 3] in the network", func(ts []safetensors.Tensor) []safetensors.Tensor {
			ts[0].Shape = []int{4, 3, 9, 1}
			return ts
		}},
		{"F64", func(ts []safetensors.Tensor) []safetensors.Tensor {
			ts[0] = safetensors.Float64(ts[0].Name, ts[0].Shape, make([]float64, 108))
			return ts
		}},
	} {
		q := p.Clone()
		if err := q.Import(c.edit(p.Export())); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %v, want …%s…", err, c.want)
		}
		if !reflect.DeepEqual(q, p.Clone()) {
			t.Errorf("%s: a failed import changed weights", c.want)
		}
	}
}
