package train

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"espalier/datasets"
	"espalier/internal/safetensors"
	"espalier/nn"
)

func TestModelFile(t *testing.T) {
	d := open(t, t.TempDir())
	s := tiny(t, recipes["nesterov"])
	if _, err := Run(context.Background(), d, s, Options{Epochs: 1}); err != nil {
		t.Fatal(err)
	}
	err := d.Write("model.safetensors", func(w io.Writer) error {
		return WriteModel(w, s.net, s.Params(), map[string]string{"dataset": "stripes"})
	})
	if err != nil {
		t.Fatal(err)
	}
	path := d.Path("model.safetensors")
	net, metadata, err := ReadModel(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(metadata) != 1 || metadata["dataset"] != "stripes" {
		t.Errorf("metadata %v", metadata)
	}
	if single && !net.Params.Equal(s.Params()) {
		t.Error("the weights changed on the way")
	}
	p, err := net.EvalProgram(9, nn.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	validation := loader(t, stripes(25, 2), datasets.LoaderOptions{Batch: 9})
	got, err := Evaluate(context.Background(), p, validation, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Evaluate(context.Background(), validation, nil)
	if err != nil {
		t.Fatal(err)
	}
	if single && got != want {
		t.Errorf("%+v, from the file %+v", want, got)
	}

	same := tinyNet(t, 3)
	if err := ReadWeights(path, same.Params); err != nil {
		t.Fatal(err)
	}
	if !same.Params.Equal(net.Params) {
		t.Error("ReadWeights and ReadModel differ")
	}
	other := tinyNet(t, 4)
	if err := ReadWeights(path, other.Params); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "fc.") {
		t.Errorf("weights of another network: %v", err)
	}
	rewrite(t, path, damages["a bit of the data"])
	if _, _, err := ReadModel(path); !errors.Is(err, safetensors.ErrCorrupt) {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestModelRefused(t *testing.T) {
	net := tinyNet(t, 3)
	for text, say := range map[string]string{
		"":                              "does not say of what architecture",
		"{":                             "architecture: ",
		`{"input":{"h":8},"colour":1}`:  "unknown field",
		`{"input":{"h":8},"layers":[]}`: "architecture: nn: ",
		`{"input":{"h":8,"w":8,"c":3},"layers":[{"name":"fc","linear":{"channels":3}}]}`: "fc",
	} {
		path := filepath.Join(t.TempDir(), "model.safetensors")
		f := safetensors.File{Tensors: net.Params.Export()}
		if text != "" {
			f.Metadata = map[string]string{architectureKey: text}
		}
		if err := safetensors.WriteFile(path, f); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ReadModel(path); err == nil || !strings.Contains(err.Error(), say) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, want %q", text, err, say)
		}
	}
	if _, _, err := ReadModel(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
