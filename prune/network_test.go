package prune

import (
	"context"
	"math"
	"slices"
	"testing"
	"unsafe"

	"espalier/datasets"
	"espalier/internal/rng"
	"espalier/internal/traintest"
	"espalier/nn"
	"espalier/optim"
	"espalier/train"
)

// single says that weights are kept in the precision of files, so that what comes back from one has all its bits.
const single = unsafe.Sizeof(nn.Float(0)) == 4

// stripes are n images of 8×8×3 whose class shows in which third of the rows is bright, under noise.
func stripes(n int, seed uint64) datasets.Part {
	r := rng.New(seed, "stripes")
	p := datasets.Part{Shape: datasets.Shape{H: 8, W: 8, C: 3}}
	for i := range n {
		class := i % 3
		p.Labels = append(p.Labels, int32(class))
		for y := range 8 {
			for range 8 * 3 {
				v := 60 + r.IntN(80)
				if y*3/8 == class {
					v += 60
				}
				p.Pixels = append(p.Pixels, uint8(v))
			}
		}
	}
	return p
}

// small is a residual network with every kind of parameter.
func small(t testing.TB) *nn.Net {
	t.Helper()
	conv := func(c int) nn.Conv { return nn.Conv{Channels: c, Kernel: 3, Stride: 1, Pad: 1} }
	net, err := nn.NewNet(nn.Sequential{
		{Name: "conv1", Spec: conv(4)}, {Name: "bn1", Spec: nn.BatchNorm{}}, {Name: "relu", Spec: nn.ReLU{}},
		{Name: "layer1", Spec: nn.Sequential{{Name: "0", Spec: nn.Residual{Body: nn.Sequential{
			{Name: "conv1", Spec: conv(4)}, {Name: "bn1", Spec: nn.BatchNorm{}}, {Name: "relu", Spec: nn.ReLU{}},
			{Name: "conv2", Spec: conv(4)}, {Name: "bn2", Spec: nn.BatchNorm{}},
		}}}}},
		{Name: "avgpool", Spec: nn.GlobalAvgPool{}},
		{Name: "fc", Spec: nn.Linear{Channels: 3}},
	}, nn.Shape{H: 8, W: 8, C: 3})
	if err != nil {
		t.Fatal(err)
	}
	net.Params.Init(3)
	return net
}

