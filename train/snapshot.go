package train

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"espalier/internal/safetensors"
	"espalier/nn"
	"espalier/optim"
)

// In a snapshot, the net's tensors have torchvision's names. Those of the optimizer and of the average have the same
// names behind a prefix that ends in a slash, which no layer's name holds: optimizer/velocity/conv1.weight, ema/bn1.bias.
// Counters stand in the metadata: optimizer/steps, ema/updates.
const (
	optimizerPrefix = "optimizer/"
	averagePrefix   = "ema/"
)

// Keys of what a resumed run must have in common with the one that it goes on with: the learning rates, and the random
// stream of the training images.
const (
	keySchedule = "schedule"
	keySeed     = "loader/seed"
	keyStream   = "loader/stream"
)

// Keys of the place in that stream. It follows from the checkpoint's position, and is there so that the file describes
// itself.
const (
	keyLoaderEpoch = "loader/epoch" // 0 is the first
	keyLoaderBatch = "loader/batch" // the next
)

// Keys of the sums of the running epoch.
const (
	keyLoss    = "epoch_loss"
	keyCorrect = "epoch_correct"
	keyImages  = "epoch_images"
)

// State implements Stepper. Tensors are float32 in PyTorch's shapes; a build in double precision loses digits here.
func (s *Supervised) State() (State, error) {
	architecture, err := architectureOf(s.net)
	if err != nil {
		return State{}, err
	}
	stream := s.data.Stream()
	state := State{
		Tensors: s.net.Params.Export(),
		Metadata: map[string]string{
			architectureKey: architecture,
			keySchedule:     fmt.Sprintf("%#v", s.recipe.Schedule),
			keySeed:         strconv.FormatUint(stream.Seed, 10),
			keyStream:       stream.Name,
			keyLoaderEpoch:  strconv.Itoa(stream.Epoch),
			keyLoaderBatch:  strconv.Itoa(stream.Batch),
			keyLoss:         strconv.FormatFloat(s.sum.loss, 'g', -1, 64),
			keyCorrect:      strconv.Itoa(s.sum.correct),
			keyImages:       strconv.Itoa(s.sum.images),
		},
	}
	p := s.net.Params
	state.add(optimizerPrefix, p.Layout, s.recipe.Optimizer.State(), true)
	if s.weights != nil {
		state.add(averagePrefix, p.Layout, s.weights.State(), false)
		state.add(averagePrefix, p.BufferLayout, s.buffers.State(), false)
	}
	return state, nil
}

// add appends the vectors and counters of from. With named, a vector's own name stands before those of its tensors.
func (s *State) add(prefix string, l *nn.Layout, from optim.State, named bool) {
	for _, name := range slices.Sorted(maps.Keys(from.Vectors)) {
		before := prefix
		if named {
			before += name + "/"
		}
		for _, t := range l.Export(from.Vectors[name]) {
			t.Name = before + t.Name
			s.Tensors = append(s.Tensors, t)
		}
	}
	for name, n := range from.Counters {
		s.Metadata[prefix+name] = strconv.FormatInt(n, 10)
	}
}

// Restore implements Stepper. The checkpoint of another architecture, schedule, random stream or set of moving parts is
// refused, and the error lists the first differences.
func (s *Supervised) Restore(state State) error {
	if err := s.compare(state); err != nil {
		return err
	}
	var sum sums
	var err error
	for key, to := range map[string]*int{keyCorrect: &sum.correct, keyImages: &sum.images} {
		if *to, err = strconv.Atoi(state.Metadata[key]); err != nil {
			return fmt.Errorf("its metadata %s is %q", key, state.Metadata[key])
		}
	}
	if sum.loss, err = strconv.ParseFloat(state.Metadata[keyLoss], 64); err != nil {
		return fmt.Errorf("its metadata %s is %q", keyLoss, state.Metadata[keyLoss])
	}
	p := s.net.Params
	if err := p.Import(below("", state.Tensors)); err != nil {
		return err
	}
	if err := state.take(optimizerPrefix, p.Layout, s.recipe.Optimizer, true); err != nil {
		return err
	}
	if s.weights != nil {
		if err := state.take(averagePrefix, p.Layout, s.weights, false); err != nil {
			return err
		}
		if err := state.take(averagePrefix, p.BufferLayout, s.buffers, false); err != nil {
			return err
		}
	}
	s.sum = sum
	return nil
}

// take gives to the state that add wrote.
func (s State) take(prefix string, l *nn.Layout, to optim.Stateful, named bool) error {
	restored := to.State().Clone()
	for name, v := range restored.Vectors {
		before := prefix
		if named {
			before += name + "/"
		}
		var own []safetensors.Tensor
		for _, t := range below(before, s.Tensors) {
			if _, ok := l.Lookup(t.Name); ok {
				own = append(own, t)
			}
		}
		if err := l.Import(v, own); err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSuffix(before, "/"), err)
		}
	}
	for name := range restored.Counters {
		text := s.Metadata[prefix+name]
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("its metadata %s is %q", prefix+name, text)
		}
		restored.Counters[name] = n
	}
	return to.Restore(restored)
}

// below are the tensors whose names begin with prefix and hold no slash after it, named without it.
func below(prefix string, tensors []safetensors.Tensor) []safetensors.Tensor {
	var found []safetensors.Tensor
	for _, t := range tensors {
		if name, ok := strings.CutPrefix(t.Name, prefix); ok && !strings.Contains(name, "/") {
			t.Name = name
			found = append(found, t)
		}
	}
	return found
}

// listed is the number of differences that an error names.
const listed = 3

// compare says where the tensors, the schedule and the random stream of a state differ from those that State would return
// now.
func (s *Supervised) compare(state State) error {
	own, err := s.State()
	if err != nil {
		return err
	}
	wrong := differences(state.Tensors, own.Tensors)
	for _, key := range []string{keySchedule, keySeed, keyStream} {
		if there, here := state.Metadata[key], own.Metadata[key]; there != "" && there != here {
			wrong = append(wrong, fmt.Sprintf("%s is %s there and %s here", key, there, here))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	rest := ""
	if n := len(wrong) - listed; n > 0 {
		wrong, rest = wrong[:listed], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Errorf("it is of another architecture or recipe: %s%s", strings.Join(wrong, ", "), rest)
}

// differences says in which names, shapes and types the tensors of a file, there, differ from one's own, here.
func differences(there, here []safetensors.Tensor) []string {
	shapes := map[string][]int{}
	for _, t := range here {
		shapes[t.Name] = t.Shape
	}
	var wrong []string
	for _, t := range there {
		shape, ok := shapes[t.Name]
		delete(shapes, t.Name)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%s is there and not here", t.Name))
		case !slices.Equal(shape, t.Shape):
			wrong = append(wrong, fmt.Sprintf("%s is %v there and %v here", t.Name, t.Shape, shape))
		case t.DType != safetensors.F32:
			wrong = append(wrong, fmt.Sprintf("%s holds %s there", t.Name, t.DType))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		wrong = append(wrong, fmt.Sprintf("%s is here and not there", name))
	}
	return wrong
}
