package nn

import (
	"fmt"
	"slices"
	"strings"

	"espalier/internal/safetensors"
)

// DiskShape is the tensor's shape on disk, PyTorch's: (OC,IC,KH,KW) for a convolution, (C,1,KH,KW) for a depthwise one,
// (OUT,IN) for a linear layer.
func (p Param) DiskShape() []int {
	s := p.Shape
	switch p.Kind {
	case ConvWeight:
		return []int{s[3], s[2], s[0], s[1]}
	case DepthwiseWeight:
		return []int{s[2], 1, s[0], s[1]}
	case LinearWeight:
		return []int{s[1], s[0]}
	}
	return slices.Clone(s)
}

// diskOrder calls f with the places of every element in memory and on disk. In memory the output channels run fastest, on
// disk slowest; between them stand the other axes, whose order differs for convolutions alone.
func (p Param) diskOrder(f func(memory, disk int)) {
	s := p.Shape
	taps, in, out := 1, 1, p.Len()
	switch p.Kind {
	case ConvWeight:
		taps, in, out = s[0]*s[1], s[2], s[3]
	case DepthwiseWeight:
		taps, out = s[0]*s[1], s[2]
	case LinearWeight:
		in, out = s[0], s[1]
	}
	for t := range taps {
		for i := range in {
			for o := range out {
				f((t*in+i)*out+o, (o*in+i)*taps+t)
			}
		}
	}
}

// Export makes named float32 tensors of v, which has this layout, in their shapes on disk.
func (l *Layout) Export(v []Float) []safetensors.Tensor {
	out := make([]safetensors.Tensor, 0, len(l.parts))
	for _, p := range l.parts {
		src, dst := p.Of(v), make([]float32, p.Len)
		p.diskOrder(func(memory, disk int) { dst[disk] = float32(src[memory]) })
		out = append(out, safetensors.Float32(p.Name, p.DiskShape(), dst))
	}
	return out
}

// Import sets v, which has this layout, from named float32 tensors in their shapes on disk. A tensor that is missing, left
// over, or of another shape is an error, and leaves v as it was.
func (l *Layout) Import(v []Float, tensors []safetensors.Tensor) error {
	values := make([][]float32, len(l.parts))
	for _, t := range tensors {
		i, ok := l.index[t.Name]
		if !ok {
			return fmt.Errorf("nn: the network has no tensor %q: the file is of another architecture", t.Name)
		}
		p := l.parts[i]
		if want := p.DiskShape(); !slices.Equal(t.Shape, want) {
			return fmt.Errorf("nn: tensor %q has shape %v in the file, %v in the network: the file is of another architecture", t.Name, t.Shape, want)
		}
		if values[i] != nil {
			return fmt.Errorf("nn: tensor %q is there twice", t.Name)
		}
		var err error
		if values[i], err = t.Float32s(); err != nil {
			return fmt.Errorf("nn: %w", err)
		}
	}
	for i, p := range l.parts {
		if values[i] == nil {
			return fmt.Errorf("nn: tensor %q is missing: the file is of another architecture, or incomplete", p.Name)
		}
	}
	for i, p := range l.parts {
		src, dst := values[i], p.Of(v)
		p.diskOrder(func(memory, disk int) { dst[memory] = Float(src[disk]) })
	}
	return nil
}

// Export makes named float32 tensors of weights and running statistics, as PyTorch's state_dict names and shapes them.
func (p *Params) Export() []safetensors.Tensor {
	return append(p.Layout.Export(p.Values), p.BufferLayout.Export(p.Buffers)...)
}

// Import sets weights and running statistics from named tensors, as Export or PyTorch's state_dict makes them; PyTorch's
// num_batches_tracked are ignored. On error nothing has changed.
func (p *Params) Import(tensors []safetensors.Tensor) error {
	var weights, buffers []safetensors.Tensor
	for _, t := range tensors {
		switch _, buffer := p.BufferLayout.Lookup(t.Name); {
		case buffer:
			buffers = append(buffers, t)
		case !strings.HasSuffix(t.Name, ".num_batches_tracked"):
			weights = append(weights, t)
		}
	}
	values := p.Layout.New()
	if err := p.Layout.Import(values, weights); err != nil {
		return err
	}
	if err := p.BufferLayout.Import(p.Buffers, buffers); err != nil {
		return err
	}
	copy(p.Values, values)
	return nil
}
