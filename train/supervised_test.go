package train

import (
	"context"
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"espalier/datasets"
	"espalier/internal/kernels"
	"espalier/internal/rng"
	"espalier/nn"
	"espalier/optim"
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

func tinyNet(t testing.TB, classes int) *nn.Net {
	t.Helper()
	conv := func(c int) nn.Conv { return nn.Conv{Channels: c, Kernel: 3, Stride: 1, Pad: 1} }
	net, err := nn.NewNet(nn.Sequential{
		{Name: "conv1", Spec: conv(4)}, {Name: "bn1", Spec: nn.BatchNorm{}}, {Name: "relu", Spec: nn.ReLU{}},
		{Name: "layer1.0", Spec: nn.Residual{Body: nn.Sequential{
			{Name: "conv1", Spec: conv(4)}, {Name: "bn1", Spec: nn.BatchNorm{}}, {Name: "relu", Spec: nn.ReLU{}},
			{Name: "conv2", Spec: conv(4)}, {Name: "bn2", Spec: nn.BatchNorm{}},
		}}},
		{Name: "pool", Spec: nn.MaxPool{Kernel: 2}},
		{Name: "conv2", Spec: nn.Conv{Channels: 8, Kernel: 4}}, {Name: "bn2", Spec: nn.BatchNorm{}}, {Name: "relu2", Spec: nn.ReLU{}},
		{Name: "fc", Spec: nn.Linear{Channels: classes}},
	}, nn.Shape{H: 8, W: 8, C: 3})
	if err != nil {
		t.Fatal(err)
	}
	net.Params.Init(3)
	return net
}

func loader(t testing.TB, p datasets.Part, o datasets.LoaderOptions) *datasets.Loader {
	t.Helper()
	l, err := datasets.NewLoader(p, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

const (
	tinyImages = 54
	tinyBatch  = 10 // 5 steps an epoch
)

// recipes are what resuming is tested with. Each call makes new optimizers.
var recipes = map[string]func(net *nn.Net) Recipe{
	"nesterov": func(net *nn.Net) Recipe {
		return Recipe{
			Optimizer: optim.NewSGD(net.Params.Layout.Size(), optim.SGDOptions{Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4}, NoDecay(net.Params.Layout)...),
			Schedule:  optim.Warmup{Steps: 3, Then: optim.Cosine{LR: 0.1, Steps: testEpochs*testSteps - 3}},
			Loss:      nn.CrossEntropy{Smoothing: 0.1},
			Clip:      1,
			EMA:       optim.EMAOptions{Decay: 0.9, Ramp: true},
		}
	},
	"sgd": func(net *nn.Net) Recipe {
		return Recipe{
			Optimizer: optim.NewSGD(net.Params.Layout.Size(), optim.SGDOptions{}),
			Schedule:  optim.Constant{LR: 0.05},
		}
	},
	"adamw": func(net *nn.Net) Recipe {
		return Recipe{
			Optimizer: optim.NewAdam(net.Params.Layout.Size(), optim.DefaultAdamW()),
			Schedule:  optim.DefaultOneCycle(0.01, testEpochs*testSteps),
			Project: func(w []nn.Float) {
				clear(net.Params.Layout.View(w, "conv2.weight")[:5])
			},
		}
	},
}

// tiny is a stepper on stripes, with augmentation and validation.
func tiny(t testing.TB, recipe func(*nn.Net) Recipe) *Supervised {
	t.Helper()
	net := tinyNet(t, 3)
	data := loader(t, stripes(tinyImages, 1), datasets.LoaderOptions{
		Batch: tinyBatch, Seed: 5, Stream: "train", Shuffle: true, DropLast: true,
		Augment: datasets.Augment{Pad: 1, Flip: true, Cutout: 2},
	})
	validation := loader(t, stripes(25, 2), datasets.LoaderOptions{Batch: 9})
	s, err := NewSupervised(net, data, validation, recipe(net))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSupervisedResume(t *testing.T) {
	if !single {
		t.Skip("files hold single precision")
	}
	o := Options{Epochs: testEpochs, Best: "val_accuracy"}
	for name, recipe := range recipes {
		t.Run(name, func(t *testing.T) {
			d := open(t, t.TempDir())
			whole := tiny(t, recipe)
			if _, err := Run(context.Background(), d, whole, o); err != nil {
				t.Fatal(err)
			}
			want := files(t, d.Path())
			for _, every := range []int{1, 3, 7} {
				dir := t.TempDir()
				for runs := 0; ; runs++ {
					d := open(t, dir)
					s := tiny(t, recipe)
					ctx, cancel := context.WithCancel(context.Background())
					n := 0
					o := o
					o.Observer = observe(func(e Event) {
						if _, ok := e.(Stepped); ok {
							if n++; n == every {
								cancel()
							}
						}
					})
					r, err := Run(ctx, d, s, o)
					cancel()
					d.Close()
					if err != nil {
						t.Fatal(err)
					}
					if r.Status == Finished {
						if runs < testEpochs*testSteps/every-1 {
							t.Errorf("only %d interruptions", runs)
						}
						if !s.net.Params.Equal(whole.net.Params) || !s.Params().Equal(whole.Params()) {
							t.Errorf("interrupted every %d steps: weights differ", every)
						}
						break
					}
				}
				same(t, files(t, dir), want)
			}
		})
	}
}

type observe func(Event)

func (f observe) Observe(e Event) { f(e) }

func TestSupervisedLearns(t *testing.T) {
	for name, recipe := range recipes {
		s := tiny(t, recipe)
		r, err := Run(context.Background(), nil, s, Options{Epochs: 3 * testEpochs})
		if err != nil {
			t.Fatal(err)
		}
		loss, accuracy := r.Records.Column("train_loss"), r.Records.Column("val_accuracy")
		if first, last := loss[0], loss[len(loss)-1]; !(last < first) {
			t.Errorf("%s: training loss from %v to %v", name, first, last)
		}
		if last := accuracy[len(accuracy)-1]; !(last > 80) {
			t.Errorf("%s: validation accuracy %v %%", name, last)
		}
		if s.recipe.Project != nil && slices.Max(s.net.Params.Value("conv2.weight")[:5]) != 0 {
			t.Errorf("%s: the projection does not hold", name)
		}
	}
}

// TestSupervisedThreads asks for the same bits from any number of threads.
func TestSupervisedThreads(t *testing.T) {
	defer kernels.SetThreads(kernels.Threads())
	var want *nn.Params
	var records string
	for _, n := range []int{1, 2, 3, 8} {
		kernels.SetThreads(n)
		s := tiny(t, recipes["nesterov"])
		r, err := Run(context.Background(), nil, s, Options{Epochs: 1})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want, records = s.Params().Clone(), string(r.Records.CSV())
		}
		if !s.Params().Equal(want) || string(r.Records.CSV()) != records {
			t.Errorf("%d threads give other bits than one", n)
		}
	}
}

// TestDiverged poisons a run in several places, and asks which tensor the error names and what remains on disk.
func TestDiverged(t *testing.T) {
	largest := math.MaxFloat64
	if single {
		largest = math.MaxFloat32
	}
	huge := nn.Float(largest)
	poison := map[string]func(s *Supervised){
		"layer1.0.conv1.weight":     func(s *Supervised) { s.net.Params.Value("layer1.0.conv1.weight")[7] = nn.Float(math.NaN()) },
		"layer1.0.bn2.running_mean": func(s *Supervised) { s.net.Params.Value("layer1.0.bn1.weight")[1] = huge },
		"fc.bias": func(s *Supervised) {
			s.recipe.Project = func(w []nn.Float) { s.net.Params.Layout.View(w, "fc.bias")[1] = nn.Float(math.Inf(1)) }
		},
	}
	for tensor, harm := range poison {
		dir := t.TempDir()
		d := open(t, dir)
		s := tiny(t, recipes["sgd"])
		o := Options{Epochs: testEpochs, Observer: observe(func(e Event) {
			if e, ok := e.(Stepped); ok && e.Position == (Position{1, 2}) {
				harm(s)
			}
		})}
		_, err := Run(context.Background(), d, s, o)
		var diverged *optim.NonFiniteError
		if !errors.As(err, &diverged) || diverged.Step != testSteps+2 || !(math.IsNaN(diverged.Value) || math.IsInf(diverged.Value, 0)) {
			t.Errorf("%s: %v", tensor, err)
			continue
		}
		if diverged.Tensor != tensor {
			t.Errorf("the error names %s, want %s", diverged.Tensor, tensor)
		}
		if c, bad, err := d.newest(); err != nil || len(bad) > 0 || c.position != (Position{1, 0}) {
			t.Errorf("%s: newest checkpoint %+v, %v, %v", tensor, c, bad, err)
		}
		d.Close()
	}
}

// sickLoss is a cross-entropy whose gradient has a NaN from a given call on.
type sickLoss struct {
	calls *int
	from  int
}

func (l sickLoss) Loss(grad, logits []nn.Float, labels []int32, k int) (float64, int) {
	loss, correct := nn.CrossEntropy{}.Loss(grad, logits, labels, k)
	if *l.calls++; *l.calls >= l.from {
		grad[0] = nn.Float(math.NaN())
	}
	return loss, correct
}

// TestSickGradient lets the gradient alone become NaN: the weights are as they were before the step.
func TestSickGradient(t *testing.T) {
	s := tiny(t, func(net *nn.Net) Recipe {
		r := recipes["sgd"](net)
		r.Loss = sickLoss{new(int), 3}
		return r
	})
	if err := s.Begin(0, 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Step(); err != nil {
			t.Fatal(err)
		}
	}
	before := slices.Clone(s.net.Params.Values)
	_, err := s.Step()
	var diverged *optim.NonFiniteError
	if !errors.As(err, &diverged) || !strings.HasPrefix(diverged.Tensor, "the gradient of ") || diverged.Step != 2 {
		t.Errorf("%v", err)
	}
	if !slices.Equal(before, s.net.Params.Values) {
		t.Error("the weights have changed")
	}
}

// TestClip asks that a step of plain gradient descent is no longer than learning rate times limit, and reaches it.
func TestClip(t *testing.T) {
	const lr, limit = 0.5, 0.01
	s := tiny(t, func(net *nn.Net) Recipe {
		return Recipe{
			Optimizer: optim.NewSGD(net.Params.Layout.Size(), optim.SGDOptions{}),
			Schedule:  optim.Constant{LR: lr},
			Clip:      limit,
		}
	})
	before := slices.Clone(s.net.Params.Values)
	if err := s.Begin(0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Step(); err != nil {
		t.Fatal(err)
	}
	square := 0.
	for i, v := range s.net.Params.Values {
		square += math.Pow(float64(v-before[i]), 2)
	}
	if length := math.Sqrt(square); !(math.Abs(length-lr*limit) <= 1e-3*lr*limit) {
		t.Errorf("a step of length %v, want %v", length, lr*limit)
	}
}

// TestFigures adds up an epoch from a copy of its steps: the figures are means over the images, and lr is the rate of the
// last step.
func TestFigures(t *testing.T) {
	rates := optim.Cosine{LR: 0.1, Steps: 2 * testSteps}
	recipe := func(net *nn.Net) Recipe {
		return Recipe{Optimizer: optim.NewSGD(net.Params.Layout.Size(), optim.SGDOptions{}), Schedule: rates}
	}
	s, twin := tiny(t, recipe), tiny(t, recipe)
	for epoch := range 2 {
		for _, s := range []*Supervised{s, twin} {
			if err := s.Begin(epoch, 0); err != nil {
				t.Fatal(err)
			}
		}
		var loss float64
		var correct int
		for step := range testSteps {
			b := twin.data.Next()
			r, err := twin.program.Step(b.X, b.Labels)
			if err != nil {
				t.Fatal(err)
			}
			lr := rates.At(epoch*testSteps + step)
			twin.recipe.Optimizer.Step(twin.net.Params.Values, twin.net.Params.Grads, lr)
			loss += r.Loss / testSteps
			correct += r.Correct
			sample, err := s.Step()
			if err != nil {
				t.Fatal(err)
			}
			if f := sample.Figures[2]; sample.Images != tinyBatch || f != (Figure{"lr", lr}) {
				t.Errorf("step %d of epoch %d: %d images, %v, want lr %v", step, epoch, sample.Images, f, lr)
			}
		}
		figures, err := s.End(context.Background(), epoch, func(string, int, int) {})
		if err != nil {
			t.Fatal(err)
		}
		want := []Figure{
			{"lr", rates.At(epoch*testSteps + testSteps - 1)},
			{"train_loss", loss},
			{"train_accuracy", 100 * float64(correct) / (testSteps * tinyBatch)},
		}
		for i, w := range want {
			if f := figures[i]; f.Name != w.Name || !(math.Abs(f.Value-w.Value) <= 1e-9) {
				t.Errorf("epoch %d: %v, want %v", epoch, f, w)
			}
		}
	}
}

func TestStepAfterTheLast(t *testing.T) {
	s := tiny(t, recipes["sgd"])
	if err := s.Begin(0, testSteps); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Step(); err == nil {
		t.Error("a step more than an epoch has")
	}
}

// TestOtherArchitecture restores checkpoints into steppers that they do not fit.
func TestOtherArchitecture(t *testing.T) {
	d := open(t, t.TempDir())
	if _, err := Run(context.Background(), d, tiny(t, recipes["sgd"]), Options{Epochs: 1}); err != nil {
		t.Fatal(err)
	}
	wider := func() Stepper {
		net := tinyNet(t, 4)
		s, err := NewSupervised(net, loader(t, stripes(tinyImages, 1), datasets.LoaderOptions{Batch: tinyBatch, DropLast: true}), nil, recipes["sgd"](net))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, c := range []struct {
		s   Stepper
		say []string
	}{
		{wider(), []string{"fc.weight is [3 8] there and [4 8] here", "fc.bias is [3] there and [4] here"}},
		{tiny(t, recipes["nesterov"]), []string{"ema/bn1.bias is here and not there", " more"}},
		{tiny(t, recipes["adamw"]), []string{"optimizer/mean/bn1.bias is here and not there"}},
		{tiny(t, func(net *nn.Net) Recipe {
			r := recipes["sgd"](net)
			r.Schedule = optim.Warmup{Steps: 1, Then: r.Schedule}
			return r
		}), []string{"optim.Constant{LR:0.05} there", "optim.Warmup{Steps:1, Then:optim.Constant{LR:0.05}} here"}},
	} {
		_, err := Run(context.Background(), d, c.s, Options{Epochs: 2})
		if err == nil {
			t.Errorf("a checkpoint was taken; want %q", c.say)
			continue
		}
		for _, say := range c.say {
			if !strings.Contains(err.Error(), say) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 500 {
				t.Errorf("%v, want %q", err, say)
			}
		}
	}
}

// TestCheckpointNamesStream reads from a checkpoint which random stream its training images come from and how far it is,
// and asks that a stepper of another seed does not go on with it.
func TestCheckpointNamesStream(t *testing.T) {
	d := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	o := Options{Epochs: 2, Observer: observe(func(e Event) {
		if e, ok := e.(Stepped); ok && e.Position == (Position{1, 3}) {
			cancel()
		}
	})}
	if _, err := Run(ctx, d, tiny(t, recipes["sgd"]), o); err != nil {
		t.Fatal(err)
	}
	for position, want := range map[Position][4]string{
		{1, 3}: {"5", "train", "1", "3"},
		{1, 0}: {"5", "train", "1", "0"},
	} {
		c, err := readCheckpoint(d.Path(position.file()))
		if err != nil {
			t.Fatal(err)
		}
		m := c.state.Metadata
		if got := [4]string{m[keySeed], m[keyStream], m[keyLoaderEpoch], m[keyLoaderBatch]}; got != want {
			t.Errorf("%v: seed, stream, epoch and batch are %q, want %q", position, got, want)
		}
	}
	net := tinyNet(t, 3)
	other := datasets.LoaderOptions{Batch: tinyBatch, Seed: 6, Stream: "train", Shuffle: true, DropLast: true}
	s, err := NewSupervised(net, loader(t, stripes(tinyImages, 1), other), nil, recipes["sgd"](net))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(context.Background(), d, s, Options{Epochs: 2})
	if want := "loader/seed is 5 there and 6 here"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestSupervisedRefused(t *testing.T) {
	net := tinyNet(t, 3)
	fine := recipes["sgd"](net)
	full := loader(t, stripes(tinyImages, 1), datasets.LoaderOptions{Batch: tinyBatch, DropLast: true})
	partial := loader(t, stripes(tinyImages, 1), datasets.LoaderOptions{Batch: tinyBatch})
	other := stripes(64, 1)
	other.Shape = datasets.Shape{H: 4, W: 16, C: 3}
	for say, c := range map[string]struct {
		data *datasets.Loader
		r    Recipe
	}{
		"must be full":                       {partial, fine},
		"images of 4x16x3 for a network":     {loader(t, other, datasets.LoaderOptions{Batch: 2}), fine},
		"without optimizer":                  {full, Recipe{Schedule: fine.Schedule}},
		"or schedule":                        {full, Recipe{Optimizer: fine.Optimizer}},
		"a norm of NaN":                      {full, Recipe{Optimizer: fine.Optimizer, Schedule: fine.Schedule, Clip: math.NaN()}},
		"optim: lr is -1":                    {full, Recipe{Optimizer: fine.Optimizer, Schedule: optim.Constant{LR: -1}}},
		"optim: decay is 1; a number from 0": {full, Recipe{Optimizer: fine.Optimizer, Schedule: fine.Schedule, EMA: optim.EMAOptions{Decay: 1}}},
	} {
		if _, err := NewSupervised(net, c.data, nil, c.r); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%v, want %q", err, say)
		}
	}
}

// TestEvaluate counts every image once, whatever the batch.
func TestEvaluate(t *testing.T) {
	net := tinyNet(t, 3)
	part := stripes(25, 2)
	var want nn.Result
	for _, batch := range []int{1, 4, 9, 25, 30} {
		p, err := net.EvalProgram(batch, nn.EvalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var done []int
		got, err := Evaluate(context.Background(), p, loader(t, part, datasets.LoaderOptions{Batch: batch}), func(n, total int) {
			if done = append(done, n); total != 25 {
				t.Errorf("%d images in all", total)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if batch == 1 {
			want = got
		}
		if got.N != 25 || got.Correct != want.Correct || !(math.Abs(got.Loss-want.Loss) <= 1e-6) {
			t.Errorf("batches of %d: %+v, of 1: %+v", batch, got, want)
		}
		if len(done) != (25+batch-1)/batch || done[len(done)-1] != 25 {
			t.Errorf("batches of %d: reported %v", batch, done)
		}
	}
	p, err := net.EvalProgram(4, nn.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Evaluate(ctx, p, loader(t, part, datasets.LoaderOptions{Batch: 4}), func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after a cancellation", err)
	}
}

// TestAverage follows the averages by hand and asks that they are what is evaluated.
func TestAverage(t *testing.T) {
	s := tiny(t, recipes["nesterov"])
	if s.Params() != s.net.Params {
		t.Error("before the first step, the net's own weights count")
	}
	want := s.net.Params.Clone()
	if err := s.Begin(0, 0); err != nil {
		t.Fatal(err)
	}
	for u := range testSteps {
		if _, err := s.Step(); err != nil {
			t.Fatal(err)
		}
		keep := math.Min(0.9, (1+float64(u))/(10+float64(u)))
		if u == 0 {
			keep = 0
		}
		follow := func(average, now []nn.Float) {
			for i := range average {
				average[i] = nn.Float(keep*float64(average[i]) + (1-keep)*float64(now[i]))
			}
		}
		follow(want.Values, s.net.Params.Values)
		follow(want.Buffers, s.net.Params.Buffers)
	}
	got := s.Params()
	for i := range want.Values {
		if !(math.Abs(float64(got.Values[i]-want.Values[i])) <= 1e-6) {
			t.Fatalf("weight %d is %v, want %v", i, got.Values[i], want.Values[i])
		}
	}
	for i := range want.Buffers {
		if !(math.Abs(float64(got.Buffers[i]-want.Buffers[i])) <= 1e-6) {
			t.Fatalf("statistic %d is %v, want %v", i, got.Buffers[i], want.Buffers[i])
		}
	}
	p, err := s.net.EvalProgram(9, nn.EvalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.Bind(want)
	byHand, err := Evaluate(context.Background(), p, s.validation, nil)
	if err != nil {
		t.Fatal(err)
	}
	figures, err := s.End(context.Background(), 0, func(string, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	if f := figures[3]; f.Name != "val_loss" || !(math.Abs(f.Value-byHand.Loss) <= 1e-5) {
		t.Errorf("%v, by hand %v", f, byHand.Loss)
	}
}

// TestStepAllocations asks that a step after the first allocates nothing that grows with the batch, neither in number nor in
// bytes. It looks at the step of several that allocates least: the system's own allocations come and go.
func TestStepAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it would empty pools that a step draws on
	const steps = 20
	of := func(batch int) (count, bytes uint64) {
		net := tinyNet(t, 3)
		s, err := NewSupervised(net, loader(t, stripes(batch*(steps+1), 1), datasets.LoaderOptions{Batch: batch, DropLast: true}), nil, recipes["nesterov"](net))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Begin(0, 0); err != nil {
			t.Fatal(err)
		}
		count, bytes = math.MaxUint64, math.MaxUint64
		for i := range steps + 1 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := s.Step(); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			if i > 0 {
				count, bytes = min(count, after.Mallocs-before.Mallocs), min(bytes, after.TotalAlloc-before.TotalAlloc)
			}
		}
		return count, bytes
	}
	const small, large = 2, 512
	count, bytes := of(small)
	manyCount, manyBytes := of(large)
	if manyCount > count+5 || manyBytes > bytes+1000 { // a number for each image would be 2048 bytes
		t.Errorf("%d allocations of %d bytes at batch %d, %d of %d at batch %d", count, bytes, small, manyCount, manyBytes, large)
	}
}

func TestNoDecay(t *testing.T) {
	l := tinyNet(t, 3).Params.Layout
	groups := NoDecay(l)
	for i := range l.Size() {
		part, ok := l.At(i)
		if !ok {
			continue
		}
		in := slices.ContainsFunc(groups, func(g optim.Group) bool { return g.From <= i && i < g.To })
		if weight := strings.HasPrefix(part.Name, "conv") || strings.Contains(part.Name, ".conv") || part.Name == "fc.weight"; in == weight {
			t.Fatalf("%s: without decay %v", part.Name, in)
		}
	}
}
