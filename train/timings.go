package train

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Timing is a row of timings.csv: one stretch of an epoch that was not interrupted.
type Timing struct {
	Epoch    int     // 1 is the first
	From, To int     // steps of the epoch done before and after
	Train    float64 // seconds that the steps took
	End      float64 // seconds that the epoch's end (evaluation) took, saving not included; 0 if it was not reached
	// Processor is the processor time of both in seconds, of all threads added up; 0 if it was not measured. Other work on the
	// machine and pauses hardly change it.
	Processor float64
}

const timingsHeader = "epoch,from_step,to_step,train_seconds,end_seconds,processor_seconds\n"

// stretch is the running stretch of an epoch.
type stretch struct {
	from           Position
	began, trained time.Time // trained is when the last step was done, zero before
	processor      time.Duration
}

// clockOut ends a stretch, writes it to timings.csv, and returns its seconds.
func (r *runner) clockOut() (seconds float64, err error) {
	idle := r.at == r.stretch.from && r.stretch.trained.IsZero()
	if r.Clock == nil || idle {
		return 0, nil
	}
	now := r.now()
	if r.stretch.trained.IsZero() {
		r.stretch.trained = now
	}
	train, end := r.stretch.trained.Sub(r.stretch.began).Seconds(), now.Sub(r.stretch.trained).Seconds()
	if r.dir == nil {
		return train + end, nil
	}
	processor := (r.processor() - r.stretch.processor).Seconds()
	line := fmt.Sprintf("%d,%d,%d,%.3f,%.3f,%.3f\n", r.at.Epoch+1, r.stretch.from.Step, r.at.Step, train, end, processor)
	return train + end, r.dir.appendTable(TimingsFile, timingsHeader, line)
}

// ReadTimings reads a run's timings.csv. A last line that is not whole, as a crash may leave it, is passed over. Lines may lack
// the processor time.
func ReadTimings(path string) ([]Timing, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	lines := csv.NewReader(bytes.NewReader(b[:bytes.LastIndexByte(b, '\n')+1]))
	lines.FieldsPerRecord = -1 // checked below
	rows, err := lines.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	var timings []Timing
	for i, row := range rows[min(1, len(rows)):] {
		var t Timing
		var errs [6]error
		if len(row) == len(errs)-1 {
			row = append(row, "0")
		}
		if len(row) != len(errs) {
			return nil, fmt.Errorf("train: %s:%d: %d columns, want %d", path, i+2, len(row), len(errs))
		}
		t.Epoch, errs[0] = strconv.Atoi(row[0])
		t.From, errs[1] = strconv.Atoi(row[1])
		t.To, errs[2] = strconv.Atoi(row[2])
		t.Train, errs[3] = strconv.ParseFloat(row[3], 64)
		t.End, errs[4] = strconv.ParseFloat(row[4], 64)
		t.Processor, errs[5] = strconv.ParseFloat(row[5], 64)
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("train: %s:%d: %w", path, i+2, err)
		}
		timings = append(timings, t)
	}
	return timings, nil
}
