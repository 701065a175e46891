package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The harness of the conformance tests. A test of an operation reads
//
//	eachISA(t, func(t *testing.T) {
//		for _, place := range places {
//			h := newHarness(t, place, seed)
//			x, y := h.normal("x", n), h.out("y", n) // guarded, misaligned, and seeded; y is filled with NaN
//			Operation(y, x)
//			h.close("y", y, want, terms, k)         // |y−want| ≤ k·2⁻²³·terms, element by element
//			h.done()                                // the guards round x and y are untouched
//		}
//	})
//
// where want comes from a twin in float64 and terms from the same twin on the absolute values of its operands, so that the
// bound is the one that rounding can explain. sameBits compares the results for several numbers of threads, noAllocations
// counts allocations in steady state.

// epsilon is the distance from 1 to the next Float.
var epsilon = float64(nextAfterOne() - 1)

func nextAfterOne() Float {
	if elem == 4 {
		return Float(math.Float32frombits(math.Float32bits(1) + 1))
	}
	return Float(math.Nextafter(1, 2))
}

// guardLength is the number of guard elements on either side of a buffer.
const guardLength = 40

// guard is a quiet NaN with a payload that no operation makes.
var guard = fromBits(0x7fc5a3b7, 0x7ff8a5a3b7c1d2e3)

func fromBits(b32 uint32, b64 uint64) Float {
	if elem == 4 {
		return Float(math.Float32frombits(b32))
	}
	return Float(math.Float64frombits(b64))
}

// bitsOf is the pattern of v.
func bitsOf(v Float) uint64 {
	if elem == 4 {
		return uint64(math.Float32bits(float32(v)))
	}
	return math.Float64bits(float64(v))
}

// place is where a harness puts its buffers: some elements after a 64-byte boundary, or so that they end at the end of
// accessible memory, where a read too far is a fault.
type place int

const edge place = -1

var places = []place{0, 1, 2, 3, edge}

type harness struct {
	t     testing.TB
	place place
	rng   *rand.Rand
	bufs  []guarded
}

type guarded struct {
	name string
	all  []Float // the buffer with its guards
	from int
	n    int
	free func()
}

func newHarness(t testing.TB, p place, seed uint64) *harness {
	return &harness{t: t, place: p, rng: rand.New(rand.NewPCG(seed, 1))}
}

// out is a buffer of n elements that an operation must write: it holds the guard's NaN.
func (h *harness) out(name string, n int) []Float {
	h.t.Helper()
	b := guarded{name: name, n: n, free: func() {}}
	if h.place == edge {
		b.from = guardLength
		b.all, b.free = pageEnd(h.t, guardLength+n)
	} else {
		b.from = 48 + int(h.place)
		b.all = Alloc(b.from + n + guardLength)
	}
	for i := range b.all {
		b.all[i] = guard
	}
	h.bufs = append(h.bufs, b)
	return b.all[b.from:][:n:n]
}

// normal is a buffer of n numbers of a normal distribution.
func (h *harness) normal(name string, n int) []Float {
	h.t.Helper()
	x := h.out(name, n)
	for i := range x {
		x[i] = Float(h.rng.NormFloat64())
	}
	return x
}

// copy is a buffer with the elements of x.
func (h *harness) copy(name string, x []Float) []Float {
	h.t.Helper()
	y := h.out(name, len(x))
	copy(y, x)
	return y
}

// done checks the guards of all buffers, and ends them: an edge buffer must not be used any more.
func (h *harness) done() {
	h.t.Helper()
	for _, b := range h.bufs {
		for i, v := range b.all {
			if (i < b.from || i >= b.from+b.n) && bitsOf(v) != bitsOf(guard) {
				h.t.Fatalf("%s (%d elements, place %d): element %d was written", b.name, b.n, h.place, i-b.from)
			}
		}
		b.free()
	}
	h.bufs = nil
}

// close checks that got is want within k roundings of terms, the sum of the absolute values that each element is a sum of.
// NaN must meet NaN, an infinity itself; terms may be nil for |want|.
func (h *harness) close(what string, got []Float, want, terms []float64, k float64) {
	h.t.Helper()
	if elem == 8 {
		k *= 1000 // the truth rounds too
	}
	if len(got) != len(want) {
		h.t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		g := float64(got[i])
		if math.IsNaN(w) && math.IsNaN(g) || math.IsInf(w, 0) && g == w {
			continue
		}
		scale := math.Abs(w)
		if terms != nil {
			scale = terms[i]
		}
		if bound := k * epsilon * scale; !(math.Abs(g-w) <= bound) {
			h.t.Fatalf("%s (place %d): element %d is %g, want %g ± %.3g", what, h.place, i, g, w, bound)
		}
	}
}

// eachISA runs a test for every instruction set of this machine.
func eachISA(t *testing.T, f func(t *testing.T)) {
	before := ISA()
	for _, name := range Available() {
		t.Run(name, func(t *testing.T) {
			if err := setISA(name); err != nil {
				t.Fatal(err)
			}
			defer setISA(before)
			f(t)
		})
	}
}

// sameBits runs an operation with several numbers of threads and checks that its results have the same bits. run returns
// the results, taken or made anew.
func sameBits(t *testing.T, what string, run func() [][]Float) {
	t.Helper()
	defer SetThreads(Threads())
	var first [][]Float
	for _, threads := range []int{1, 2, 3, 8} {
		SetThreads(threads)
		got := run()
		if first == nil {
			first = got
			continue
		}
		for i := range got {
			for k := range got[i] {
				if bitsOf(got[i][k]) != bitsOf(first[i][k]) {
					t.Fatalf("%s: result %d differs at %d between 1 and %d threads: %g, %g", what, i, k, threads, first[i][k], got[i][k])
				}
			}
		}
	}
}

// taken is a copy of a result, which is then spoilt: what the next run does not write shows.
func taken(x []Float) []Float {
	y := slices.Clone(x)
	for i := range x {
		x[i] = guard
	}
	return y
}

// parts are the bits of float64s, three Floats each.
func parts(x ...float64) (p []Float) {
	for _, v := range x {
		for range 3 {
			p = append(p, Float(v))
			v -= float64(Float(v))
		}
	}
	return p
}

// noAllocations checks that f, after a first call, allocates nothing.
func noAllocations(t *testing.T, what string, f func()) {
	t.Helper()
	f()
	if n := testing.AllocsPerRun(5, f); n != 0 {
		t.Errorf("%s allocates %v times a call", what, n)
	}
}

// widen converts to float64.
func widen(x []Float) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// absolute is |x| in float64.
func absolute(x []Float) []float64 {
	y := widen(x)
	for i, v := range y {
		y[i] = math.Abs(v)
	}
	return y
}

// pour puts NaN, +Inf and -Inf into x, a few of each.
func (h *harness) pour(x []Float) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.NaN()} {
		x[h.rng.IntN(len(x))] = Float(v)
	}
}
