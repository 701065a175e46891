package prune

import (
	"math"
	"slices"
	"testing"

	"espalier/datasets"
	"espalier/models"
	"espalier/nn"
)

// TestFlow: on ½wᵀAw − bᵀw the Hessian is A and the score w⊙A(Aw − b), with its sign.
func TestFlow(t *testing.T) {
	a := [3][3]float64{{2, -1, 0.5}, {-1, 3, 0.2}, {0.5, 0.2, 1}}
	b := [3]float64{5, -2, 0.3}
	w := []float64{0.7, -1.1, 2}
	times := func(x []float64) (y [3]float64) {
		for i := range y {
			for j := range x {
				y[i] += a[i][j] * x[j]
			}
		}
		return y
	}
	got, err := flow(w, 0.01, func(g, z []float64) error {
		y := times(z)
		for i := range g {
			g[i] = y[i] - b[i]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	aw := times(w)
	g := []float64{aw[0] - b[0], aw[1] - b[1], aw[2] - b[2]}
	hg, negative := times(g), false
	for i := range w {
		want := w[i] * hg[i]
		negative = negative || want < 0
		if !(math.Abs(got[i]-want) <= 1e-9*(1+math.Abs(want))) {
			t.Errorf("score %d is %v, want %v", i, got[i], want)
		}
	}
	if !negative {
		t.Error("the problem has no negative score to show the sign by")
	}
	if _, err := flow(w, 0.01, func(g, _ []float64) error { clear(g); return nil }); err == nil {
		t.Error("a gradient of zero was scored")
	}
}

// TestTempered: the gradient of the loss of logits/T, against differences.
func TestTempered(t *testing.T) {
	if single {
		t.Skip("differences need double precision")
	}
	l := &tempered{loss: nn.CrossEntropy{}, t: 7}
	logits, labels := []nn.Float{1, -2, 0.5, 3, 0, -1}, []int32{2, 0}
	grad := make([]nn.Float, 6)
	l.Loss(grad, logits, labels, 3)
	for i := range logits {
		const eps = 1e-5
		at := func(d nn.Float) float64 {
			x := slices.Clone(logits)
			x[i] += d
			loss, _ := l.Loss(nil, x, labels, 3)
			return loss
		}
		if want := (at(eps) - at(-eps)) / (2 * eps); !(math.Abs(float64(grad[i])-want) <= 1e-9) {
			t.Errorf("gradient %d is %v, differences say %v", i, grad[i], want)
		}
	}
}

// TestSNIP: a weight that no signal reaches, here those that read a dead channel, is removed first.
func TestSNIP(t *testing.T) {
	p := problem(t)
	// The last convolution's output of channel 2 goes nowhere once the classifier does not read it, and the shortcut's does not
	// either.
	fc, _ := p.Net.Params.Layout.Lookup("fc.weight")
	clear(fc.Of(p.Net.Params.Values)[2*3 : 3*3])
	conv2, _ := p.Net.Params.Layout.Lookup("layer1.0.conv2.weight")
	m := must(t)(SNIP{}.Mask(p, Options{Sparsity: 0.3}))
	for i, k := range conv2.Of(m.Values()) {
		if i%4 == 2 && k != 0 {
			t.Fatalf("weight %d of %s stays, and nothing reads it", i, conv2.Name)
		}
	}
}

// chain is convolutions and a linear layer without biases, each with a norm, on images of 6×6.
func chain(t testing.TB, channels ...int) *nn.Net {
	t.Helper()
	var s nn.Sequential
	for i, c := range channels {
		name := string(rune('a' + i))
		s = append(s, nn.Named{Name: name, Spec: nn.Conv{Channels: c, Kernel: 3, Stride: 1, Pad: 1}},
			nn.Named{Name: name + "n", Spec: nn.BatchNorm{}}, nn.Named{Name: name + "r", Spec: nn.ReLU{}})
	}
	s = append(s, nn.Named{Name: "pool", Spec: nn.GlobalAvgPool{}}, nn.Named{Name: "fc", Spec: nn.Linear{Channels: 5}})
	net, err := nn.NewNet(s, nn.Shape{H: 6, W: 6, C: 3})
	if err != nil {
		t.Fatal(err)
	}
	net.Params.Init(1)
	return net
}

// TestSynFlowConserves: on a chain every layer's scores have the same sum, and the network's shape does not matter.
func TestSynFlowConserves(t *testing.T) {
	f, err := newFlow(chain(t, 4, 9, 2, 16))
	if err != nil {
		t.Fatal(err)
	}
	scores := f.scores(nil)
	sums := map[string]float64{}
	for _, p := range Prunable(f.layout) {
		for _, s := range p.Of(scores) {
			sums[p.Name] += float64(s)
		}
	}
	for name, s := range sums {
		if want := sums["fc.weight"]; !(math.Abs(s/want-1) <= 1e-5) || !(want >= 1 && want < 2) {
			t.Errorf("%s has the sum %v, fc %v; want equal sums in [1,2)", name, s, want)
		}
	}
}

// TestSynFlowScores: the scores of a residual network, which unit by unit are divided by powers of two, are proportional to
// θ·∂R/∂θ by differences.
func TestSynFlowScores(t *testing.T) {
	net := small(t)
	f, err := newFlow(net)
	if err != nil {
		t.Fatal(err)
	}
	scores := f.scores(nil)
	abs := net.Params.Clone()
	copy(abs.Values, f.values)
	copy(abs.Buffers, f.statics)
	eval, err := net.EvalProgram(1, nn.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eval.Bind(abs)
	total := func() (s float64) {
		logits, err := eval.Logits(f.x, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, y := range logits {
			s += float64(y)
		}
		return s
	}
	r := total()
	scale := math.Ldexp(1, math.Ilogb(r))
	for _, p := range Prunable(net.Params.Layout) {
		w := p.Of(abs.Values)
		for i := 0; i < p.Len; i += 11 {
			at := w[i]
			w[i] = 2 * at // R is linear in each weight
			want := (total() - r) / scale
			w[i] = at
			if got := float64(p.Of(scores)[i]); !(math.Abs(got-want) <= 2e-5) {
				t.Errorf("%s[%d]: score %v, want %v", p.Name, i, got, want)
			}
		}
	}
}

// TestSynFlowCollapse: in an uneven chain one round removes a whole layer, the widest, whose scores are smallest; a hundred
// rounds keep something of each.
func TestSynFlowCollapse(t *testing.T) {
	for rounds, collapses := range map[int]bool{1: true, 100: false} {
		p := &Problem{Net: chain(t, 4, 64, 64, 2)}
		m := must(t)(SynFlow{Rounds: rounds}.Mask(p, Options{Sparsity: 0.99}))
		if err := m.CheckDensity(0.99); err != nil {
			t.Error(err)
		}
		if empty := m.Empty(); (len(empty) > 0) != collapses {
			t.Errorf("%d rounds leave nothing of %v", rounds, empty)
		}
	}
}

func count(v []nn.Float, x nn.Float) (n int) {
	for _, y := range v {
		if y == x {
			n++
		}
	}
	return n
}

// TestSynFlowDeep: ResNet-110's R is far beyond single precision, and its scores are finite and conserved nevertheless.
func TestSynFlowDeep(t *testing.T) {
	net, err := models.New("resnet110", models.Options{Input: nn.Shape{H: 8, W: 8, C: 3}, Classes: 10})
	if err != nil {
		t.Fatal(err)
	}
	net.Params.Init(1)
	f, err := newFlow(net)
	if err != nil {
		t.Fatal(err)
	}
	scores := f.scores(nil)
	sum, exponent := 0.0, 0
	for i, s := range scores {
		if !(s >= 0) || math.IsInf(float64(s), 0) {
			t.Fatalf("score %d is %v", i, s)
		}
	}
	for _, p := range Prunable(net.Params.Layout) {
		if zeros := count(p.Of(scores), 0); zeros > p.Len/100 {
			t.Errorf("%d of %d scores of %s are zero", zeros, p.Len, p.Name)
		}
	}
	for _, s := range net.Params.Layout.View(scores, "fc.weight") {
		sum += float64(s)
	}
	for _, u := range f.units {
		exponent = max(exponent, u.e)
	}
	if !(sum >= 1 && sum < 2) || exponent < 300 {
		t.Errorf("the classifier's scores sum to %v, want R over a power of two; the largest exponent is %d, want one out of single precision", sum, exponent)
	}
}

// TestScoresOnNetwork: on a network with batch norm, SNIP keeps the weights with the largest slopes of the loss at their
// masks, and GraSP those with the highest θ⊙Hg, signs kept, Hg being the slope of ½‖g‖². Slopes are differences here, at one
// weight after the other. Running statistics stay as they are.
func TestScoresOnNetwork(t *testing.T) {
	if single {
		t.Skip("differences need double precision")
	}
	const sparsity, eps = 0.5, 1e-5
	for name, loss := range map[string]nn.Loss{"snip": nil, "grasp": &tempered{loss: nn.CrossEntropy{}, t: 200}} {
		settings := map[string]string{"images": "20"}
		if name == "grasp" {
			settings["radius"] = "1e-6" // within which no ReLU changes sides: gradients jump there
		}
		m, err := Configure(name, settings)
		if err != nil {
			t.Fatal(err)
		}
		p, other := problem(t), problem(t)
		statistics := slices.Clone(p.Net.Params.Buffers)
		mask := must(t)(m.(OneShot).Mask(p, Options{Sparsity: sparsity}))
		if !slices.Equal(p.Net.Params.Buffers, statistics) {
			t.Errorf("%s moved the running statistics", name)
		}
		program, err := other.Net.TrainProgram(other.Lower.BatchSize(), nn.TrainOptions{Loss: loss, Statistics: nn.BatchStatistics})
		if err != nil {
			t.Fatal(err)
		}
		var batches []datasets.Batch
		other.Lower.Start(0, 0)
		for range 2 {
			b := other.Lower.Next()
			batches = append(batches, datasets.Batch{X: slices.Clone(b.X), Labels: slices.Clone(b.Labels)})
		}
		w := other.Net.Params
		value := func() float64 { // the loss, or half the square of its gradient's norm
			mean, g := 0.0, make([]float64, len(w.Grads))
			for _, b := range batches {
				r, err := program.Step(b.X, b.Labels)
				if err != nil {
					t.Fatal(err)
				}
				mean += r.Loss / float64(len(batches))
				for i, v := range w.Grads {
					g[i] += float64(v) / float64(len(batches))
				}
			}
			if name == "snip" {
				return mean
			}
			half := 0.0
			for _, v := range g {
				half += v * v / 2
			}
			return half
		}
		var kept, removed []float64
		for _, part := range Prunable(w.Layout) {
			for i := part.Offset; i < part.Offset+part.Len; i++ {
				was := w.Values[i]
				w.Values[i] = was + eps
				up := value()
				w.Values[i] = was - eps
				score := float64(was) * (up - value()) / (2 * eps)
				w.Values[i] = was
				if name == "snip" {
					score = math.Abs(score)
				}
				if mask.Values()[i] == 1 {
					kept = append(kept, score)
				} else {
					removed = append(removed, score)
				}
			}
		}
		slices.Sort(kept)
		slices.Sort(removed)
		if len(kept) != mask.Kept() {
			t.Fatalf("%s: %d kept", name, len(kept))
		}
		scale := kept[len(kept)-1]
		if low, high := kept[0], removed[len(removed)-1]; !(low >= high-1e-5*scale) || name == "grasp" && !(removed[0] < 0 && scale > 0) {
			t.Errorf("%s: the lowest score that stays is %g, the highest that goes %g; from %g to %g in all", name, low, high, removed[0], scale)
		}
	}
}
