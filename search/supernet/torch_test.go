package supernet_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"espalier/internal/torchtest"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
)

// torchFixture is what bench/peers/darts.py --fixture writes; tensors are in PyTorch's order.
type torchFixture struct {
	Channels, Cells, Batch, Side, Classes int
	Loss                                  float64
	Logits, Alpha                         []float64
	EvalLogits                            []float64 `json:"eval_logits"`
	Gradients                             map[string]struct {
		Length float64
		First  []float64
	}
}

// A pass of a supernet of three cells gives PyTorch's loss, logits, gradients at α and at some weights, and, with the running
// statistics that the pass has moved, its logits in evaluation.
func TestTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/darts.json")
	if err != nil {
		t.Fatal(err)
	}
	var want torchFixture
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	tolerance := 1e-4
	if double {
		tolerance = 1e-8
	}
	for _, memory := range []supernet.Memory{supernet.Keep, supernet.Recompute} {
		t.Run(string(memory), func(t *testing.T) {
			n, err := supernet.New(search.DARTS(), supernet.Options{Input: nn.Shape{H: want.Side, W: want.Side, C: 3}, Classes: want.Classes,
				Channels: want.Channels, Cells: want.Cells, Batch: want.Batch, Memory: memory})
			if err != nil {
				t.Fatal(err)
			}
			compareWithTorch(t, n, want, tolerance)
		})
	}
}

func compareWithTorch(t *testing.T, n *supernet.Net, want torchFixture, tolerance float64) {
	p := supernet.Pass{Params: n.NewParams(), Images: make([]nn.Float, n.Batch()*n.In.Len())}
	torchtest.Fill(t, p.Params)
	for _, name := range []string{"alphas_normal", "alphas_reduce"} {
		for _, v := range torchtest.Wave(name, 112) {
			p.Alpha = append(p.Alpha, nn.Float(float32(v)))
		}
	}
	pixels := n.In.H * n.In.W
	for i, v := range torchtest.Wave("images", len(p.Images)) { // there in the order N, C, H, W
		image, c, pixel := i/(n.In.C*pixels), i/pixels%n.In.C, i%pixels
		p.Images[(image*pixels+pixel)*n.In.C+c] = nn.Float(float32(v))
	}
	for i := range n.Batch() {
		p.Labels = append(p.Labels, int32(i%n.Classes()))
	}
	near := func(what string, got, want, scale float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance*scale) {
			t.Errorf("%s is %v, in PyTorch %v", what, got, want)
		}
	}
	all := func(what string, got []nn.Float, want []float64) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %d elements, in PyTorch %d", what, len(got), len(want))
		}
		size := 0.0
		for _, v := range want {
			size = max(size, math.Abs(v))
		}
		for i, v := range want {
			near(what, float64(got[i]), v, size)
		}
	}
	p.Statistics = nn.BatchStatistics
	logits, err := n.Logits(p)
	if err != nil {
		t.Fatal(err)
	}
	all("a logit", logits, want.Logits)
	p.Statistics = nn.UpdateStatistics
	ga := make([]nn.Float, len(p.Alpha))
	r, err := n.Gradient(p.Params.Grads, ga, p)
	if err != nil {
		t.Fatal(err)
	}
	near("the loss", r.Loss, want.Loss, want.Loss)
	for e := range len(want.Alpha) / 8 { // the gradients of edges differ in size
		all(fmt.Sprintf("the gradient at α of edge %d", e), ga[8*e:][:8], want.Alpha[8*e:][:8])
	}
	found, rounded := 0, 1e-7/tolerance // what Export rounds
	for _, g := range n.Layout.Export(p.Params.Grads) {
		torch, ok := want.Gradients[g.Name]
		if !ok {
			continue
		}
		found++
		v, err := g.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		square := 0.0
		for _, e := range v {
			square += float64(e) * float64(e)
		}
		near("the length of the gradient at "+g.Name, math.Sqrt(square), torch.Length, torch.Length*(1+2*rounded))
		typical := torch.Length / math.Sqrt(float64(len(v))) // of an element, which counts where the element is smaller
		for i, e := range torch.First {
			near("the gradient at "+g.Name, float64(v[i]), e, max(typical, math.Abs(e))+math.Abs(e)*rounded)
		}
	}
	if found != len(want.Gradients) || found == 0 {
		t.Errorf("%d gradients compared, PyTorch has %d", found, len(want.Gradients))
	}
	p.Statistics = nn.RunningStatistics
	if logits, err = n.Logits(p); err != nil {
		t.Fatal(err)
	}
	all("a logit in evaluation", logits, want.EvalLogits)
}
