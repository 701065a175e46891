package prune

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"espalier/internal/safetensors"
	"espalier/optim"
)

func TestFile(t *testing.T) {
	w := weights(t, 10)
	m := must(t)(Prune(Magnitude{}, w, Options{Sparsity: 0.7}))
	path := filepath.Join(t.TempDir(), "mask.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	back := must(t)(Load(path, w.Layout))
	if !back.Equal(m) {
		t.Error("the mask that was read differs")
	}
	f, err := safetensors.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Tensors) != 4 {
		t.Errorf("%d tensors in the file, want the four prunable ones", len(f.Tensors))
	}
	if c, _ := f.Tensor("conv2.weight"); !slices.Equal(c.Shape, []int{16, 8, 3, 3}) {
		t.Errorf("conv2.weight has shape %v on disk, want OIHW", c.Shape)
	}
	for want, change := range map[string]func(f *safetensors.File){
		`"fc.weight" is missing`: func(f *safetensors.File) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == "fc.weight" })
		},
		`no tensor "more"`: func(f *safetensors.File) {
			f.Tensors = append(f.Tensors, safetensors.Float32("more", []int{1}, []float32{1}))
		},
		"want 0 or 1": func(f *safetensors.File) {
			for i, t := range f.Tensors {
				if t.Name == "fc.weight" {
					f.Tensors[i] = safetensors.Float32(t.Name, t.Shape, slices.Repeat([]float32{0.5}, 160))
				}
			}
		},
		"but says": func(f *safetensors.File) { f.Metadata["kept"] = "7" },
	} {
		bad, err := safetensors.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		change(&bad)
		badPath := filepath.Join(t.TempDir(), "bad.safetensors")
		if err := safetensors.WriteFile(badPath, bad); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(badPath, w.Layout); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), badPath) {
			t.Errorf("got %v, want %q and the path", err, want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none"), w.Layout); err == nil {
		t.Error("a file that is not there was read")
	}
}

// FuzzLoad: whatever bytes a file has, reading it gives a mask or an error, and a mask that is read can be written and read
// again.
func FuzzLoad(f *testing.F) {
	w := weights(f, 11)
	path := filepath.Join(f.TempDir(), "seed")
	if err := must(f)(Prune(Magnitude{}, w, Options{Sparsity: 0.5})).Save(path); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(bytes.Replace(b, []byte("kept"), []byte("keep"), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "mask")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := Load(path, w.Layout)
		if err != nil {
			return
		}
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		if !must(t)(Load(path, w.Layout)).Equal(m) {
			t.Fatal("the mask changed")
		}
	})
}

// TestFineTuning: with gradients masked, removed weights stay +0 through momentum, Nesterov and weight decay, under every
// optimizer, while the kept ones move.
func TestFineTuning(t *testing.T) {
	n := layout(t).Size()
	adam := optim.DefaultAdam()
	adam.WeightDecay = 5e-4
	for name, o := range map[string]optim.Optimizer{
		"sgd":      optim.NewSGD(n, optim.SGDOptions{Momentum: 0.9, WeightDecay: 5e-4}),
		"nesterov": optim.NewSGD(n, optim.SGDOptions{Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4}),
		"adam":     optim.NewAdam(n, adam),
		"adamw":    optim.NewAdam(n, optim.DefaultAdamW()),
	} {
		w := weights(t, 12)
		m := must(t)(Prune(Magnitude{}, w, Options{Sparsity: 0.8}))
		m.Apply(w.Values)
		before := slices.Clone(w.Values)
		for step := range uint64(50) {
			copy(w.Grads, weights(t, 100+step).Values)
			m.Apply(w.Grads)
			o.Step(w.Values, w.Grads, 0.1)
		}
		if got, want := Zeros(w.Layout, w.Values), prunable-m.Kept(); got != want {
			t.Errorf("%s: %d zeros after 50 steps, want %d", name, got, want)
		}
		masked := slices.Clone(w.Values)
		m.Apply(masked)
		if !slices.Equal(masked, w.Values) {
			t.Errorf("%s: a removed weight moved", name)
		}
		moved := 0
		for _, p := range w.Layout.Parts() {
			for i, x := range p.Of(w.Values) {
				if x != p.Of(before)[i] {
					moved++
				}
			}
		}
		if want := w.Layout.Count() - prunable + m.Kept(); moved != want {
			t.Errorf("%s: %d weights moved, want %d", name, moved, want)
		}
	}
}
