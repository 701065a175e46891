package nn

// Result is what a pass over some images found.
type Result struct {
	Loss    float64 // the mean over the images
	Correct int     // images whose largest logit is at their label
	N       int     // images
}

// Accuracy is the share of images classified rightly, in [0,1].
func (r Result) Accuracy() float64 { return float64(r.Correct) / float64(r.N) }

// Add joins r with the result of other images.
func (r Result) Add(s Result) Result {
	n := r.N + s.N
	if n == 0 {
		return Result{}
	}
	return Result{
		Loss:    (r.Loss*float64(r.N) + s.Loss*float64(s.N)) / float64(n),
		Correct: r.Correct + s.Correct,
		N:       n,
	}
}
