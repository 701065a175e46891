package results

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"time"

	"espalier/train"
)

// Training is a training on disk: that of a run's directory, or of a stage within one.
type Training struct {
	Path    string
	Account train.Account // status, how far it is
	Records train.Records // of its complete epochs
	Seconds float64       // spent on it, what was lost by being killed not counted; 0 if nothing was timed
	// Processor is the processor time that was spent, in seconds, of all threads added up; 0 if it was not measured throughout.
	Processor float64
}

// Open reads the training in a directory. One that has not finished an epoch has no records. If none has begun there, the
// error is an fs.ErrNotExist.
func Open(dir string) (Training, error) {
	t := Training{Path: dir}
	var err error
	if t.Account, err = train.ReadAccount(dir); err != nil {
		return t, fmt.Errorf("results: %w", err)
	}
	if t.Records, err = train.ReadRecords(filepath.Join(dir, train.MetricsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return t, fmt.Errorf("results: %w", err)
	}
	timings, err := train.ReadTimings(filepath.Join(dir, train.TimingsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return t, fmt.Errorf("results: %w", err)
	}
	for _, stretch := range timings {
		t.Seconds += stretch.Train + stretch.End
		t.Processor += stretch.Processor
	}
	if slices.ContainsFunc(timings, func(stretch train.Timing) bool { return stretch.Processor == 0 }) {
		t.Processor = 0
	}
	t.Seconds, t.Processor = math.Round(1e3*t.Seconds)/1e3, math.Round(1e3*t.Processor)/1e3 // as they are written
	return t, nil
}

// At is a figure of the epoch that counts: the best, where the training tracked one, else the last. It is NaN if there is
// none.
func (t Training) At(figure string) float64 {
	c := t.Records.Column(figure)
	if len(c) == 0 {
		return math.NaN()
	}
	if best := t.Account.Best.Epoch; best > 0 && best <= len(c) {
		return c[best-1]
	}
	return c[len(c)-1]
}

// Duration writes seconds as people do, such as 1m10s.
func Duration(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}