// problem is a small network on stripes. Its loaders shuffle and augment.
func problem(t testing.TB) *Problem {
	t.Helper()
	loader := func(p datasets.Part, o datasets.LoaderOptions) *datasets.Loader {
		l, err := datasets.NewLoader(p, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	o := datasets.LoaderOptions{Batch: 10, Seed: 5, Stream: "lower", Shuffle: true, DropLast: true, Augment: datasets.Augment{Pad: 1, Flip: true}}
	lower := loader(stripes(54, 1), o)
	o.Stream = "upper"
	return &Problem{
		Net: small(t), Lower: lower, Upper: loader(stripes(33, 3), o),
		Validation: loader(stripes(25, 2), datasets.LoaderOptions{Batch: 9}), Seed: 7,
	}
}

// learn makes the stepper of a method with settings of its own.
func learn(t testing.TB, name string, settings map[string]string, o Options, c Course) *Learning {
	t.Helper()
	m, err := Configure(name, settings)
	if err != nil {
		t.Fatal(err)
	}
	l, err := m.(Learner).Learn(problem(t), o, c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// learners are the methods that learn, with settings under which masks change fast.
var learners = map[string]struct {
	method   string
	settings map[string]string
}{
	"bip":          {"bip", map[string]string{"ridge": "0.001", "lr": "0.05", "mask_lr": "1", "momentum": "0.9", "steps": "2"}},
	"bip released": {"bip", map[string]string{"compat": ReleasedCode}},
	"hydra":        {"hydra", map[string]string{"lr": "1"}},
	"gmp":          {"gmp", map[string]string{"every": "2"}},
}

// TestLearners: each keeps exactly k weights whenever a step is done (gradual magnitude from its ramp's end on), reports the
// same figures after every epoch, and finds another mask than the one it began with.
func TestLearners(t *testing.T) {
	const sparsity, epochs = 0.7, 8
	for name, c := range learners {
		t.Run(name, func(t *testing.T) {
			l := learn(t, c.method, c.settings, Options{Sparsity: sparsity}, Course{Epochs: epochs})
			first, done := l.Mask().Clone(), 0
			var figures []train.Figure
			_, err := train.Run(context.Background(), nil, l, train.Options{Epochs: epochs, Observer: traintest.Observer(func(e train.Event) {
				switch e := e.(type) {
				case train.Stepped:
					done++
					if err := l.Mask().CheckDensity(sparsity); err != nil && (c.method != "gmp" || done >= epochs*5*3/4) {
						t.Fatalf("after step %d: %v", done, err)
					}
				case train.EpochEnded:
					figures = slices.Clone(e.Figures)
				}
			})})
			if err != nil {
				t.Fatal(err)
			}
			if l.Mask().Equal(first) {
				t.Error("the mask never changed")
			}
			at := func(name string) float64 {
				for _, f := range figures {
					if f.Name == name {
						return f.Value
					}
				}
				t.Fatalf("no figure %s in %v", name, figures)
				return 0
			}
			if changed, regrown := at("mask_changed"), at("mask_regrown"); !(changed >= 0 && regrown >= 0) || c.method != "gmp" && !(math.Abs(changed-2*regrown) <= 1e-12) {
				t.Errorf("changed %v, regrown %v: as many must come as go", changed, regrown)
			}
			if loss := at("val_loss"); !(loss > 0) {
				t.Errorf("val_loss %v", loss)
			}
			for i, w := range l.Params().Values {
				if l.Mask().Values()[i] == 0 && w != 0 {
					t.Fatalf("a removed weight is %v", w)
				}
			}
		})
	}
}

// TestLearnersResume: interrupted anywhere, each ends with the same weights, scores, mask, statistics and momentum, bit for
// bit.
func TestLearnersResume(t *testing.T) {
	if !single {
		t.Skip("files hold single precision")
	}
	const epochs = 2
	for name, c := range learners {
		t.Run(name, func(t *testing.T) {
			end := func(every int) train.State {
				l := traintest.InPieces(t, epochs, every, func() *Learning {
					return learn(t, c.method, c.settings, Options{Sparsity: 0.7}, Course{Epochs: epochs})
				})
				s, err := l.State()
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			want := end(math.MaxInt)
			got := end(3)
			if len(want.Tensors) == 0 || len(got.Tensors) != len(want.Tensors) {
				t.Fatalf("%d tensors, want %d", len(got.Tensors), len(want.Tensors))
			}
			for i, w := range want.Tensors {
				if g := got.Tensors[i]; g.Name != w.Name || !slices.Equal(g.Data, w.Data) {
					t.Errorf("%s differs", w.Name)
				}
			}
			for k, w := range want.Metadata {
				if got.Metadata[k] != w {
					t.Errorf("%s is %q, want %q", k, got.Metadata[k], w)
				}
			}
		})
	}
}

// TestHYDRAFreezes: weights stay, scores move, and the first mask is that of magnitude within each layer.
func TestHYDRAFreezes(t *testing.T) {
	l := learn(t, "hydra", nil, Options{Sparsity: 0.5, Budget: Uniform}, Course{Epochs: 1})
	before := slices.Clone(l.Weights())
	want, err := Prune(Magnitude{}, l.problem.Net.Params, Options{Sparsity: 0.5, Budget: Uniform})
	if err != nil {
		t.Fatal(err)
	}
	if !l.Mask().Equal(want) {
		t.Error("the first mask is not that of magnitude")
	}
	if _, err := train.Run(context.Background(), nil, l, train.Options{Epochs: 1}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.Weights(), before) {
		t.Error("the weights moved")
	}
}

// TestStraightThrough: the gradient at the scores is sign(s)·θ⊙G, by hand.
func TestStraightThrough(t *testing.T) {
	g := []float64{2, -3, 5}
	straightThrough(g, []float64{0.5, -0.1, 0}, []float64{1, 4, -2})
	if want := []float64{2, 12, -10}; !slices.Equal(g, want) {
		t.Errorf("got %v, want %v", g, want)
	}
	x := []float64{0.5, -2, 1}
	spread(x, 24)
	if want := []float64{0.125, -0.5, 0.25}; !slices.Equal(x, want) {
		t.Errorf("spread to %v, want %v", x, want)
	}
}

// TestGradualSchedule is cubic, from 0 to the target, and never falls.
func TestGradualSchedule(t *testing.T) {
	g := DefaultGradual()
	if a, b := g.Sparsity(0, 100, 0.9), g.Sparsity(50, 100, 0.8); a != 0 || !(math.Abs(b-0.7) <= 1e-12) {
		t.Errorf("at the beginning %v, want 0; half-way to 0.8 %v, want 0.7", a, b)
	}
	last := 0.0
	for step := range 120 {
		s := g.Sparsity(step, 100, 0.9)
		if !(s >= last) || s > 0.9 || step >= 100 && s != 0.9 {
			t.Fatalf("step %d: sparsity %v after %v", step, s, last)
		}
		last = s
	}
}

// TestGradualExact: after every step of the ramp, exactly round(n·(1 − s(1 − (1 − t/r)³))) weights are left.
func TestGradualExact(t *testing.T) {
	const sparsity, every, ramp = 0.7, 2, 30
	l := learn(t, "gmp", map[string]string{"every": "2"}, Options{Sparsity: sparsity}, Course{Epochs: 8})
	n := float64(l.Mask().Sum().Total)
	last := 0 // step of the newest mask
	done := 0
	_, err := train.Run(t.Context(), nil, l, train.Options{Epochs: 8, Observer: traintest.Observer(func(e train.Event) {
		if _, ok := e.(train.Stepped); !ok {
			return
		}
		if done++; done%every == 0 && done <= ramp {
			last = done
		}
		left := 1 - float64(last)/ramp
		if want := int(math.Round(n * (1 - sparsity*(1-left*left*left)))); l.Mask().Kept() != want {
			t.Fatalf("after step %d %d weights are left, want %d", done, l.Mask().Kept(), want)
		}
	})})
	if err != nil || done != 40 {
		t.Fatal(done, err)
	}
}

// TestIMP: after round r exactly round(n·.8^r) weights are left, each mask within the one before, and weights are rewound to
// what the option says.
func TestIMP(t *testing.T) {
	m := DefaultIMP()
	net, early := small(t), small(t)
	for i := range early.Params.Values {
		early.Params.Values[i] = nn.Float(i)
	}
	total := NewMask(net.Params.Layout).Kept()
	var before *Mask
	for round := 1; round <= 13; round++ {
		mask, err := m.Round(round, before, net.Params, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := int(math.Round(float64(total) * math.Pow(0.8, float64(round)))); mask.Kept() != want {
			t.Errorf("round %d keeps %d of %d, want %d", round, mask.Kept(), total, want)
		}
		if before != nil && !mask.Intersection(before).Equal(mask) {
			t.Errorf("round %d brings weights back", round)
		}
		if r, exact := m.Rounds(m.Sparsity(round)); r != round || !exact {
			t.Errorf("sparsity %v is round %d (%v), want %d", m.Sparsity(round), r, exact, round)
		}
		before = mask
		net.Params.Init(uint64(round)) // as if it had been trained
	}
	if _, exact := m.Rounds(0.5); exact {
		t.Error("a half is on the ladder")
	}
	for rewind, want := range map[string]*nn.Params{RewindStep: early.Params, RewindInitial: early.Params, RewindRate: net.Params} {
		w := small(t).Params
		m.Rewind = rewind
		m.Start(w, before, net.Params, early.Params)
		for i, v := range w.Values {
			if v != want.Values[i]*before.Values()[i] {
				t.Fatalf("%s: element %d is %v", rewind, i, v)
			}
		}
	}
}

// TestZerosStay: a removed weight stays exactly zero through training with momentum, Nesterov's and weight decay, or Adam.
func TestZerosStay(t *testing.T) {
	for name, make := range map[string]func(n int) optim.Optimizer{
		"sgd": func(n int) optim.Optimizer {
			return optim.NewSGD(n, optim.SGDOptions{Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4})
		},
		"adam": func(n int) optim.Optimizer { return optim.NewAdam(n, optim.DefaultAdamW()) },
	} {
		p := problem(t)
		w := p.Net.Params
		m := must(t)(DefaultOMP().Mask(p, Options{Sparsity: 0.8}))
		m.Apply(w.Values)
		// One step without the mask's projection would already move removed weights.
		s, err := train.NewSupervised(p.Net, p.Lower, nil, train.Recipe{
			Optimizer: make(w.Layout.Size()), Schedule: optim.Constant{LR: 0.05}, Project: m.Apply,
		})
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(w.Values)
		if _, err := train.Run(context.Background(), nil, s, train.Options{Epochs: 3, Observer: traintest.Observer(func(e train.Event) {
			if _, ok := e.(train.Stepped); !ok {
				return
			}
			for i, k := range m.Values() {
				if k == 0 && (w.Values[i] != 0 || math.Signbit(float64(w.Values[i]))) {
					t.Fatalf("%s: a removed weight is %v", name, w.Values[i])
				}
			}
		})}); err != nil {
			t.Fatal(err)
		}
		if slices.Equal(before, w.Values) {
			t.Errorf("%s: nothing was trained", name)
		}
	}
}

// TestOneShot: every method of one shot keeps exactly k at every budget, changes neither weights nor running statistics, and
// gives the same mask again.
func TestOneShot(t *testing.T) {
	for _, e := range Methods() {
		m, ok := e.New().(OneShot)
		if !ok {
			continue
		}
		for _, b := range budgets {
			p := problem(t)
			before := p.Net.Params.Clone()
			o := Options{Sparsity: 0.7, Budget: b}
			mask, err := m.Mask(p, o)
			if err != nil {
				t.Fatalf("%s: %v", e.Name, err)
			}
			if err := mask.CheckDensity(0.7); err != nil {
				t.Errorf("%s, %v: %v", e.Name, b, err)
			}
			if !p.Net.Params.Equal(before) {
				t.Errorf("%s changed the network", e.Name)
			}
			again, err := m.Mask(problem(t), o)
			if err != nil || !again.Equal(mask) {
				t.Errorf("%s, %v: a second mask differs, %v", e.Name, b, err)
			}
		}
	}
}

// TestKeepFirstAndLast: they stay whole, and the others pay for it.
func TestKeepFirstAndLast(t *testing.T) {
	w := weights(t, 12)
	for _, b := range budgets {
		m := must(t)(Prune(Magnitude{}, w, Options{Sparsity: 0.7, Budget: b, KeepFirst: true, KeepLast: true}))
		if err := m.CheckDensity(0.7); err != nil {
			t.Error(err)
		}
		rows := m.Rows()
		if first, last := rows[0], rows[len(rows)-1]; first.Kept != first.Total || last.Kept != last.Total {
			t.Errorf("%v: first %d of %d, last %d of %d", b, first.Kept, first.Total, last.Kept, last.Total)
		}
	}
	if _, err := Prune(Magnitude{}, w, Options{Sparsity: 0.9, KeepFirst: true, KeepLast: true}); err == nil {
		t.Error("193 weights were kept, and all 376 of the first and the last layer")
	}
	m := must(t)(Prune(Magnitude{}, w, Options{Counts: map[string]int{"conv2.weight": 5, "fc.weight": 0}}))
	if rows := m.Rows(); rows[0].Kept != 216 || rows[1].Kept != 5 || rows[2].Kept != 400 || rows[3].Kept != 0 {
		t.Errorf("counts of one's own: %v", rows)
	}
	if empty := m.Empty(); !slices.Equal(empty, []string{"fc.weight"}) {
		t.Errorf("empty are %v", empty)
	}
	for _, counts := range []map[string]int{{"conv2.weight": -1}, {"fc.weight": 161}, {"bn1.weight": 3}} {
		if _, err := Prune(Magnitude{}, w, Options{Counts: counts}); err == nil {
			t.Errorf("counts %v were taken", counts)
		}
	}
}
