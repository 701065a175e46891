package darts

import (
	"math"
	"testing"
)

func TestStopping(t *testing.T) {
	flat := func(n int, v float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = v
		}
		return x
	}
	with := func(x []float64, more ...float64) []float64 { return append(x, more...) }
	for _, c := range []struct {
		name          string
		values        []float64
		stop          bool
		stopped, best int
	}{
		{"nothing measured", nil, false, 0, 0},
		{"no growth", flat(25, 0.2), false, 0, 0},
		{"a fall", []float64{1, .9, .8, .7, .6, .5, .4, .3}, false, 0, 0},
		// After epoch 16 the mean of the last five is (3·1+2·3)/5 = 1.8; after epoch 12 it was 1.
		{"a jump", with(flat(6, 1), 1.2, 3), true, 16, 12},
		// (4·1+2.6)/5 = 1.32 is enough, (4·1+2.4)/5 = 1.28 is not.
		{"just above", with(flat(7, 1), 2.6), true, 16, 12},
		{"just below", with(flat(7, 1), 2.4), false, 0, 0},
		// The growth of the first epochs is not looked at; the first that is: epoch 12, against 8.
		{"growth before epoch 10", []float64{1, 2, 4, 8, 8}, false, 0, 0},
		{"growth until epoch 12", []float64{1, 2, 4, 8, 8, 8}, true, 12, 8}, // (2+4+8+8+8)/5 = 6 to (1+2+4+8)/4 = 3.75
		{"first of several", with(flat(7, 1), 5, 25, 125), true, 16, 12},
		{"negative before", with(flat(7, -1), 5, 5), false, 0, 0},
		{"not a number", with(flat(7, 1), math.NaN(), 9, 9), false, 0, 0},
	} {
		stop, stopped, best := DefaultStopping().Stop(c.values)
		if stop != c.stop || stopped != c.stopped || best != c.best {
			t.Errorf("%s: %v, after epoch %d, epoch %d counts; want %v, %d, %d", c.name, stop, stopped, best, c.stop, c.stopped, c.best)
		}
	}
	every := Stopping{Every: 1, Window: 1, Ratio: 2, After: 0, Back: 3}
	if stop, stopped, best := every.Stop([]float64{1, 1, 1, 2, 2.5}); !stop || stopped != 5 || best != 2 {
		t.Errorf("another rule: %v, %d, %d", stop, stopped, best)
	}
	for _, done := range []int{0, 1, 3} {
		if DefaultStopping().Measures(done) {
			t.Errorf("an eigenvalue is due after %d epochs", done)
		}
	}
	if !DefaultStopping().Measures(4) {
		t.Error("no eigenvalue is due after 4 epochs")
	}
	for _, bad := range []Stopping{{}, {Every: 2, Window: 5, Ratio: 1.3, Back: 3}, {Every: 2, Window: 5, Ratio: math.NaN(), Back: 4}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
