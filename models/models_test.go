package models

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"espalier/nn"
)

// TestCosts compares every model with known sizes: published ones, and for multiply-adds the sum written out.
func TestCosts(t *testing.T) {
	for _, c := range []struct {
		name     string
		shortcut Shortcut
		params   int
	}{
		{"resnet20", PadShortcut, 269722},
		{"resnet20", ConvShortcut, 272474},
		{"resnet32", PadShortcut, 464154},
		{"resnet56", PadShortcut, 853018},
		{"resnet110", PadShortcut, 1727962},
		{"resnet18", ConvShortcut, 11173962},
	} {
		net, err := New(c.name, Options{Shortcut: c.shortcut})
		if err != nil {
			t.Fatal(err)
		}
		if got := net.Cost().Params; got != c.params {
			t.Errorf("%s with %s shortcuts has %d parameters, want %d", c.name, c.shortcut, got, c.params)
		}
	}
	net, err := New("resnet20", Options{Shortcut: PadShortcut})
	if err != nil {
		t.Fatal(err)
	}
	const stage = 9 * (16*32*256 + 5*32*32*256) // the same in both: half the pixels per side, twice the channels
	if got, want := net.Cost().MACs, 9*3*16*1024+6*9*16*16*1024+2*stage+640; got != want {
		t.Errorf("resnet20 has %d multiply-adds, want %d", got, want)
	}
}

// cost is the size of a network of 6n+2 layers on h×w×c images by formula.
func cost(n, h, w, c, classes, width int, s Shortcut) (params, macs int) {
	conv := func(pixels, k, ic, oc int) {
		params += k*k*ic*oc + 2*oc
		macs += pixels * k * k * ic * oc
	}
	conv(h*w, 3, c, width)
	conv(h*w, 3, width, width)
	params, macs = params+(2*n-1)*(9*width*width+2*width), macs+(2*n-1)*9*width*width*h*w
	for range 2 {
		h, w = (h+1)/2, (w+1)/2
		conv(h*w, 3, width, 2*width)
		if s == ConvShortcut {
			conv(h*w, 1, width, 2*width)
		}
		width *= 2
		params, macs = params+(2*n-1)*(9*width*width+2*width), macs+(2*n-1)*9*width*width*h*w
	}
	return params + (width+1)*classes, macs + width*classes
}

// TestFormula compares the walk over the layers with the formula, for several sizes of images and nets.
func TestFormula(t *testing.T) {
	for name, n := range map[string]int{"resnet8": 1, "resnet20": 3, "resnet32": 5, "resnet56": 9, "resnet110": 18} {
		for _, in := range []nn.Shape{{H: 32, W: 32, C: 3}, {H: 28, W: 28, C: 1}, {H: 33, W: 17, C: 2}} {
			for _, s := range []Shortcut{ConvShortcut, PadShortcut} {
				for _, width := range []float64{0.5, 1, 2} {
					net, err := New(name, Options{Input: in, Classes: 7, Width: width, Shortcut: s})
					if err != nil {
						t.Fatal(err)
					}
					params, macs := cost(n, in.H, in.W, in.C, 7, int(16*width), s)
					if c := net.Cost(); c.Params != params || c.MACs != macs || net.Params.Layout.Count() != params {
						t.Errorf("%s on %v, width %v, %s: %+v and a layout of %d, by formula %d parameters and %d multiply-adds",
							name, in, width, s, c, net.Params.Layout.Count(), params, macs)
					}
				}
			}
		}
	}
}

// TestNames checks names and shapes on disk against torchvision's.
func TestNames(t *testing.T) {
	net, err := New("resnet18", Options{Classes: 100})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]int)
	for _, tensor := range net.Params.Export() {
		got[tensor.Name] = tensor.Shape
	}
	for name, shape := range map[string][]int{
		"conv1.weight":                 {64, 3, 3, 3},
		"bn1.running_var":              {64},
		"layer1.0.conv1.weight":        {64, 64, 3, 3},
		"layer2.0.conv1.weight":        {128, 64, 3, 3},
		"layer2.0.downsample.0.weight": {128, 64, 1, 1},
		"layer2.0.downsample.1.bias":   {128},
		"layer4.1.bn2.running_mean":    {512},
		"fc.weight":                    {100, 512},
		"fc.bias":                      {100},
	} {
		if !reflect.DeepEqual(got[name], shape) {
			t.Errorf("%s has shape %v on disk, want %v", name, got[name], shape)
		}
	}
	if len(got) != 102 { // torchvision's 122 less one num_batches_tracked a norm
		t.Errorf("%d tensors, want 102", len(got))
	}
}

// TestJSON checks that every model survives JSON.
func TestJSON(t *testing.T) {
	for _, name := range Names() {
		for _, s := range []Shortcut{ConvShortcut, PadShortcut} {
			spec, err := table[name](Options{Shortcut: s})
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			var back nn.Sequential
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back, spec) {
				t.Errorf("%s became another model on its way through JSON", name)
			}
		}
	}
}

// TestSteps trains every kind of model for one step on images of unusual size, and checks that the loss is that of a guess.
func TestSteps(t *testing.T) {
	for name, o := range map[string]Options{
		"resnet8":  {Input: nn.Shape{H: 28, W: 28, C: 1}, Classes: 3, Width: 0.25},
		"resnet20": {Input: nn.Shape{H: 9, W: 12, C: 3}, Width: 0.25, Shortcut: PadShortcut},
		"resnet18": {Input: nn.Shape{H: 8, W: 8, C: 3}, Classes: 100, Width: 1. / 16},
	} {
		net, err := New(name, o)
		if err != nil {
			t.Fatal(err)
		}
		net.Params.Init(1)
		p, err := net.TrainProgram(2, nn.TrainOptions{})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]nn.Float, 2*net.In.Len())
		for i := range x {
			x[i] = nn.Float(i%7) - 3
		}
		r, err := p.Step(x, []int32{0, 1})
		if err != nil {
			t.Fatal(err)
		}
		if !(r.Loss > 0.1 && r.Loss < 10) {
			t.Errorf("%s: the first loss is %v", name, r.Loss)
		}
	}
}

// TestErrors checks what is said about options that make no sense.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"resnet21", Options{}, `no model "resnet21"; there are resnet110, resnet18, resnet20,`},
		{"", Options{}, `no model ""; there are`},
		{"resnet20", Options{Width: -1}, "width -1"},
		{"resnet20", Options{Classes: -1}, "-1 classes"},
		{"resnet20", Options{Shortcut: "none"}, `unknown shortcut "none"; known are conv and pad`},
		{"resnet20", Options{Input: nn.Shape{H: 32, W: 0, C: 3}}, "shape 32x0x3"},
	} {
		if _, err := New(c.name, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%q, %+v): %v, want …%s…", c.name, c.o, err, c.want)
		}
	}
}
