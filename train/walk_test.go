package train

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"

	"espalier/internal/rng"
	"espalier/internal/safetensors"
)

// walk is a stepper without a network: a damped random walk that is drawn towards 3.
type walk struct {
	x, v  []float64
	noise *rng.Stream
	order *rng.Stream // of the epoch, derived from its number
	sum   float64     // of the epoch's losses
	total int         // steps ever done

	steps  int
	failAt int                      // step, counted from 1 over all epochs, that fails; 0: none
	value  func(epoch int) float64  // of the figure val_accuracy; nil: from x
	during func(total int)          // called in every step
	ending func(context.Context)    // called in every End
	giveUp error                    // what End fails with
	begun  []Position               // what Begin was called with
	lie    func(*State)             // changes the state that State returns
	extra  func(epoch int) []Figure // more figures
}

var errStep = errors.New("the step failed")

func newWalk(steps int) *walk {
	return &walk{x: []float64{1, -2, 5}, v: make([]float64, 3), noise: rng.New(7, "noise"), steps: steps}
}

func (w *walk) Steps() int { return w.steps }

func (w *walk) Begin(epoch, step int) error {
	w.begun = append(w.begun, Position{epoch, step})
	w.order = rng.New(7, "order").At(uint64(epoch))
	for range step {
		w.order.Float64()
	}
	if step == 0 {
		w.sum = 0
	}
	return nil
}

func (w *walk) Step() (Sample, error) {
	w.total++
	if w.during != nil {
		w.during(w.total)
	}
	if w.total == w.failAt {
		return Sample{}, errStep
	}
	pull := w.order.Float64()
	for i := range w.x {
		g := w.x[i] - 3 + w.noise.NormFloat64()
		w.v[i] = 0.9*w.v[i] + g*pull
		w.x[i] -= 0.1 * w.v[i]
		w.sum += g * g
	}
	return Sample{Images: 1, Figures: []Figure{{"loss", w.sum}}}, nil
}

func (w *walk) End(ctx context.Context, epoch int, report Report) ([]Figure, error) {
	if w.ending != nil {
		w.ending(ctx)
	}
	if err := cmp.Or(w.giveUp, ctx.Err()); err != nil {
		return nil, err
	}
	report("validation", 1, 1)
	accuracy := 100 / (1 + math.Abs(w.x[0]-3))
	if w.value != nil {
		accuracy = w.value(epoch)
	}
	figures := []Figure{{"train_loss", w.sum / float64(w.steps)}, {"val_accuracy", accuracy}}
	if w.extra != nil {
		figures = append(figures, w.extra(epoch)...)
	}
	return figures, nil
}

func (w *walk) State() (State, error) {
	noise, err := w.noise.MarshalBinary()
	if err != nil {
		return State{}, err
	}
	s := State{
		Tensors: []safetensors.Tensor{
			safetensors.Float64("x", []int{len(w.x)}, w.x),
			safetensors.Float64("v", []int{len(w.v)}, w.v),
			safetensors.Float64("sum", nil, []float64{w.sum}),
			safetensors.Int64("total", nil, []int64{int64(w.total)}),
		},
		Metadata: map[string]string{"noise": base64.StdEncoding.EncodeToString(noise)},
	}
	if w.lie != nil {
		w.lie(&s)
	}
	return s, nil
}

func (w *walk) Restore(s State) error {
	values := map[string][]float64{}
	for _, t := range s.Tensors {
		if t.Name == "total" {
			n, err := t.Int64s()
			if err != nil {
				return err
			}
			w.total = int(n[0])
			continue
		}
		v, err := t.Float64s()
		if err != nil {
			return err
		}
		values[t.Name] = v
	}
	if len(values["x"]) != len(w.x) {
		return fmt.Errorf("x has %d elements, not %d", len(values["x"]), len(w.x))
	}
	noise, err := base64.StdEncoding.DecodeString(s.Metadata["noise"])
	if err != nil {
		return err
	}
	w.x, w.v, w.sum = slices.Clone(values["x"]), slices.Clone(values["v"]), values["sum"][0]
	return w.noise.UnmarshalBinary(noise)
}
