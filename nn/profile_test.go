package nn

import (
	"testing"
	"time"
)

// TestProfile checks with a clock that ticks at every reading that all of a step is measured, unit by unit.
func TestProfile(t *testing.T) {
	net := smallNet(t)
	p, err := net.TrainProgram(2, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, labels := batchOf(net, 2, 1)
	step := func() {
		if _, err := p.Step(x, labels); err != nil {
			t.Fatal(err)
		}
	}
	var now time.Duration
	profile := p.Profile(func() time.Duration { now += time.Millisecond; return now })
	step()
	step()
	if p.Profile(nil) != nil {
		t.Error("the profile did not end")
	}
	ticks := now
	step()
	if now != ticks {
		t.Error("without a profile the clock is read")
	}

	rows := make(map[[2]string]Row)
	for _, r := range profile.Rows() {
		rows[[2]string{r.Unit, r.Kind}] = r
	}
	for _, key := range [][2]string{
		{"conv1+layer1.0", "add, ReLU"}, {"bn2", "batch norm"}, {"layer1.1", "conv 3x3 /2"}, {"layer1.1", "conv 1x1 /2"},
		{"layer2.0", "subsample"}, {"layer2.0", "add, ReLU"}, {"pool", "max pool"}, {"dw", "depthwise 3x3"},
		{"avgpool", "global average pool"}, {"fc", "linear"}, {"loss", "loss"},
	} {
		r, ok := rows[key]
		if want := 2 * time.Millisecond; !ok || r.Forward != want || r.Backward != want || r.ForwardCalls != 2 || r.BackwardCalls != 2 {
			t.Errorf("%v: %+v, want a tick forward and backward in each of two steps", key, r)
		}
	}
	if r := rows[[2]string{"conv1+layer1.0", "conv 3x3"}]; r.ForwardCalls != 6 {
		t.Errorf("stem and first block ran %d convolutions in two steps, want 6", r.ForwardCalls)
	}

	var byRow, byKind time.Duration
	for _, r := range profile.Rows() {
		byRow += r.Forward + r.Backward
	}
	kinds := profile.Kinds()
	for i, r := range kinds {
		byKind += r.Forward + r.Backward
		if i > 0 && r.Forward+r.Backward > kinds[i-1].Forward+kinds[i-1].Backward {
			t.Error("kinds are not sorted by time")
		}
	}
	if byRow != byKind || byRow == 0 {
		t.Errorf("rows add up to %v, kinds to %v", byRow, byKind)
	}
}
