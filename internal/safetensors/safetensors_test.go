package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func sample() File {
	return File{
		Tensors: []Tensor{
			Uint8("mask", []int{3}, []uint8{0, 255, 7}),
			Float32("layer1.0.conv1.weight", []int{2, 3}, []float32{1, -2, float32(math.Inf(1)), 0, 1e-45, 3}),
			Float64("loss", nil, []float64{math.Pi}),
			Int32("b", []int{0, 4}, nil),
			Int64("step", []int{1}, []int64{math.MinInt64}),
		},
		Metadata: map[string]string{"model": `{"name":"a<b>"}`, "naïve \u2028\"": "\x00\n"},
	}
}

func written(t testing.TB, f File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(b []byte) (File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	want := sample()
	if err := WriteFile(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Metadata, want.Metadata) {
		t.Errorf("metadata %q, want %q", got.Metadata, want.Metadata)
	}
	var names []string
	for _, g := range got.Tensors {
		names = append(names, g.Name)
		w, _ := want.Tensor(g.Name)
		if g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) || !bytes.Equal(g.Data, w.Data) {
			t.Errorf("%+v, want %+v", g, w)
		}
	}
	if order := []string{"loss", "step", "b", "layer1.0.conv1.weight", "mask"}; !slices.Equal(names, order) {
		t.Errorf("order %q, want %q", names, order)
	}
	weight, _ := got.Tensor("layer1.0.conv1.weight")
	if v, err := weight.Float32s(); err != nil || v[1] != -2 || v[4] != 1e-45 {
		t.Errorf("Float32s: %v, %v", v, err)
	}
	if _, err := weight.Float64s(); err == nil {
		t.Error("Float64s of an F32 tensor")
	}
	loss, _ := got.Tensor("loss")
	if v, err := loss.Float64s(); err != nil || !slices.Equal(v, []float64{math.Pi}) {
		t.Errorf("Float64s: %v, %v", v, err)
	}
	step, _ := got.Tensor("step")
	if v, err := step.Int64s(); err != nil || !slices.Equal(v, []int64{math.MinInt64}) {
		t.Errorf("Int64s: %v, %v", v, err)
	}
	mask, _ := got.Tensor("mask")
	if v, err := mask.Uint8s(); err != nil || !slices.Equal(v, []uint8{0, 255, 7}) {
		t.Errorf("Uint8s: %v, %v", v, err)
	}
	empty, _ := got.Tensor("b")
	if v, err := empty.Int32s(); err != nil || len(v) != 0 {
		t.Errorf("Int32s: %v, %v", v, err)
	}
	if _, ok := got.Tensor("none"); ok {
		t.Error("found a tensor that is not there")
	}
}

// TestDeterministic writes the same content in another order, and looks at the layout.
func TestDeterministic(t *testing.T) {
	a := sample()
	b := sample()
	slices.Reverse(b.Tensors)
	first, second := written(t, a), written(t, b)
	if !bytes.Equal(first, second) {
		t.Error("the order of the tensors changes the file")
	}
	if !reflect.DeepEqual(b.Metadata, sample().Metadata) || b.Tensors[0].Name != "step" {
		t.Error("Write changed its argument")
	}
	n := binary.LittleEndian.Uint64(first)
	if n%8 != 0 {
		t.Errorf("a header of %d bytes", n)
	}
	h, err := ReadHeader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range h.Tensors {
		if x.Begin%int64(x.DType.Size()) != 0 {
			t.Errorf("tensor %s is not aligned", x.Name)
		}
	}
	got, err := read(first)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written(t, got), first) {
		t.Error("a file read and written again differs")
	}
}

func TestEmptyFile(t *testing.T) {
	got, err := read(written(t, File{}))
	if err != nil || len(got.Tensors) != 0 || got.Metadata != nil {
		t.Errorf("%+v, %v", got, err)
	}
	b := plain(`{}`, "")
	if got, err = read(b); err != nil || len(got.Tensors) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestDigest computes the checksum from its description: that of the file without the entry.
func TestDigest(t *testing.T) {
	h, err := ReadHeader(bytes.NewReader(written(t, File{Tensors: []Tensor{Uint8("x", []int{2}, []uint8{1, 2})}})), -1)
	if err == nil {
		t.Error("a negative size")
	}
	b := written(t, File{Tensors: []Tensor{Uint8("x", []int{2}, []uint8{1, 2})}})
	if h, err = ReadHeader(bytes.NewReader(b), int64(len(b))); err != nil {
		t.Fatal(err)
	}
	without := plain(`{"__metadata__":{"checksum":"sha256"},"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "\x01\x02")
	sum := sha256.Sum256(without)
	if got := h.Metadata["sha256"]; got != hex.EncodeToString(sum[:]) {
		t.Errorf("sha256 %s, want %x", got, sum)
	}
}

// TestDamage flips every bit of a file in turn, and cuts it short at every byte.
func TestDamage(t *testing.T) {
	b := written(t, sample())
	for i := range 8 * len(b) {
		b[i/8] ^= 1 << (i % 8)
		if f, err := read(b); !errors.Is(err, ErrCorrupt) || f.Tensors != nil {
			t.Fatalf("bit %d of byte %d flipped: error %v", i%8, i/8, err)
		}
		b[i/8] ^= 1 << (i % 8)
	}
	for n := range len(b) {
		if _, err := read(b[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut to %d bytes: error %v", n, err)
		}
		if _, err := Read(bytes.NewReader(b[:n]), int64(len(b))); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut to %d bytes while open: error %v", n, err)
		}
	}
	if _, err := read(append(slices.Clone(b), 0)); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("one byte more: error %v", err)
	}
	if _, err := read(b); err != nil {
		t.Fatal(err)
	}
}

func TestErrorNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cut.safetensors")
	b := written(t, sample())
	if err := os.WriteFile(path, b[:len(b)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ReadFile(path)
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("error %v", err)
	}
	if _, err = ReadFile(path + ".none"); !errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrCorrupt) {
		t.Errorf("error %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	x := Uint8("x", []int{1}, []uint8{1})
	for name, f := range map[string]File{
		"twice":         {Tensors: []Tensor{x, x}},
		"metadata":      {Tensors: []Tensor{Uint8("__metadata__", []int{1}, []uint8{1})}},
		"UTF-8":         {Tensors: []Tensor{Uint8("\xff", []int{1}, []uint8{1})}},
		"shape":         {Tensors: []Tensor{{Name: "x", DType: U8, Shape: []int{2}, Data: []byte{1}}}},
		"negative":      {Tensors: []Tensor{{Name: "x", DType: U8, Shape: []int{-1, -1}, Data: []byte{1}}}},
		"type":          {Tensors: []Tensor{{Name: "x", DType: "U9", Shape: []int{1}, Data: []byte{1}}}},
		"rank":          {Tensors: []Tensor{{Name: "x", DType: U8, Shape: make([]int, 65)}}},
		"reserved":      {Metadata: map[string]string{"sha256": ""}},
		"reserved too":  {Metadata: map[string]string{"checksum": ""}},
		"metadata text": {Metadata: map[string]string{"a": "\xff"}},
	} {
		var b bytes.Buffer
		if err := Write(&b, f); err == nil || b.Len() > 0 {
			t.Errorf("%s: error %v, %d bytes", name, err, b.Len())
		}
	}
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "[3]") || !strings.Contains(p, "2 values") {
			t.Errorf("panic %q", p)
		}
	}()
	Float32("x", []int{3}, make([]float32, 2))
}
