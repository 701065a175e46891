package bilevel

import (
	"math"
	"slices"
	"strings"
	"testing"

	"espalier/internal/kernels"
	"espalier/internal/rng"
	"espalier/internal/traintest"
	"espalier/optim"
	"espalier/train"
)

// noise is a source whose batch number n of a split is one number that depends on both.
type noise struct {
	at      map[string]int
	current map[string]float64
}

func newNoise() *noise { return &noise{map[string]int{}, map[string]float64{}} }

func (s *noise) Seek(split string, n int) error {
	s.at[split] = n
	return nil
}

func (s *noise) Next(split string) error {
	s.current[split] = rng.New(1, split).At(uint64(s.at[split])).NormFloat64()
	s.at[split]++
	return nil
}

// noisy is a method of every part there is: momentum, Adam where the precision is that of the engine, several gradients a
// step, a mask, a kept block.
func noisy[T Float](adam Optimizer[T]) (*Stepper[T], map[string]*Block[T]) {
	const n = 20
	zeros := func() []T { return make([]T, n) }
	w, s := NewBlock("w", zeros()...), NewBlock("s", zeros()...)
	mask, seen := NewBlock("mask", zeros()...), NewBlock[T]("seen", 0)
	source := newNoise()
	pull := func(g []T, from []T, split string) (float64, error) {
		loss := 0.0
		for i := range g {
			d := from[i] - T(math.Sin(float64(i)+source.current[split]))
			g[i] = d
			loss += float64(d*d) / 2
		}
		seen.Value[0] += T(loss)
		return loss, nil
	}
	if adam == nil {
		adam = NewDescent[T](n, 0.5, 0.01)
	}
	st, err := New(Method[T]{
		{Block: w, Splits: []string{"train"}, Times: 3, Optimizer: NewDescent[T](n, 0.9, 1e-3), Rate: optim.Cosine{LR: 0.1, Steps: 40},
			Gradient: func(g []T, _ int) (float64, error) { return pull(g, w.Value, "train") }},
		{Block: s, Splits: []string{"val"}, Optimizer: adam, Rate: optim.Constant{LR: 0.05}, Project: TopK(mask.Value, 7),
			Gradient: func(g []T, _ int) (float64, error) {
				loss, err := pull(g, w.Value, "val")
				for i := range g {
					g[i] *= s.Value[i] + mask.Value[i] - 0.5
				}
				return loss, err
			}},
	}, Options[T]{Steps: 7, Images: 3, Source: source, Keep: []*Block[T]{mask, seen}, Same: map[string]string{"problem": "noisy"}})
	if err != nil {
		panic(err)
	}
	return st, map[string]*Block[T]{"w": w, "s": s, "mask": mask, "seen": seen}
}

// interrupted runs until it is done, in pieces of so many steps, each with a stepper of its own.
func interrupted[T Float](t *testing.T, every int, adam func() Optimizer[T]) (blocks map[string]*Block[T]) {
	t.Helper()
	traintest.InPieces(t, 5, every, func() (s *Stepper[T]) {
		s, blocks = noisy(adam())
		return s
	})
	return blocks
}

func resume[T Float](t *testing.T, adam func() Optimizer[T]) {
	want := interrupted(t, math.MaxInt, adam)
	for _, every := range []int{2, 10} {
		got := interrupted(t, every, adam)
		for name, b := range want {
			if !slices.Equal(got[name].Value, b.Value) {
				t.Errorf("interrupted every %d steps: %s is %v, without that %v", every, name, got[name].Value, b.Value)
			}
		}
	}
	if k := len(slices.DeleteFunc(slices.Clone(want["mask"].Value), func(v T) bool { return v != 1 })); k != 7 {
		t.Errorf("the mask has %d ones, want 7", k)
	}
}

// TestResume: a run that is interrupted anywhere ends with the same bits, in either precision and with optim's optimizers.
func TestResume(t *testing.T) {
	t.Run("float64", func(t *testing.T) { resume(t, func() Optimizer[float64] { return nil }) })
	t.Run("float32", func(t *testing.T) { resume(t, func() Optimizer[float32] { return nil }) })
	t.Run("adam", func(t *testing.T) {
		resume(t, func() Optimizer[kernels.Float] { return optim.NewAdam(20, optim.DefaultAdam()) })
	})
}

// TestRestoreRefuses the state of another run.
func TestRestoreRefuses(t *testing.T) {
	s, _ := noisy[float64](nil)
	for want, change := range map[string]func(*train.State){
		"problem":     func(st *train.State) { st.Metadata["problem"] = "quiet" },
		"update.0":    func(st *train.State) { st.Metadata["update.0"] = "w × 2" },
		"epoch_loss":  func(st *train.State) { st.Metadata["epoch_loss/w"] = "much" },
		"w: bilevel":  func(st *train.State) { st.Tensors = st.Tensors[1:] },
		"optimizer.0": func(st *train.State) { st.Tensors = st.Tensors[:4] },
	} {
		state, err := s.State()
		if err != nil {
			t.Fatal(err)
		}
		change(&state)
		other, _ := noisy[float64](nil)
		if err := other.Restore(state); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestStepAllocates nothing, in either precision.
func TestStepAllocates(t *testing.T) {
	t.Run("float64", stepAllocates[float64])
	t.Run("float32", stepAllocates[float32])
}

func stepAllocates[T Float](t *testing.T) {
	const n = 100
	w, mask := NewBlock("w", make([]T, n)...), make([]T, n)
	s, err := New(Method[T]{{Block: w, Optimizer: NewDescent[T](n, 0.9, 0), Rate: optim.Constant{LR: 0.1}, Project: TopK(mask, 10),
		Gradient: func(g []T, _ int) (float64, error) {
			for i := range g {
				g[i] = w.Value[i] - T(i%7)
			}
			return 1, nil
		}}}, Options[T]{Steps: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(0, 0); err != nil {
		t.Fatal(err)
	}
	step := func() {
		if _, err := s.Step(); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 { // scratch has grown by now
		step()
	}
	if a := testing.AllocsPerRun(100, step); a != 0 {
		t.Errorf("%v allocations in a step", a)
	}
}

// TestNotFinite: divergence names the block, the step and the value.
func TestNotFinite(t *testing.T) {
	w := NewBlock("w", 1.0)
	err := run(t, Method[float64]{{Block: w, Optimizer: NewDescent[float64](1, 0, 0), Rate: optim.Constant{LR: 1},
		Gradient: func(g []float64, _ int) (float64, error) {
			g[0] = -w.Value[0] * 1e60
			return 0, nil
		}}}, Options[float64]{}, 100)
	if err == nil || !strings.Contains(err.Error(), "w[0] holds +Inf at step 5") {
		t.Errorf("got %v", err)
	}
}

func TestBox(t *testing.T) {
	x := []float64{-2, 0.5, 3, math.Inf(-1)}
	Box(0.0, 1)(x)
	if want := []float64{0, 0.5, 1, 0}; !slices.Equal(x, want) {
		t.Errorf("got %v, want %v", x, want)
	}
}
