package bilevel

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"espalier/internal/kernels"
	"espalier/internal/safetensors"
	"espalier/optim"
	"espalier/train"
)

// In a checkpoint, the tensors of block b stand behind "b/", and those of the vector v of the optimizer of update i of block
// b behind "optimizer.i/b/v/". A flat vector has no name of its own, only "flat".
const flatName = "flat"

func blockPrefix(name string) string { return name + "/" }

func (s *Stepper[T]) optimizerPrefix(i int) string {
	return fmt.Sprintf("optimizer.%d/%s/", i, s.method[i].Block.Name)
}

// State implements train.Stepper.
func (s *Stepper[T]) State() (train.State, error) {
	state := train.State{Metadata: s.same()}
	for _, b := range s.blocks {
		state.Tensors = put(state.Tensors, b.codec(), blockPrefix(b.Name), b.Value)
	}
	for i := range s.method {
		vectors, counters := stateOf[T](s.method[i].Optimizer)
		for _, name := range slices.Sorted(maps.Keys(vectors)) {
			state.Tensors = put(state.Tensors, s.method[i].Block.codec(), s.optimizerPrefix(i)+name+"/", vectors[name])
		}
		for name, n := range counters {
			state.Metadata[s.optimizerPrefix(i)+name] = strconv.FormatInt(n, 10)
		}
	}
	for k, sum := range s.sums {
		state.Metadata[s.sumKey(k)] = strconv.FormatFloat(sum, 'g', -1, 64)
	}
	return state, nil
}

func (s *Stepper[T]) sumKey(block int) string { return "epoch_loss/" + s.blocks[block].Name }

// same is the metadata that two runs must share to be one.
func (s *Stepper[T]) same() map[string]string {
	same := map[string]string{}
	for i := range s.method {
		same[fmt.Sprintf("update.%d", i)] = fmt.Sprintf("%s × %d, %v, %#v",
			s.method[i].Block.Name, s.method[i].times(), s.method[i].Splits, s.method[i].Rate)
		if from := s.method[i].From; from > 0 {
			same[fmt.Sprintf("update.%d.from", i)] = strconv.Itoa(from)
		}
	}
	maps.Copy(same, s.o.Same)
	return same
}

// Restore implements train.Stepper. The checkpoint of other blocks, updates or learning rates is refused.
func (s *Stepper[T]) Restore(state train.State) error {
	for key, here := range s.same() {
		if there := state.Metadata[key]; there != here {
			return fmt.Errorf("it is of another run: %s is %q there and %q here", key, there, here)
		}
	}
	sums := make([]float64, len(s.sums))
	for k := range sums {
		var err error
		if sums[k], err = strconv.ParseFloat(state.Metadata[s.sumKey(k)], 64); err != nil {
			return fmt.Errorf("its metadata %s is %q", s.sumKey(k), state.Metadata[s.sumKey(k)])
		}
	}
	for _, b := range s.blocks {
		if err := take(state.Tensors, b.codec(), blockPrefix(b.Name), b.Value); err != nil {
			return err
		}
	}
	for i := range s.method {
		if err := s.restoreOptimizer(i, state); err != nil {
			return err
		}
	}
	s.sums = sums
	return nil
}

func (s *Stepper[T]) restoreOptimizer(i int, state train.State) error {
	prefix := s.optimizerPrefix(i)
	vectors, counters := stateOf[T](s.method[i].Optimizer)
	for name, v := range vectors {
		if err := take(state.Tensors, s.method[i].Block.codec(), prefix+name+"/", v); err != nil {
			return err
		}
	}
	if len(counters) == 0 {
		return nil
	}
	restored := maps.Clone(counters)
	for name := range restored {
		n, err := strconv.ParseInt(state.Metadata[prefix+name], 10, 64)
		if err != nil {
			return fmt.Errorf("its metadata %s is %q", prefix+name, state.Metadata[prefix+name])
		}
		restored[name] = n
	}
	o := s.method[i].Optimizer.(optim.Stateful)
	return o.Restore(optim.State{Vectors: o.State().Vectors, Counters: restored})
}

// stateOf is the state of an optimizer: views of its vectors, and its counters.
func stateOf[T Float](o Optimizer[T]) (map[string][]T, map[string]int64) {
	switch o := any(o).(type) {
	case *Descent[T]:
		return o.vectors(), nil
	case optim.Stateful:
		state := o.State()
		vectors := any(state.Vectors).(map[string][]T) // since o is an Optimizer of T, T is kernels.Float
		return vectors, state.Counters
	}
	return nil, nil
}

var _ Optimizer[kernels.Float] = optim.Optimizer(nil)

// put appends a vector's tensors behind a prefix.
func put[T Float](to []safetensors.Tensor, c Codec[T], prefix string, v []T) []safetensors.Tensor {
	for _, t := range c.Export(v) {
		if t.Name == "" {
			t.Name = flatName
		}
		t.Name = prefix + t.Name
		to = append(to, t)
	}
	return to
}

// take sets a vector from what put appended.
func take[T Float](from []safetensors.Tensor, c Codec[T], prefix string, v []T) error {
	var own []safetensors.Tensor
	for _, t := range from {
		if name, ok := strings.CutPrefix(t.Name, prefix); ok && !strings.Contains(name, "/") {
			t.Name = name
			own = append(own, t)
		}
	}
	if err := c.Import(v, own); err != nil {
		return fmt.Errorf("%s: %w", strings.TrimSuffix(prefix, "/"), err)
	}
	return nil
}
