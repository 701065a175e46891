package nn

import (
	"fmt"
	"slices"

	"espalier/internal/kernels"
)

// Kind says what a tensor of a network is for.
type Kind uint8

// The kinds of tensors. Shapes are those in memory.
const (
	ConvWeight      Kind = iota // (KH,KW,IC,OC)
	DepthwiseWeight             // (KH,KW,C)
	LinearWeight                // (IN,OUT)
	Bias                        // (OUT)
	NormGamma                   // (C), the scale of a batch norm
	NormBeta                    // (C), its shift
	RunningMean                 // (C), a buffer
	RunningVar                  // (C), a buffer; unbiased, as in PyTorch
)

var kindNames = [...]string{"conv weight", "depthwise weight", "linear weight", "bias", "norm gamma", "norm beta", "running mean", "running variance"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", k)
}

// Weight reports whether tensors of this kind multiply activations: convolution and linear weights, but neither biases nor
// the parameters of batch norm. These are the tensors that pruning may thin out and weight decay usually acts on.
func (k Kind) Weight() bool { return k <= LinearWeight }

// Buffer reports whether tensors of this kind are statistics, which no gradient changes.
func (k Kind) Buffer() bool { return k == RunningMean || k == RunningVar }

// Param is a tensor that a layer declares.
type Param struct {
	Name  string
	Shape []int // in memory
	Kind  Kind
	// Auxiliary says that it belongs to an auxiliary head, which exists in training alone. NewNet's layouts say so.
	Auxiliary bool
}

// Len is the number of elements.
func (p Param) Len() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// Part is a tensor's place in a flat vector.
type Part struct {
	Param
	Offset int // in elements, a multiple of partAlign
	Len    int
}

// End is where the next part begins, padding included.
func (p Part) End() int { return p.Offset + alignPart(p.Len) }

// partAlign is the number of elements to a multiple of which every part is rounded up: 64 bytes of float32. It is the same
// in double precision, so that both builds have one layout.
const partAlign = 16

func alignPart(n int) int { return (n + partAlign - 1) / partAlign * partAlign }

// Layout names the parts of a flat vector. Each part begins on a multiple of 16 elements; the padding between parts is zero
// in every vector and stays so. A Layout does not change once it is made; any number of vectors may share it.
type Layout struct {
	parts []Part
	size  int
	index map[string]int
}

// maxElements bounds vectors and feature maps: more than any network that this package can run, and few enough that sizes
// and sums of sizes are far from overflow.
const maxElements = 1 << 32

// NewLayout lays out the given tensors in order. A name that is used twice is an error, and so are more than 2³² elements.
func NewLayout(params []Param) (*Layout, error) {
	l := &Layout{index: make(map[string]int, len(params))}
	for _, p := range params {
		if !fits(maxElements-l.size, p.Shape...) {
			return nil, fmt.Errorf("nn: tensor %q of shape %v is too large", p.Name, p.Shape)
		}
		if _, dup := l.index[p.Name]; dup {
			return nil, fmt.Errorf("nn: two tensors are named %q", p.Name)
		}
		l.index[p.Name] = len(l.parts)
		l.parts = append(l.parts, Part{Param: p, Offset: l.size, Len: p.Len()})
		l.size += alignPart(p.Len())
	}
	return l, nil
}

// fits reports whether sizes are at least 0 and their product at most limit.
func fits(limit int, sizes ...int) bool {
	n := 1
	for _, d := range sizes {
		if d < 0 || d > 0 && n > limit/d {
			return false
		}
		n *= d
	}
	return n <= limit
}

// Parts are the tensors in order. The caller must not change them.
func (l *Layout) Parts() []Part { return l.parts }

// Size is the length of a vector, padding included.
func (l *Layout) Size() int { return l.size }

// Count is the number of elements of all tensors, padding not included.
func (l *Layout) Count() int {
	n := 0
	for _, p := range l.parts {
		n += p.Len
	}
	return n
}

// New is a zero vector of this layout, aligned to 64 bytes.
func (l *Layout) New() []Float { return kernels.Alloc(l.size) }

// Lookup finds a tensor by name.
func (l *Layout) Lookup(name string) (Part, bool) {
	i, ok := l.index[name]
	if !ok {
		return Part{}, false
	}
	return l.parts[i], true
}

// View is the part of v that belongs to the named tensor, or nil if there is no such tensor.
func (l *Layout) View(v []Float, name string) []Float {
	p, ok := l.Lookup(name)
	if !ok {
		return nil
	}
	return p.Of(v)
}

// Of is this part of v, without its padding.
func (p Part) Of(v []Float) []Float {
	return v[p.Offset : p.Offset+p.Len : p.Offset+p.Len]
}

// At is the tensor that holds element i of a vector, and false for padding or an index outside.
func (l *Layout) At(i int) (Part, bool) {
	k, found := slices.BinarySearchFunc(l.parts, i, func(p Part, i int) int { return p.Offset - i })
	if !found {
		k--
	}
	if k < 0 || i >= l.parts[k].Offset+l.parts[k].Len {
		return Part{}, false
	}
	return l.parts[k], true
}

// Same reports whether m names the same tensors at the same places.
func (l *Layout) Same(m *Layout) bool {
	return l == m || slices.EqualFunc(l.parts, m.parts, func(a, b Part) bool {
		return a.Name == b.Name && a.Kind == b.Kind && a.Offset == b.Offset && slices.Equal(a.Shape, b.Shape)
	})
}
