package darts

import (
	"fmt"
	"math"
)

// Stopping is the early stopping of RobustDARTS (Zela and others, "Understanding and Robustifying Differentiable Architecture
// Search", 2020): a search whose validation loss bends ever more sharply in α is on its way to an architecture that loses
// much when it is made discrete, so it ends, and an earlier architecture counts. Start from DefaultStopping.
type Stopping struct {
	Every  int     // epochs from one eigenvalue to the next
	Window int     // eigenvalues that are averaged, fewer at first
	Ratio  float64 // of the average to the one Back epochs before, above which the search stops
	After  int     // epochs that are done at least before it stops
	Back   int     // epochs, a multiple of Every: how far back it compares, and whose architecture counts
}

// DefaultStopping has the settings of the paper and its code.
func DefaultStopping() Stopping { return Stopping{Every: 2, Window: 5, Ratio: 1.3, After: 10, Back: 4} }

// Validate says what is wrong with the rule.
func (s Stopping) Validate() error {
	if s.Every < 1 || s.Window < 1 || s.Back < s.Every || s.Back%s.Every != 0 || s.After < 0 || !(s.Ratio > 0) || math.IsInf(s.Ratio, 0) {
		return fmt.Errorf("darts: stopping by %+v: every, window and ratio must be above 0, back a multiple of every", s)
	}
	return nil
}

// Measures reports whether an eigenvalue is due when so many epochs are done.
func (s Stopping) Measures(done int) bool { return done > 0 && done%s.Every == 0 }

// Stop takes the eigenvalues so far, measured when Every, 2·Every, … epochs were done, and says whether the search should
// have stopped by now, and if so after how many epochs, and after how many of them it had the architecture that counts.
// An average that was not above 0 before is no measure of growth, and one that is not a number stops nothing.
func (s Stopping) Stop(eigenvalues []float64) (stop bool, stopped, best int) {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	average := func(n int) float64 { // of the last ones of n
		from := max(0, n-s.Window)
		sum := 0.0
		for _, v := range eigenvalues[from:n] {
			sum += v
		}
		return sum / float64(n-from)
	}
	back := s.Back / s.Every
	for n := back + 1; n <= len(eigenvalues); n++ {
		done := n * s.Every
		if before := average(n - back); done > s.After && before > 0 && average(n)/before > s.Ratio {
			return true, done, done - s.Back
		}
	}
	return false, 0, 0
}
