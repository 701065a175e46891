package models

import (
	"encoding/json"
	"math"
	"os"
	"testing"
	"unsafe"

	"espalier/internal/torchtest"
	"espalier/nn"
)

// torchResult is what bench/peers/fixture_resnet.py writes.
type torchResult struct {
	Loss      float64
	Gradients map[string]struct {
		Length float64
		First  []float64
	}
	Statistics map[string][]float64
	EvalLogits []float64 `json:"eval_logits"`
	EvalLoss   float64   `json:"eval_loss"`
}

// TestTorch compares a training step and an evaluation with PyTorch's, in double precision there. Weights pass through
// float32 on their way here, which bounds the agreement in both precisions.
func TestTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[Shortcut]torchResult
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	tolerance := 2e-5
	if unsafe.Sizeof(nn.Float(0)) == 8 {
		tolerance = 2e-6
	}
	const batch, classes, side, channels = 4, 5, 8, 3
	for _, s := range []Shortcut{ConvShortcut, PadShortcut} {
		net, err := New("resnet8", Options{Input: nn.Shape{H: side, W: side, C: channels}, Classes: classes, Shortcut: s})
		if err != nil {
			t.Fatal(err)
		}
		torchtest.Fill(t, net.Params)
		train, err := net.TrainProgram(batch, nn.TrainOptions{Loss: nn.CrossEntropy{Smoothing: 0.1}})
		if err != nil {
			t.Fatal(err)
		}
		eval, err := net.EvalProgram(batch, nn.EvalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]nn.Float, batch*net.In.Len())
		for i, v := range torchtest.Wave("images", len(x)) { // there in the order N, C, H, W
			n, c, pixel := i/(channels*side*side), i/(side*side)%channels, i%(side*side)
			x[(n*side*side+pixel)*channels+c] = nn.Float(v)
		}
		labels := []int32{0, 1, 2, 3}
		near := func(what string, got, want, scale float64) {
			t.Helper()
			if !(math.Abs(got-want) <= tolerance*scale) {
				t.Errorf("%s shortcuts: %s is %v, in PyTorch %v", s, what, got, want)
			}
		}

		r, err := train.Step(x, labels)
		if err != nil {
			t.Fatal(err)
		}
		w := want[s]
		near("the loss", r.Loss, w.Loss, 1)
		grads := net.Params.Layout.Export(net.Params.Grads)
		if len(grads) != len(w.Gradients) {
			t.Errorf("%s shortcuts: %d gradients, in PyTorch %d", s, len(grads), len(w.Gradients))
		}
		for _, g := range grads {
			v, err := g.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			square := 0.0
			for _, e := range v {
				square += float64(e) * float64(e)
			}
			torch := w.Gradients[g.Name]
			near("the length of the gradient at "+g.Name, math.Sqrt(square), torch.Length, torch.Length)
			for i, e := range torch.First {
				near("the gradient at "+g.Name, float64(v[i]), e, torch.Length)
			}
		}
		for name, stats := range w.Statistics {
			for c, v := range net.Params.Value(name) {
				near(name, float64(v), stats[c], 1)
			}
		}

		if r, err = eval.Eval(x, labels); err != nil {
			t.Fatal(err)
		}
		near("the loss in evaluation", r.Loss, w.EvalLoss, 1)
		logits, err := eval.Logits(x, batch)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range logits {
			near("a logit in evaluation", float64(v), w.EvalLogits[i], 1)
		}
	}
}
