package prune

import (
	"fmt"
	"strconv"

	"espalier/internal/safetensors"
	"espalier/nn"
)

// Save writes the mask beside a model: the prunable tensors alone, with the model's names and shapes on disk, as 0 and 1
// in float32, and the counts in the metadata.
func (m *Mask) Save(path string) error {
	part, v := m.prunable()
	for _, p := range part.Parts() {
		copy(p.Of(v), m.layout.View(m.keep, p.Name))
	}
	sum := m.Sum()
	return safetensors.WriteFile(path, safetensors.File{
		Tensors:  part.Export(v),
		Metadata: map[string]string{"kind": "mask", "kept": strconv.Itoa(sum.Kept), "total": strconv.Itoa(sum.Total)},
	})
}

// Load reads a mask for weights of the layout. A tensor that is missing, left over or of another shape, a value other than
// 0 and 1, and counts other than those in the metadata are errors with the path.
func Load(path string, l *nn.Layout) (*Mask, error) {
	f, err := safetensors.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("prune: %w", err)
	}
	m := NewMask(l)
	part, v := m.prunable()
	if err := part.Import(v, f.Tensors); err != nil {
		return nil, fmt.Errorf("prune: %s: %w", path, err)
	}
	for _, p := range part.Parts() {
		if err := m.Set(p.Name, p.Of(v)); err != nil {
			return nil, fmt.Errorf("prune: %s: %w", path, err)
		}
	}
	if kept := strconv.Itoa(m.Kept()); f.Metadata["kept"] != kept {
		return nil, fmt.Errorf("prune: %s: keeps %s weights, but says %q", path, kept, f.Metadata["kept"])
	}
	return m, nil
}

// prunable is a layout of the prunable tensors alone, and a vector of it.
func (m *Mask) prunable() (*nn.Layout, []nn.Float) {
	var params []nn.Param
	for _, p := range Prunable(m.layout) {
		params = append(params, p.Param)
	}
	l, err := nn.NewLayout(params)
	if err != nil {
		panic(err) // the names are distinct in the whole layout
	}
	return l, l.New()
}
