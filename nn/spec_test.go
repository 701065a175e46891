package nn

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestFuse checks what becomes one unit.
func TestFuse(t *testing.T) {
	net := smallNet(t)
	var got []string
	for _, u := range net.units {
		got = append(got, fmt.Sprintf("%s %T %v->%v", u.name, u.build, u.in, u.out))
	}
	want := []string{
		"conv1+layer1.0 nn.stemmed 9x8x3->9x8x4",
		"layer1.1 nn.Residual 9x8x4->5x4x8",
		"layer2.0 nn.Residual 5x4x8->3x2x10",
		"pool nn.MaxPool 3x2x10->1x1x10",
		"dw nn.Depthwise 1x1x10->1x1x10",
		"bn2 nn.normReLU 1x1x10->1x1x10",
		"avgpool nn.GlobalAvgPool 1x1x10->1x1x10",
		"fc nn.Linear 1x1x10->1x1x5",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("units are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestUnitsCoverLayout checks that the units' parts make up the whole vectors.
func TestUnitsCoverLayout(t *testing.T) {
	net := smallNet(t)
	values, buffers := 0, 0
	for _, u := range net.units {
		if u.values.from != values || u.buffers.from != buffers {
			t.Errorf("%s begins at %d and %d, the unit before ended at %d and %d", u.name, u.values.from, u.buffers.from, values, buffers)
		}
		values, buffers = u.values.to, u.buffers.to
	}
	if values != net.Params.Layout.Size() || buffers != net.Params.BufferLayout.Size() {
		t.Errorf("units end at %d and %d of %d and %d", values, buffers, net.Params.Layout.Size(), net.Params.BufferLayout.Size())
	}
}

// TestSpecErrors checks that what does not fit is refused with the layer's name.
func TestSpecErrors(t *testing.T) {
	in := Shape{8, 8, 4}
	conv := Conv{Channels: 4, Kernel: 3, Pad: 1}
	in2 := Sequential{{"conv", conv}, {"bn", BatchNorm{}}}
	for _, c := range []struct {
		spec Sequential
		want string
	}{
		{nil, "without layers"},
		{Sequential{{"a", Sequential{{"b", Conv{Channels: 4, Kernel: 9}}}}}, "layer a.b: kernels: "},
		{Sequential{{"a", Conv{Channels: 0, Kernel: 3}}}, "at least 1"},
		{Sequential{{"a", Conv{Channels: 1, Kernel: 3, Stride: -1}}}, "layer a"},
		{Sequential{{"a", Depthwise{Kernel: 3, Dilation: -1}}}, "layer a"},
		{Sequential{{"a", MaxPool{Kernel: 2, Pad: 2}}}, "padding from 0 to K-1"},
		{Sequential{{"a", AvgPool{}}}, "at least 1"},
		{Sequential{{"fc", Linear{Channels: 3}}}, "layer fc: a linear layer reads features (1x1xC), not 8x8x4"},
		{Sequential{{"gap", GlobalAvgPool{}}, {"fc", Linear{}}}, "layer fc: a linear layer with 0 outputs"},
		{Sequential{{"a", Subsample{Channels: 3}}}, "channels cannot become fewer"},
		{Sequential{{"a", Slice{From: 3, Channels: 2}}}, "a slice of 2 channels from 3 on: want 1 or more of the 4"},
		{Sequential{{"a", Shuffle{Groups: 3}}}, "4 channels cannot be shuffled in 3 groups"},
		{Sequential{{"a", nil}}, "<nil>"},
		{Sequential{{"a", Sequential{{"b", nil}}}}, "layer a.b: "},
		{Sequential{{"a", Conv{Channels: 1 << 40, Kernel: 3, Pad: 1}}}, "layer a: nn: shape 8x8x1099511627776: more than 2³² elements"},
		{Sequential{{"a", Conv{Channels: 1 << 20, Kernel: 8}}, {"b", Conv{Channels: 1 << 20, Kernel: 1}}}, "shape [1 1 1048576 1048576] is too large"},
		{Sequential{{"c", conv}, {"c", conv}}, `two tensors are named "c.weight"`},
		{Sequential{{"r", Residual{}}}, "layer r: the body of a residual block is empty"},
		{Sequential{{"r", Residual{Body: Sequential{{"c", conv}}}}}, "each with a batch norm: found conv"},
		{Sequential{{"r", Residual{Body: Sequential{{"p", MaxPool{Kernel: 2}}}}}}, "found max_pool"},
		{Sequential{{"r", Residual{Body: append(in2, Named{"relu", ReLU{}})}}}, "after each batch norm but the last"},
		{Sequential{{"r", Residual{Body: append(Sequential{{"c", conv}, {"n", BatchNorm{}}}, in2...)}}}, "after each batch norm but the last"},
		{Sequential{{"r", Residual{Body: in2, Shortcut: Sequential{{"c", conv}}}}}, "shortcut of a residual block is made of convolutions"},
		{Sequential{{"r", Residual{Body: in2, Shortcut: append(in2, Named{"relu", ReLU{}})}}}, "one convolution and one batch norm"},
		{Sequential{{"r", Residual{Body: in2, Shortcut: Sequential{{"", Subsample{Channels: 5}}}}}}, "the body ends in 8x8x4, the shortcut in 8x8x5"},
		{Sequential{{"x", Residual{Body: Sequential{{"y", Conv{Channels: 1, Kernel: 20}}, {"z", BatchNorm{}}}}}}, "layer x.y: "},
	} {
		_, err := NewNet(c.spec, in)
		if err == nil || !strings.HasPrefix(err.Error(), "nn: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error is %v, want nn: …%s…", c.spec, err, c.want)
		}
	}
	_, err := NewNet(Sequential{{"fc", Linear{Channels: 3}}}, in)
	var se *SpecError
	if !errors.As(err, &se) || se.Name != "fc" || se.Unwrap() == nil {
		t.Errorf("the error about a spec is %#v", err)
	}
	if _, err := NewNet(in2, Shape{8, 0, 4}); err == nil {
		t.Error("images without width were accepted")
	}
}

// TestProgramErrors checks nets that cannot be trained.
func TestProgramErrors(t *testing.T) {
	pool, err := NewNet(Sequential{{"gap", GlobalAvgPool{}}}, Shape{8, 8, 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.TrainProgram(2, TrainOptions{}); err == nil || !strings.Contains(err.Error(), "no weights") {
		t.Errorf("training without weights: %v", err)
	}
	conv, err := NewNet(Sequential{{"c", Conv{Channels: 2, Kernel: 1}}}, Shape{8, 8, 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conv.TrainProgram(2, TrainOptions{}); err == nil || !strings.Contains(err.Error(), "ends in 8x8x2") {
		t.Errorf("a loss of feature maps: %v", err)
	}
	if _, err := conv.EvalProgram(0, EvalOptions{}); err == nil {
		t.Error("a program for no images was accepted")
	}
}

// TestFirstUnits checks nets whose first units have no weights, so that no gradient is needed there.
func TestFirstUnits(t *testing.T) {
	net, err := NewNet(Sequential{
		{"pool", AvgPool{Kernel: 2}}, {"relu", ReLU{}}, {"gap", GlobalAvgPool{}}, {"fc", Linear{Channels: 3}},
	}, Shape{4, 4, 2})
	if err != nil {
		t.Fatal(err)
	}
	fill(net.Params, 1)
	for _, batch := range []int{1, 3} {
		p, err := net.TrainProgram(batch, TrainOptions{})
		if err != nil {
			t.Fatal(err)
		}
		x, labels := batchOf(net, batch, 1)
		if _, err := p.Step(x, labels); err != nil {
			t.Fatal(err)
		}
		got := append([]Float{}, net.Params.Grads...)
		explicitStep(net, batch, x, labels, CrossEntropy{})
		if !reflect.DeepEqual(got, net.Params.Grads) {
			t.Errorf("gradients of %d images differ from the explicit ones", batch)
		}
	}
}

func TestCount(t *testing.T) {
	net := smallNet(t)
	c := net.Cost()
	if c.Params != net.Params.Layout.Count() || c.Buffers != net.Params.BufferLayout.Count() {
		t.Errorf("the walk counts %+v, the layouts hold %d and %d", c, net.Params.Layout.Count(), net.Params.BufferLayout.Count())
	}
	const macs = 72*9*3*4 + // conv1
		2*72*9*4*4 + // layer1.0
		20*9*4*8 + 20*9*8*8 + 20*4*8 + // layer1.1
		6*9*8*10 + 6*9*10*10 + // layer2.0
		9*10 + 50 // dw, fc
	if c.MACs != macs {
		t.Errorf("%d multiply-adds, want %d", c.MACs, macs)
	}
}

func TestJSON(t *testing.T) {
	for _, c := range layerCases() {
		spec := Sequential{{"layer", c.spec}}
		text, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		var back Sequential
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(back, spec) {
			t.Errorf("%s came back as %#v", text, back)
		}
	}
	for text, want := range map[string]string{
		`[{"name":"a"}]`:                       `layer "a" must have one kind beside its name, has 0`,
		`[{"name":"a","relu":{},"linear":{}}]`: "has 2: linear, relu",
		`[{"name":"a","gru":{}}]`:              `layer "a": unknown kind "gru"; known are auxiliary, avg_pool, `,
		`[{"name":"a","conv":{"kernal":3}}]`:   `layer "a": conv: json: unknown field "kernal"`,
		`[{"name":1,"relu":{}}]`:               "name of a layer",
		`[3]`:                                  "cannot unmarshal",
	} {
		var s Sequential
		if err := json.Unmarshal([]byte(text), &s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want …%s…", text, err, want)
		}
	}
	if _, err := json.Marshal(Sequential{{"a", nil}}); err == nil {
		t.Error("a layer without spec was written")
	}
}

// FuzzJSON checks that whatever is read as a spec can be written, read again, and is either refused or built.
func FuzzJSON(f *testing.F) {
	for _, c := range layerCases() {
		text, err := json.Marshal(Sequential{{"layer", c.spec}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var s, back Sequential
		if json.Unmarshal(text, &s) != nil {
			return
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Skip() // such as {"sequential": null} in a place for a spec
		}
		if err := json.Unmarshal(again, &back); err != nil {
			t.Fatalf("%s became %s: %v", text, again, err)
		}
		if _, err := Count(s, Shape{8, 8, 3}); err == nil {
			if _, err := units(s, Shape{8, 8, 3}); err != nil {
				t.Fatalf("%s can be counted, but not built: %v", text, err)
			}
		}
	})
}
