// Package bench measures Espalier on the machine at hand: its kernels against the processor's own limits, and whole
// training steps.
package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Clock reads the time; time.Now outside of tests.
type Clock func() time.Time

// median of at least one value; it sorts v.
func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// writeJSON writes one object on a line.
func writeJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

// writeTable writes a line for each row, below a head, or each row as a JSON object on a line.
func writeTable[Row any](w io.Writer, asJSON bool, head string, rows []Row, line func(Row) string) error {
	if !asJSON {
		if _, err := fmt.Fprintln(w, head); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if asJSON {
			if err := writeJSON(w, r); err != nil {
				return err
			}
		} else if _, err := fmt.Fprintln(w, line(r)); err != nil {
			return err
		}
	}
	return nil
}
