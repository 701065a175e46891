package nn

import (
	"math/rand/v2"
	"testing"
)

// TestArrange checks on random lifetimes that what is needed at one time does not overlap, and that the block is not much
// larger than the most that is needed at any time.
func TestArrange(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var sum, least float64
	for range 200 {
		units := 1 + r.IntN(20)
		var bs []*Buffer
		for range 1 + r.IntN(60) {
			a, b := r.IntN(2*units), r.IntN(2*units)
			bs = append(bs, &Buffer{n: r.IntN(300), from: momentAt(min(a, b), units), to: momentAt(max(a, b), units)})
		}
		offsets, size := arrange(bs, units)
		peak := 0
		for now := range 2 * units {
			live := 0
			for i, b := range bs {
				if b.from.time(units) <= now && now <= b.to.time(units) {
					live += alignPart(b.n)
				}
				if offsets[i]%partAlign != 0 || offsets[i]+b.n > size {
					t.Fatalf("a buffer of %d at %d in a block of %d", b.n, offsets[i], size)
				}
				for j, c := range bs[:i] {
					if b.meets(c, units) && b.n > 0 && c.n > 0 && offsets[i] < offsets[j]+c.n && offsets[j] < offsets[i]+b.n {
						t.Fatalf("buffers at %d and %d overlap in place and time", offsets[i], offsets[j])
					}
				}
			}
			peak = max(peak, live)
		}
		if size < peak {
			t.Fatalf("a block of %d for a peak of %d", size, peak)
		}
		sum, least = sum+float64(size), least+float64(peak)
	}
	if !(sum < 1.1*least) {
		t.Errorf("blocks are %.0f%% larger than they must be", 100*(sum/least-1))
	}
}

// momentAt is the inverse of moment.time.
func momentAt(time, units int) moment {
	if time < units {
		return forward(time)
	}
	return backward(2*units - 1 - time)
}

// TestMoments checks the order of a step: forward through the units, then backward.
func TestMoments(t *testing.T) {
	want := 0
	for _, m := range []moment{forward(0), forward(1), forward(2), backward(2), backward(1), backward(0)} {
		if got := m.time(3); got != want {
			t.Errorf("moment %d is at %d, want %d", m, got, want)
		}
		want++
	}
}

// TestStaleMemory checks that a step does not depend on what its memory held before.
func TestStaleMemory(t *testing.T) {
	run := func(garbage Float) *Params {
		net := smallNet(t)
		p, err := net.TrainProgram(3, TrainOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range net.memory.block {
			net.memory.block[i] = garbage
		}
		x, labels := batchOf(net, 3, 1)
		if _, err := p.Step(x, labels); err != nil {
			t.Fatal(err)
		}
		return net.Params.With(net.Params.Grads)
	}
	if !run(1e30).Equal(run(0)) {
		t.Error("gradients depend on stale memory")
	}
}
