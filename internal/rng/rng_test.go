package rng

import (
	"fmt"
	"math"
	"testing"
)

// The draws are part of every run's identity: a change here makes old checkpoints and results unrepeatable.
func TestPinned(t *testing.T) {
	for _, c := range []struct {
		got, want uint64
	}{
		{New(1).Uint64(), 9698491189332857809},
		{New(1, "init").Uint64(), 5233153548322991685},
		{New(1, "init", "conv1.weight").Uint64(), 7409366273931239256},
		{New(2, "order").At(7).Uint64(), 3744665493084846279},
	} {
		if c.got != c.want {
			t.Errorf("first draw %d, want %d", c.got, c.want)
		}
	}
}

// So are the methods that make other draws out of the bits.
func TestPinnedMethods(t *testing.T) {
	s := New(3, "methods")
	got := fmt.Sprintln(s.IntN(1000), s.Float64(), s.NormFloat64(), s.Uint32(), s.Perm(8), s.Bernoulli(.5))
	list := []int{0, 1, 2, 3, 4, 5, 6, 7}
	s.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	const want = "409 0.2793984186280628 -0.24409450302813065 67978203 [5 7 6 1 4 2 0 3] false\n[7 5 2 3 4 6 1 0]"
	if got += fmt.Sprint(list); got != want {
		t.Errorf("draws\n%s, want\n%s", got, want)
	}
}

func TestIdentity(t *testing.T) {
	streams := map[string]*Stream{
		"seed":    New(1),
		"seed 2":  New(2),
		"a bc":    New(1, "a", "bc"),
		"ab c":    New(1, "ab", "c"),
		"abc":     New(1, "abc"),
		"a/bc":    New(1, "a/bc"),
		"empty":   New(1, ""),
		"at 0":    New(1).At(0),
		"at 1":    New(1).At(1),
		"a at 1":  New(1, "a").At(1),
		"named 1": New(1, "1"),
	}
	seen := map[uint64]string{}
	for name, s := range streams {
		v := s.Uint64()
		if other, ok := seen[v]; ok {
			t.Errorf("%q and %q are the same stream", name, other)
		}
		seen[v] = name
	}
	parent := New(3, "x")
	parent.Uint64()
	if a, b := parent.Split("y").Uint64(), New(3, "x", "y").Uint64(); a != b {
		t.Errorf("a split depends on the position of its parent")
	}
}

func TestResume(t *testing.T) {
	s := New(5, "order")
	s.NormFloat64()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var r Stream
	if err := r.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if a, b := s.Uint64(), r.Uint64(); a != b {
			t.Fatalf("draw %d: %d, resumed %d", i, a, b)
		}
	}
	if a, b := s.Split("z").Uint64(), r.Split("z").Uint64(); a != b {
		t.Errorf("a resumed stream splits differently")
	}
	for n := range b {
		if err := new(Stream).UnmarshalBinary(b[:n]); err == nil {
			t.Errorf("%d bytes of state were accepted", n)
		}
	}
}

func TestUniform(t *testing.T) {
	s := New(9, "uniform")
	const n = 100000
	var sum, square float64
	for range n {
		v := s.Float64()
		sum, square = sum+v, square+v*v
	}
	mean, variance := sum/n, square/n-sum/n*sum/n
	if !(math.Abs(mean-.5) < .005) || !(math.Abs(variance-1./12) < .002) {
		t.Errorf("mean %v, variance %v of the uniform distribution", mean, variance)
	}
}

func ExampleNew() {
	weights := New(1, "init", "conv1.weight")
	again := New(1, "init", "conv1.weight")
	fmt.Println(weights.IntN(1000) == again.IntN(1000))
	// Output: true
}
