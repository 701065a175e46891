package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"

	"espalier/internal/safetensors"
	"espalier/nn"
)

// architectureKey is the entry of a file's metadata that describes the network, so that a model file needs no other.
const architectureKey = "architecture"

// architecture is the form of that entry.
type architecture struct {
	Input  nn.Shape      `json:"input"` // of an image
	Layers nn.Sequential `json:"layers"`
}

func architectureOf(net *nn.Net) (string, error) {
	b, err := json.Marshal(architecture{net.In, net.Spec})
	if err != nil {
		return "", fmt.Errorf("train: %w", err)
	}
	return string(b), nil
}

// WriteModel writes a model file: safetensors with the names and shapes of PyTorch's state_dict, float32, the network's
// architecture and what else metadata holds. params is a set of weights of net; nil means its own.
func WriteModel(w io.Writer, net *nn.Net, params *nn.Params, metadata map[string]string) error {
	if params == nil {
		params = net.Params
	}
	text, err := architectureOf(net)
	if err != nil {
		return err
	}
	all := map[string]string{architectureKey: text}
	maps.Copy(all, metadata)
	return safetensors.Write(w, safetensors.File{Tensors: params.Export(), Metadata: all})
}

// ReadModel makes the network that a model file describes, with its weights, and returns the file's metadata without the
// architecture. Errors name the file.
func ReadModel(path string) (*nn.Net, map[string]string, error) {
	f, err := safetensors.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	text, ok := f.Metadata[architectureKey]
	if !ok {
		return nil, nil, fmt.Errorf("train: %s does not say of what architecture it is; ReadWeights reads it into a network that exists", path)
	}
	var a architecture
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return nil, nil, fmt.Errorf("train: %s: architecture: %w", path, err)
	}
	net, err := nn.NewNet(a.Layers, a.Input)
	if err != nil {
		return nil, nil, fmt.Errorf("train: %s: architecture: %w", path, err)
	}
	if err := net.Params.Import(f.Tensors); err != nil {
		return nil, nil, fmt.Errorf("train: %s: %w", path, err)
	}
	delete(f.Metadata, architectureKey)
	return net, f.Metadata, nil
}

// ReadWeights sets the weights and running statistics of p from a safetensors file with the names and shapes of PyTorch's
// state_dict. On error, which names the file, p is as it was.
func ReadWeights(path string, p *nn.Params) error {
	f, err := safetensors.ReadFile(path)
	if err != nil {
		return err
	}
	if err := p.Import(f.Tensors); err != nil {
		return fmt.Errorf("train: %s: %w", path, err)
	}
	return nil
}
