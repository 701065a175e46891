package results

import (
	"encoding/json"
	"fmt"
	"math"
)

// Percent is an accuracy in percent; NaN says that it was not measured, which JSON writes as null and people as a dash.
type Percent float64

// NotMeasured is the percentage of what was not measured.
func NotMeasured() Percent { return Percent(math.NaN()) }

// Measured reports whether there is a number.
func (p Percent) Measured() bool { return !math.IsNaN(float64(p)) }

// String is the percentage with two decimals, as in "87.49 %", or a dash.
func (p Percent) String() string {
	if !p.Measured() {
		return dash
	}
	return p.Number() + " %"
}

// Number is the percentage for a file, with two decimals, and nothing if it was not measured.
func (p Percent) Number() string {
	if !p.Measured() {
		return ""
	}
	return fmt.Sprintf("%.2f", float64(p))
}

// MarshalJSON leaves out the digits that binary fractions add.
func (p Percent) MarshalJSON() ([]byte, error) {
	if !p.Measured() {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(float64(p)*1e6) / 1e6)
}

// UnmarshalJSON takes null for what was not measured.
func (p *Percent) UnmarshalJSON(b []byte) error {
	v := math.NaN()
	if string(b) != "null" {
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
	}
	*p = Percent(v)
	return nil
}
