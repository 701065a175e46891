package plot

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// percentTicks marks a logarithmic axis of shares as percentages: 100 %, 50 %, 20 %, 10 %, … Over more than two and a
// half decades only the powers of ten are labelled, over less than one every digit that has room.
type percentTicks struct{}

// Ticks implements plot.Ticker.
func (percentTicks) Ticks(min, max float64) []plot.Tick {
	decades := math.Log10(max / min)
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(min)) - 1; e <= math.Ceil(math.Log10(max)); e++ {
		for m := 1; m <= 9; m++ {
			v := float64(m) * math.Pow(10, e)
			if v < min*(1-1e-9) || v > max*(1+1e-9) {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 || decades <= 2.5 && (m == 2 || m == 5) || decades <= 1 && (m <= 4 || m == 7) {
				t.Label = percent(v)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// percent writes a share as "50 %", with the digits that it needs and no more than three.
func percent(share float64) string {
	return strconv.FormatFloat(100*share, 'g', 3, 64) + " %"
}

// countTicks marks whole numbers only, for epochs.
type countTicks struct{}

// Ticks implements plot.Ticker.
func (countTicks) Ticks(min, max float64) []plot.Tick {
	step := math.Max(1, niceStep(max-min))
	var ticks []plot.Tick
	for v := math.Ceil(min/step) * step; v <= max; v += step {
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v+0, 'f', -1, 64)}) // +0: no −0
	}
	return ticks
}

// valueTicks marks a linear axis at about five multiples of 1, 2 or 5 times a power of ten, each written with the same
// number of decimals.
type valueTicks struct{}

// Ticks implements plot.Ticker.
func (valueTicks) Ticks(min, max float64) []plot.Tick {
	step := niceStep(max - min)
	decimals := 0
	if step < 1 {
		decimals = int(math.Ceil(-math.Log10(step) - 1e-9))
	}
	var ticks []plot.Tick
	for k := math.Ceil(min/step - 1e-9); k*step <= max+1e-9*step; k++ {
		ticks = append(ticks, plot.Tick{Value: k * step, Label: strconv.FormatFloat(k*step+0, 'f', decimals, 64)})
	}
	return ticks
}

// niceStep is the least 1, 2 or 5 times a power of ten that cuts length into at most six parts.
func niceStep(length float64) float64 {
	if !(length > 0) || math.IsInf(length, 0) {
		return 1
	}
	d := math.Pow(10, math.Floor(math.Log10(length/6)))
	for _, m := range []float64{1, 2, 5, 10} {
		if length/(m*d) <= 6 {
			return m * d
		}
	}
	return 10 * d
}
