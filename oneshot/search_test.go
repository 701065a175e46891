package oneshot

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"espalier/darts"
	"espalier/datasets"
	"espalier/internal/rng"
	"espalier/internal/traintest"
	"espalier/nn"
	"espalier/search"
	"espalier/search/supernet"
	"espalier/train"
)

const batch = 8

// tiny is a supernet of the space of NAS-Bench-201, three cells of four channels and more, with 40 images for weights and 24
// for α, 16 pixels wide.
func tiny(t testing.TB) *Problem { return edged(t, search.MixedEdge{}) }

// edged is tiny with other edges.
func edged(t testing.TB, e search.MixedEdge) *Problem {
	t.Helper()
	return problem(t, search.NASBench201(), supernet.Options{Channels: 4, Cells: 1, Batch: batch, Edge: e})
}

// problem has 5 batches of drawn images for weights and 3 for α; it completes the options of the supernet.
func problem(t testing.TB, space *search.Space, o supernet.Options) *Problem {
	t.Helper()
	weights, all := 5*o.Batch, 8*o.Batch
	set := datasets.Synthetic(1, datasets.SyntheticOptions{Train: all, Test: 10, Size: 16})
	loader := func(stream string, from, to int, shuffle bool) *datasets.Loader {
		var indices []int
		for i := from; i < to; i++ {
			indices = append(indices, i)
		}
		options := datasets.LoaderOptions{Batch: o.Batch, Seed: 1, Stream: stream, Shuffle: shuffle, DropLast: true, Norm: set.Norm}
		if shuffle {
			options.Augment = datasets.Augment{Pad: 2, Flip: true}
		}
		l, err := datasets.NewLoader(set.Train, indices, options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	o.Input, o.Classes = nn.Shape(set.Shape()), len(set.Classes)
	net, err := supernet.New(space, o)
	if err != nil {
		t.Fatal(err)
	}
	return &Problem{
		Net: net, Train: loader("weights", 0, weights, true), Val: loader("architecture", weights, all, true),
		Check: loader("check", weights, all, false), Seed: 1,
	}
}

func course(epochs int) Course {
	c := DefaultCourse(epochs)
	c.Recipe.AlphaLR = 0.1 // so that α moves within a few steps
	return c
}

// configure is a method with settings, given as name=value.
func configure(t testing.TB, name string, values ...string) Method {
	t.Helper()
	set := map[string]string{}
	for _, v := range values {
		key, value, _ := strings.Cut(v, "=")
		set[key] = value
	}
	m, err := Configure(name, set)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// variants are all methods in all their forms.
func variants(t testing.TB) map[string]Method {
	return map[string]Method{
		"darts order 1":       configure(t, "darts", "order=1"),
		"darts order 2":       configure(t, "darts"),
		"darts order 2 plain": configure(t, "darts", "plain=true", "xi=0.01", "clip=5"),
		"rarts reuse":         configure(t, "rarts", "lambda=2"),
		"rarts four passes":   configure(t, "rarts", "reuse=false"),
		"gdas":                configure(t, "gdas"),
		"pc-darts":            configure(t, "pc-darts", "k=2"),
		"random-ws":           configure(t, "random-ws", "candidates=6", "finalists=2", "batches=1"),
	}
}

// run runs a method in pieces of so many steps, each with a net and a stepper of its own; 0: in one piece.
func run(t testing.TB, p func() *Problem, m Method, c Course, every int) *Search {
	t.Helper()
	return traintest.InPieces(t, c.Epochs, every, func() *Search {
		s, err := New(m, p(), c)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// vectors are all that a search ends with.
func (s *Search) vectors() map[string][]nn.Float {
	all := map[string][]nn.Float{"alpha": s.Alpha.Value}
	for _, n := range s.networks {
		all[n.Name] = n.Value
	}
	for _, b := range s.keep {
		all[b.Name] = b.Value
	}
	return all
}

// TestResume: interrupted after any number of steps, a search ends with the same bits: α and its history, all weights, each
// with its statistics.
func TestResume(t *testing.T) {
	if unsafe.Sizeof(nn.Float(0)) == 8 {
		t.Skip("checkpoints hold weights in single precision")
	}
	for name, m := range variants(t) {
		t.Run(name, func(t *testing.T) {
			c := course(2)
			if strings.HasPrefix(name, "rarts") {
				c.Warmup = 1
			}
			c.Curvature = name == "darts order 1"
			if name == "darts order 2" || name == "pc-darts" {
				c.Auxiliary = Auxiliary{Decay: "cosine", Weight: 0.5}
			}
			problem := func() *Problem { return edged(t, Edge(m, c.Auxiliary)) }
			want := run(t, problem, m, c, 0)
			pieces := []int{1, 3}
			if testing.Short() {
				pieces = pieces[1:]
			}
			for _, every := range pieces {
				got := run(t, problem, m, c, every).vectors()
				for key, v := range want.vectors() {
					if !equal(got[key], v) {
						t.Errorf("interrupted every %d steps: %s differs", every, key)
					}
				}
			}
			one, err := want.Choose(t.Context(), func(string, int, int) {})
			if err != nil {
				t.Fatal(err)
			}
			if err := one.Validate(search.Registry{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// whole is α and β.
func whole(a *search.Alpha) []nn.Float { return slices.Concat(a.Values, a.Beta) }

// equal says that values are the same, not measured ones (NaN) included.
func equal(a, b []nn.Float) bool {
	return slices.EqualFunc(a, b, func(x, y nn.Float) bool { return x == y || x != x && y != y })
}

// TestResumeNoise: the noise of space S4's primitive is that of the step, too.
func TestResumeNoise(t *testing.T) {
	if unsafe.Sizeof(nn.Float(0)) == 8 {
		t.Skip("checkpoints hold weights in single precision")
	}
	problem := func() *Problem {
		p := tiny(t)
		net, err := supernet.New(search.RobustDARTS4(), supernet.Options{
			Input: p.Net.In, Classes: p.Net.Classes(), Channels: 4, Cells: 3, Batch: batch,
		})
		if err != nil {
			t.Fatal(err)
		}
		p.Net = net
		return p
	}
	m := configure(t, "darts")
	want, got := run(t, problem, m, course(2), 0), run(t, problem, m, course(2), 3).vectors()
	for key, v := range want.vectors() {
		if !equal(got[key], v) {
			t.Errorf("interrupted: %s differs", key)
		}
	}
}

// TestMoves: what a method should move it moves, and what it should leave alone it leaves alone; passes are as many as it
// says, and running statistics of a set of weights follow its own moves.
func TestMoves(t *testing.T) {
	for name, m := range variants(t) {
		t.Run(name, func(t *testing.T) {
			c := course(1)
			p := edged(t, Edge(m, c.Auxiliary))
			p.Check = nil
			s, err := New(m, p, c)
			if err != nil {
				t.Fatal(err)
			}
			before := map[string][]nn.Float{}
			for key, v := range s.vectors() {
				before[key] = slices.Clone(v)
			}
			if err := s.Begin(0, 0); err != nil {
				t.Fatal(err)
			}
			_, from := p.Net.Passes()
			for range s.Steps() {
				if _, err := s.Step(); err != nil {
					t.Fatal(err)
				}
			}
			if _, now := p.Net.Passes(); now-from != m.Passes()*s.Steps() {
				t.Errorf("%d passes in %d steps, want %d each", now-from, s.Steps(), m.Passes())
			}
			moving := []string{"w", "w.statistics", "w.tally"}
			if name != "random-ws" {
				moving = append(moving, "alpha")
			}
			if strings.HasPrefix(name, "rarts") {
				moving = append(moving, "y", "y.statistics", "y.tally")
				if slices.Equal(s.networks[0].params.Buffers, s.networks[1].params.Buffers) {
					t.Error("both networks have the same running statistics")
				}
				if !slices.Equal(before["w"], before["y"]) {
					t.Error("the networks began different")
				}
			}
			for key, v := range s.vectors() {
				if moved := !equal(v, before[key]); moved != slices.Contains(moving, key) {
					t.Errorf("%s moved: %v", key, moved)
				}
			}
			if n := s.W.tally[0]; n != nn.Float(batch*s.Steps()) {
				t.Errorf("weights were moved on %v images, want %d", n, batch*s.Steps())
			}
		})
	}
}

// TestStatisticsOfMoves: second order looks at the same images as first order, four times more, and ends an epoch with the
// same running statistics where α and so the weights' path are the same: with an α that does not move.
func TestStatisticsOfMoves(t *testing.T) {
	still := func(o string) *Search {
		c := course(1)
		c.Recipe.AlphaLR, c.Recipe.AlphaDecay = 1e-300, 0
		return run(t, func() *Problem { return tiny(t) }, configure(t, "darts", o), c, 0)
	}
	one, two := still("order=1"), still("order=2")
	if !slices.Equal(one.W.Value, two.W.Value) || !slices.Equal(one.W.params.Buffers, two.W.params.Buffers) {
		t.Error("looking at weights changed them, or their running statistics")
	}
}

// TestAllGradients: gradients that are computed though nobody asked for them change nothing.
func TestAllGradients(t *testing.T) {
	for name, m := range variants(t) {
		all := func() *Problem {
			p := edged(t, Edge(m, Auxiliary{}))
			p.AllGradients = true
			return p
		}
		want, got := run(t, func() *Problem { return edged(t, Edge(m, Auxiliary{})) }, m, course(1), 0), run(t, all, m, course(1), 0).vectors()
		for key, v := range want.vectors() {
			if !equal(got[key], v) {
				t.Errorf("%s: %s differs", name, key)
			}
		}
	}
}

// TestFigures: every epoch has its figures, and they are of what they say.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("searches")
	}
	for name, m := range variants(t) {
		c := course(4)
		c.Curvature = true
		var epochs [][]train.Figure
		s, err := New(m, edged(t, Edge(m, c.Auxiliary)), c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = train.Run(t.Context(), nil, s, train.Options{Epochs: 4, Observer: traintest.Observer(func(e train.Event) {
			if r, ok := e.(train.EpochEnded); ok {
				epochs = append(epochs, slices.Clone(r.Figures))
			}
		})})
		if err != nil {
			t.Fatal(err)
		}
		if len(epochs) != 4 {
			t.Fatalf("%s: %d epochs", name, len(epochs))
		}
		last := map[string]float64{}
		for i, figures := range epochs {
			for _, f := range figures {
				last[f.Name] = f.Value
				if due := i%2 == 1; math.IsNaN(f.Value) && !(f.Name == "eigenvalue" && !due) || f.Name == "eigenvalue" && due && math.IsNaN(f.Value) {
					t.Errorf("%s: epoch %d has %s %v", name, i+1, f.Name, f.Value)
				}
			}
		}
		g, err := s.Derive(s.AlphaAfter(4))
		if err != nil {
			t.Fatal(err)
		}
		if n := g.Normal.Count("skip_connect"); last["cell_skips"] != float64(n) {
			t.Errorf("%s: %v skips in the figures, %d in the architecture", name, last["cell_skips"], n)
		}
		if e := last["cell_entropy"]; !(e > 0 && e <= math.Log(5)+1e-6) {
			t.Errorf("%s: entropy %v", name, e)
		}
		if _, judged := last["val_accuracy"]; judged == (name == "random-ws") {
			t.Errorf("%s: figures %v", name, slices.Sorted(maps.Keys(last)))
		}
		if n := len(s.Eigenvalues()); n != 2 {
			t.Errorf("%s: %d eigenvalues, want 2", name, n)
		}
		if !slices.Equal(whole(s.AlphaAfter(4)), s.Alpha.Value) || name != "random-ws" && slices.Equal(whole(s.AlphaAfter(3)), s.Alpha.Value) {
			t.Errorf("%s: the history of α is not that", name)
		}
	}
}

// TestStopping: a search ends when its rule says so, also if it is interrupted, and an earlier α counts.
func TestStopping(t *testing.T) {
	c := course(6)
	// Any growth, and any fall, from one epoch to the next: it stops after the first two positive eigenvalues in a row.
	c.Stopping = darts.Stopping{Every: 1, Window: 1, Ratio: 1e-9, Back: 1}
	m := configure(t, "darts", "order=1")
	for _, every := range []int{0, 4} {
		if every > 0 && unsafe.Sizeof(nn.Float(0)) == 8 {
			continue
		}
		s := run(t, func() *Problem { return tiny(t) }, m, c, every)
		stop, stopped, best := c.Stopping.Stop(s.Eigenvalues())
		if !stop || stopped != len(s.Eigenvalues()) || stopped >= 6 || s.Done() != stopped*s.Steps() || best != stopped-1 {
			t.Fatalf("%d steps in pieces of %d, eigenvalues %v: %v, %d, %d", s.Done(), every, s.Eigenvalues(), stop, stopped, best)
		}
		want, err := s.Derive(s.AlphaAfter(best))
		if err != nil {
			t.Fatal(err)
		}
		if g, err := s.Choose(t.Context(), nil); err != nil || !g.Equal(want) {
			t.Errorf("%v counts, want %v, %v", g, want, err)
		}
	}
	c.Stopping.Back = 0
	if _, err := New(m, tiny(t), c); err == nil {
		t.Error("a rule that compares with nothing is taken")
	}
}

// TestOneHot: the supernet under the weights of an architecture computes that architecture alone.
func TestOneHot(t *testing.T) {
	for _, space := range []*search.Space{search.DARTS(), search.NASBench201()} {
		g := space.Sample(search.Registry{}, rng.New(1, "sample"))
		w := OneHot(space, g)
		n := 0
		for _, v := range w {
			n += int(v)
		}
		if want := len(g.Normal.Edges) + len(g.Reduce.Edges); n != want {
			t.Errorf("%s: %d operations for %d edges", space.Name, n, want)
		}
		a := search.NewAlpha(space)
		copy(a.Values, w)
		back, err := search.Derive(space, search.Registry{}, a.Softmax())
		if err != nil {
			t.Fatal(err)
		}
		sorted := func(w search.Wiring) []search.Choice {
			edges := slices.Clone(w.Edges)
			slices.SortFunc(edges, func(a, b search.Choice) int { return 100*(a.To-b.To) + a.From - b.From })
			return edges
		}
		if !slices.Equal(sorted(back.Normal), sorted(g.Normal)) || !slices.Equal(sorted(back.Reduce), sorted(g.Reduce)) {
			t.Errorf("%s: %v became %v", space.Name, g, back)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an operation that the space lacks has a place")
		}
	}()
	OneHot(search.NASBench201(), search.Genotype{Normal: search.Wiring{Edges: []search.Choice{{Op: "sep_conv_3x3", From: 0, To: 1}}}})
}

func TestMethods(t *testing.T) {
	for _, e := range Methods() {
		for _, s := range e.Settings() {
			if s.Help == "" || s.Name == "" {
				t.Errorf("%s.%s has no help", e.Name, s.Name)
			}
		}
		if _, err := Configure(e.Name, nil); err != nil {
			t.Error(err)
		}
	}
	for want, c := range map[string][3]string{
		`no method "drats"; there are darts, rarts`: {"drats", "xi", "1"},
		"setting darts.eta: there is none":          {"darts", "eta", "1"},
		"lambda is -1":                              {"rarts", "lambda", "-1"},
		"temperatures 0":                            {"gdas", "tau", "0"},
		"-3 candidates":                             {"random-ws", "candidates", "-3"},
		"with k 0":                                  {"pc-darts", "k", "0"},
	} {
		if _, err := Configure(c[0], map[string]string{c[1]: c[2]}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", c, err, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	m := configure(t, "darts", "order=1")
	for want, change := range map[string]func(*Problem, *Course){
		"images for the architecture": func(p *Problem, _ *Course) { p.Val = nil },
		"0 epochs":                    func(_ *Problem, c *Course) { c.Epochs = 0 },
		"first 2 of which":            func(_ *Problem, c *Course) { c.Warmup = 2 },
		"curvature":                   func(p *Problem, c *Course) { p.Check, c.Curvature = nil, true },
		"rates":                       func(_ *Problem, c *Course) { c.Recipe.LR = math.NaN() },
		"for a search that has":       func(_ *Problem, c *Course) { c.Auxiliary = Auxiliary{Decay: "linear", Weight: 1} },
		`decay "square"`:              func(_ *Problem, c *Course) { c.Auxiliary = Auxiliary{Decay: "square", Weight: 1} },
		"of weight -1":                func(_ *Problem, c *Course) { c.Auxiliary.Weight = -1 },
	} {
		p, c := tiny(t), course(2)
		change(p, &c)
		if _, err := New(m, p, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	one, two := run(t, func() *Problem { return tiny(t) }, m, course(1), 0), tiny(t)
	other, err := New(configure(t, "rarts"), two, course(1))
	if err != nil {
		t.Fatal(err)
	}
	state, err := one.State()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Restore(state); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("RARTS took the state of DARTS: %v", err)
	}
}

// Example searches NAS-Bench-201's space on a few drawn images.
func Example() {
	set := datasets.Synthetic(1, datasets.SyntheticOptions{Train: 64, Test: 10, Size: 16})
	net, err := supernet.New(search.NASBench201(), supernet.Options{
		Input: nn.Shape(set.Shape()), Classes: len(set.Classes), Channels: 4, Cells: 1, Batch: 8,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	split, err := datasets.NewSplit(set.Train, 1, datasets.Share{Name: TrainSplit, Images: 32}, datasets.Share{Name: ValSplit, Images: 32})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := &Problem{Net: net, Seed: 1}
	for name, to := range map[string]**datasets.Loader{TrainSplit: &p.Train, ValSplit: &p.Val} {
		*to, err = datasets.NewLoader(set.Train, split.Indices(name), datasets.LoaderOptions{
			Batch: 8, Seed: 1, Stream: name, Shuffle: true, DropLast: true, Norm: set.Norm,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer (*to).Close()
	}
	method, err := Configure("rarts", map[string]string{"lambda": "1", "beta": "0.1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := New(method, p, DefaultCourse(2))
	if err == nil {
		_, err = train.Run(context.Background(), nil, s, train.Options{Epochs: 2})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := s.Choose(context.Background(), nil)
	fmt.Println(len(g.Normal.Edges), "edges,", method.Passes(), "passes a step,", err)
	// Output: 6 edges, 2 passes a step, <nil>
}
