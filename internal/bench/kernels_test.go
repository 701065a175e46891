package bench

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"espalier/internal/kernels"
)

func TestParseKernel(t *testing.T) {
	for _, name := range KernelNames {
		if _, _, err := ParseKernel(name); err != nil {
			t.Error(err)
		}
	}
	s, depthwise, err := ParseKernel("s2dw5x5d2_16_32")
	want := kernels.ConvShape{N: 64, H: 32, W: 32, IC: 16, OC: 16, KH: 5, KW: 5, Stride: 2, Pad: 4, Dilation: 2}
	if s != want || !depthwise || err != nil {
		t.Errorf("got %+v, %v, %v, want %+v", s, depthwise, err, want)
	}
	for _, name := range []string{"", "conv3x3_16_16", "dw3x3_16_16_32", "conv3x5_1_1_8", "s3conv3x3_16_16_32", "conv3x3_0_16_32"} {
		if _, _, err := ParseKernel(name); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}

func TestKernelsJSON(t *testing.T) {
	var b bytes.Buffer
	err := Kernels(KernelOptions{Names: regexp.MustCompile(`^conv1x1_64_64_8$`)}, time.Now, KernelTable(&b, true))
	if err != nil && !strings.Contains(err.Error(), "measured peak") { // a busy machine can upset the measurement
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if err == nil && len(lines) != 3 {
		t.Fatalf("%d rows, want one for each direction", len(lines))
	}
	for _, line := range lines {
		var r KernelRow
		if err := json.Unmarshal([]byte(line), &r); err != nil || !(r.MedianMS > 0) || !(r.Share > 0) || !(r.CopyMS > 0) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestScaling: with a clock that ticks at every reading, one thread takes as long as all, and the columns say so.
func TestScaling(t *testing.T) {
	clock := time.Unix(0, 0)
	tick := func() time.Time { clock = clock.Add(10 * time.Millisecond); return clock }
	row := measureKernel(call{direction: "forward", flops: 1, run: func() {}}, 7, true, tick)
	if row.Speedup != 1 || !(row.PeakSpeedup > 0) {
		t.Errorf("%+v", row)
	}
	var b bytes.Buffer
	if err := KernelTable(&b, false)(row); err != nil || !strings.Contains(b.String(), "of peak") {
		t.Errorf("%v\n%s", err, &b)
	}
	if threads := kernels.Threads(); threads != row.Threads {
		t.Errorf("%d threads afterwards, %d before", threads, row.Threads)
	}
}

func TestRefuseImpossibleSpeed(t *testing.T) {
	for share, ok := range map[float64]bool{.5: true, 1.02: true, 1.021: false, math.Inf(1): false, math.NaN(): false} {
		if err := (KernelRow{Name: "x", Share: share}).plausible(); (err == nil) != ok {
			t.Errorf("share %v: %v", share, err)
		}
	}
}

// TestBelieved measures a row again that is too fast, twice at most.
func TestBelieved(t *testing.T) {
	for _, c := range []struct {
		shares  []float64
		measure int  // how often
		ok      bool // in the end
	}{
		{[]float64{.9}, 1, true}, {[]float64{1.1, 1.02}, 2, true}, {[]float64{1.1, math.NaN(), .7}, 3, true},
		{[]float64{1.1, 1.2, 1.03, .5}, 3, false},
	} {
		n := 0
		row, err := believed(func() KernelRow { n++; return KernelRow{Share: c.shares[n-1]} })
		if n != c.measure || (err == nil) != c.ok || row.Share != c.shares[n-1] {
			t.Errorf("shares %v: measured %d times, %+v, %v", c.shares, n, row, err)
		}
	}
}

// TestImpossibleSpeedFails: with a clock by which everything takes as long, the kernel does many more operations in that time
// than the first rounds of the peak loop.
func TestImpossibleSpeedFails(t *testing.T) {
	clock := time.Unix(0, 0)
	tick := func() time.Time { clock = clock.Add(10 * time.Millisecond); return clock }
	err := Kernels(KernelOptions{Names: regexp.MustCompile(`^conv1x1_64_64_8$`), Rounds: 7}, tick, func(r KernelRow) error {
		t.Errorf("%+v is believed", r)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "conv1x1_64_64_8 forward") || !strings.Contains(err.Error(), "measured peak") {
		t.Errorf("error %v", err)
	}
}

func TestMedian(t *testing.T) {
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("median %v, want 2", m)
	}
	if m := median([]float64{4, 1, 2, 3}); m != 2.5 {
		t.Errorf("median %v, want 2.5", m)
	}
}
