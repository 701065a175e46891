package nn

import (
	"slices"
	"strings"
	"testing"
	"unsafe"
)

func TestLayout(t *testing.T) {
	net := smallNet(t)
	l := net.Params.Layout
	v := l.New()
	if len(v) != l.Size() || l.Size()%16 != 0 {
		t.Errorf("a vector of %d elements for a layout of %d", len(v), l.Size())
	}
	if uintptr(unsafe.Pointer(&v[0]))%64 != 0 {
		t.Error("a vector does not begin on 64 bytes")
	}
	covered := make([]string, l.Size())
	for _, p := range l.Parts() {
		if p.Offset%16 != 0 {
			t.Errorf("%s begins at %d", p.Name, p.Offset)
		}
		for i := range p.Len {
			if covered[p.Offset+i] != "" {
				t.Fatalf("%s lies on %s", p.Name, covered[p.Offset+i])
			}
			covered[p.Offset+i] = p.Name
		}
		if got, ok := l.Lookup(p.Name); !ok || got.Offset != p.Offset {
			t.Errorf("lookup of %s: %+v, %v", p.Name, got, ok)
		}
		if w := l.View(v, p.Name); len(w) != p.Len || &w[0] != &v[p.Offset] {
			t.Errorf("the view of %s is not its part of the vector", p.Name)
		}
	}
	for i, name := range covered {
		if p, ok := l.At(i); ok != (name != "") || p.Name != name {
			t.Fatalf("element %d belongs to %q, At says %q, %v", i, name, p.Name, ok)
		}
	}
	if _, ok := l.At(-1); ok {
		t.Error("an element before the first tensor")
	}
	if _, ok := l.At(l.Size()); ok {
		t.Error("an element after the last tensor")
	}
	if l.View(v, "none") != nil {
		t.Error("a view of a tensor that is not there")
	}
	if _, err := NewLayout([]Param{{Name: "a", Shape: []int{1}, Kind: Bias}, {Name: "a", Shape: []int{2}, Kind: Bias}}); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("two tensors of one name: %v", err)
	}
	if !l.Same(smallNet(t).Params.Layout) || l.Same(net.Params.BufferLayout) {
		t.Error("Same does not tell layouts apart")
	}
}

// TestPadding checks that the padding between tensors stays zero through initialisation and training.
func TestPadding(t *testing.T) {
	net := smallNet(t)
	net.Params.Init(1)
	p, err := net.TrainProgram(2, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, labels := batchOf(net, 2, 1)
	if _, err := p.Step(x, labels); err != nil {
		t.Fatal(err)
	}
	for i := range net.Params.Values {
		if _, ok := net.Params.Layout.At(i); !ok && (net.Params.Values[i] != 0 || net.Params.Grads[i] != 0) {
			t.Fatalf("padding at %d holds a weight of %v and a gradient of %v", i, net.Params.Values[i], net.Params.Grads[i])
		}
	}
}

func TestParams(t *testing.T) {
	p := smallNet(t).Params
	q := p.Clone()
	if !q.Equal(p) {
		t.Error("a clone differs")
	}
	q.Value("layer1.0.bn1.running_mean")[0] = 3
	if q.Equal(p) || p.Value("layer1.0.bn1.running_mean")[0] == 3 {
		t.Error("a clone shares its running statistics, or Equal overlooks them")
	}
	values := slices.Clone(p.Values)
	values[0]++
	if w := p.With(values); w.Equal(p) || &w.Grads[0] != &p.Grads[0] || w.Value("conv1.weight")[0] != values[0] {
		t.Error("With does not change the values alone")
	}
	p.Grad("fc.bias")[1] = 7
	if part, _ := p.Layout.Lookup("fc.bias"); p.Grads[part.Offset+1] != 7 {
		t.Error("Grad is not a view")
	}
	defer func() {
		if r, _ := recover().(string); !strings.Contains(r, "different nets") {
			t.Errorf("copying parameters of another net: %v", r)
		}
	}()
	other, err := NewNet(Sequential{{"fc", Linear{Channels: 2}}}, Shape{1, 1, 3})
	if err != nil {
		t.Fatal(err)
	}
	p.CopyFrom(other.Params)
}
