package bench

import (
	"fmt"
	"io"
	"regexp"
	"strconv"

	"espalier/internal/kernels"
	"espalier/internal/rng"
)

// KernelRow is one figure of a kernel in one direction.
type KernelRow struct {
	Name       string  `json:"name"`      // see ParseKernel
	Direction  string  `json:"direction"` // forward, data (gradient at the input) or weights
	Threads    int     `json:"threads"`
	MedianMS   float64 `json:"median_ms"`
	GFlops     float64 `json:"gflops"`      // 10⁹ operations a second, a multiply-add counted as two, padding included
	PeakGFlops float64 `json:"peak_gflops"` // of the register-only loop, measured between the rounds
	Share      float64 `json:"share"`       // GFlops / PeakGFlops, the median over the rounds
	// CopyMS is the time of a copy loop that touches as many bytes as a pointwise convolution (half read, half written).
	CopyMS float64 `json:"copy_ms,omitempty"`
	// Speedup is the time on one thread over that on all, the median over rounds, and PeakSpeedup the same of the peak loop.
	// Both are 0 without KernelOptions.Scaling.
	Speedup     float64 `json:"speedup,omitempty"`
	PeakSpeedup float64 `json:"peak_speedup,omitempty"`
}

// KernelOptions selects what Kernels measures.
type KernelOptions struct {
	Names  *regexp.Regexp // nil: all of KernelNames
	Rounds int            // a figure; 0 means 9, and less than 7 is raised to 7
	// Scaling takes each round on one thread too.
	Scaling bool
}

// KernelNames are the shapes that Kernels measures: those of ResNet-20 and ResNet-18 at 32×32, pointwise ones with their
// data in the second-level cache or streaming, and every kind of depthwise convolution.
var KernelNames = []string{
	"stem3x3_3_16_32", "stem3x3_3_64_32",
	"conv3x3_16_16_32", "conv3x3_32_32_16", "conv3x3_64_64_8",
	"conv3x3_64_64_32", "conv3x3_128_128_16", "conv3x3_256_256_8", "conv3x3_512_512_4",
	"s2conv3x3_16_32_32", "s2conv3x3_32_64_16",
	"s2conv3x3_64_128_32", "s2conv3x3_128_256_16", "s2conv3x3_256_512_8",
	"conv1x1_16_16_32", "conv1x1_16_64_32", "conv1x1_64_16_32", "conv1x1_32_32_16", "conv1x1_64_64_8",
	"conv1x1_64_64_16", "conv1x1_64_64_32", "conv1x1_128_128_8", "conv1x1_128_128_16", "conv1x1_256_256_8",
	"dw3x3_16_32", "dw3x3d2_16_32", "dw5x5_16_32", "dw5x5d2_16_32", "dw7x7_16_32", "dw7x7d2_16_32",
	"s2dw3x3_16_32", "s2dw3x3d2_16_32", "s2dw5x5_16_32", "s2dw5x5d2_16_32", "s2dw7x7_16_32", "s2dw7x7d2_16_32",
}

// plausible is an error for a row that is faster than the processor can be.
func (r KernelRow) plausible() error {
	if r.Share <= 1.02 {
		return nil
	}
	return fmt.Errorf("bench: %s %s: %.0f GFLOP/s is %.0f %% of the measured peak of %.0f: the clock or the count of operations is wrong",
		r.Name, r.Direction, r.GFlops, 100*r.Share, r.PeakGFlops)
}

var kernelName = regexp.MustCompile(`^(s2)?(conv|stem|dw)(\d)x(\d)(d2)?_(\d+)_(\d+)(?:_(\d+))?$`)

// ParseKernel reads the name of a kernel row: [s2]conv3x3[d2]_IC_OC_H (or stem…, a convolution of 3 channels) and
// [s2]dw3x3[d2]_C_H, s2 meaning stride 2, d2 dilation 2 and H the input's height and width. The padding keeps the size
// (before the stride). Dense convolutions wider than 1×1 have 128 images, others 64.
func ParseKernel(name string) (s kernels.ConvShape, depthwise bool, err error) {
	m := kernelName.FindStringSubmatch(name)
	if m == nil || m[3] != m[4] || (m[2] == "dw") != (m[8] == "") {
		return s, false, fmt.Errorf("bench: kernel %q: want [s2]conv3x3[d2]_IC_OC_H or [s2]dw3x3[d2]_C_H", name)
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(m[i])
		return n
	}
	k := number(3)
	s = kernels.ConvShape{N: 64, IC: number(6), KH: k, KW: k, Stride: 1, Dilation: 1}
	if m[1] != "" {
		s.Stride = 2
	}
	if m[5] != "" {
		s.Dilation = 2
	}
	depthwise = m[2] == "dw"
	if depthwise {
		s.OC, s.H = s.IC, number(7)
	} else {
		s.OC, s.H = number(7), number(8)
		if k > 1 {
			s.N = 128
		}
	}
	s.W, s.Pad = s.H, s.Dilation*(k-1)/2
	return s, depthwise, s.Validate()
}

// Kernels measures each kernel in each direction and hands the rows to emit in turn. It fails if a kernel seems faster than
// the processor's own limit by more than 2 %, three times in a row: then one of the two is measured wrongly.
func Kernels(o KernelOptions, now Clock, emit func(KernelRow) error) error {
	rounds := max(7, o.Rounds)
	if o.Rounds == 0 {
		rounds = 9
	}
	for _, name := range KernelNames {
		if o.Names != nil && !o.Names.MatchString(name) {
			continue
		}
		s, depthwise, err := ParseKernel(name)
		if err != nil {
			return err
		}
		for _, c := range kernelCalls(s, depthwise) {
			row, err := believed(func() KernelRow {
				row := measureKernel(c, rounds, o.Scaling, now)
				row.Name = name
				return row
			})
			if err != nil {
				return err
			}
			if err := emit(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// tries is how often a row is measured that is too fast to be true: another program on the machine can slow the peak loop
// alone.
const tries = 3

// believed measures a row until it is plausible, and fails after so many tries.
func believed(measure func() KernelRow) (row KernelRow, err error) {
	for range tries {
		row = measure()
		if err = row.plausible(); err == nil {
			break
		}
	}
	return row, err
}

// call is one direction of one kernel on tensors of its own.
type call struct {
	direction string
	flops     float64
	run       func()
	copyBytes int // of x and y of a pointwise convolution
}

func kernelCalls(s kernels.ConvShape, depthwise bool) []call {
	stream := rng.New(1, "bench")
	random := func(n int) []kernels.Float {
		x := kernels.Alloc(n)
		for i := range x {
			x[i] = kernels.Float(stream.Float64() - .5)
		}
		return x
	}
	flops := 2 * float64(s.MACs())
	weights := s.WLen()
	if depthwise {
		flops /= float64(s.IC)
		weights /= s.IC
	}
	x, w, y := random(s.XLen()), random(weights), random(s.YLen())
	dx, dw := random(s.XLen()), random(weights)
	var calls []call
	if depthwise {
		c := kernels.NewDepthwise(s)
		calls = []call{
			{direction: "forward", run: func() { c.Forward(y, x, w, nil) }},
			{direction: "data", run: func() { c.BackwardData(dx, y, w) }},
			{direction: "weights", run: func() { c.BackwardWeights(dw, x, y, nil) }},
		}
	} else {
		c := kernels.NewConv(s)
		calls = []call{
			{direction: "forward", run: func() { c.Forward(y, x, w, kernels.ConvForward{}) }},
			{direction: "data", run: func() { c.BackwardData(dx, y, w) }},
			{direction: "weights", run: func() { c.BackwardWeights(dw, x, y) }},
		}
	}
	for i := range calls {
		calls[i].flops = flops
		if s.KH == 1 {
			calls[i].copyBytes = 4 * (s.XLen() + s.YLen())
		}
	}
	return calls
}

// roundSeconds is about how long a round of repeated calls lasts, and a round of the peak loop.
const roundSeconds = 0.008

// measureKernel alternates rounds of the call, the peak loop and the copy loop, with scaling on one thread too.
func measureKernel(c call, rounds int, scaling bool, now Clock) KernelRow {
	timed := func(f func()) float64 {
		start := now()
		f()
		return now().Sub(start).Seconds()
	}
	c.run()
	repeats := 1 + int(roundSeconds/max(timed(c.run), 1e-6))
	peakRounds := 1000
	for peakRounds < 1<<30 && timed(func() { kernels.PeakFlops(peakRounds) }) < roundSeconds/2 {
		peakRounds *= 2
	}
	copies := newCopyLoop(c.copyBytes)
	threads := kernels.Threads()
	var seconds, peaks, shares, copied, speedups, peakSpeedups []float64
	round := func() (t, peak float64) {
		var flops float64
		peak = timed(func() { flops = kernels.PeakFlops(peakRounds) })
		peak = flops / peak
		return timed(func() {
			for range repeats {
				c.run()
			}
		}) / float64(repeats), peak
	}
	for range rounds {
		t, peak := round()
		seconds, peaks, shares = append(seconds, t), append(peaks, peak), append(shares, c.flops/t/peak)
		if scaling {
			kernels.SetThreads(1)
			one, onePeak := round()
			kernels.SetThreads(threads)
			speedups, peakSpeedups = append(speedups, one/t), append(peakSpeedups, peak/onePeak)
		}
		if c.copyBytes > 0 {
			copied = append(copied, timed(func() {
				for range repeats {
					copies.run()
				}
			})/float64(repeats))
		}
	}
	row := KernelRow{Direction: c.direction, Threads: kernels.Threads(), MedianMS: 1e3 * median(seconds),
		PeakGFlops: median(peaks) / 1e9, Share: median(shares)}
	row.GFlops = c.flops / row.MedianMS / 1e6
	if copied != nil {
		row.CopyMS = 1e3 * median(copied)
	}
	if scaling {
		row.Speedup, row.PeakSpeedup = median(speedups), median(peakSpeedups)
	}
	return row
}

// copyLoop copies half of its footprint onto the other half, on all threads.
type copyLoop struct {
	dst, src []kernels.Float
}

// newCopyLoop writes its source once: memory that was never written is one page of zeros to the system, which would be read
// from the first-level cache.
func newCopyLoop(bytes int) *copyLoop {
	n := bytes / 8
	c := &copyLoop{kernels.Alloc(n), kernels.Alloc(n)}
	for i := range c.src {
		c.src[i] = 1
	}
	c.run()
	return c
}

func (c *copyLoop) run() {
	const piece = 1 << 14
	kernels.Parallel((len(c.src)+piece-1)/piece, func(_, unit int) {
		from := unit * piece
		copy(c.dst[from:min(len(c.dst), from+piece)], c.src[from:])
	})
}

// KernelTable writes rows as they come, as a table for people or as one JSON object a line.
func KernelTable(w io.Writer, asJSON bool) func(KernelRow) error {
	if asJSON {
		return func(r KernelRow) error { return writeJSON(w, r) }
	}
	first := true
	return func(r KernelRow) error {
		if first {
			first = false
			scaling := ""
			if r.Speedup > 0 {
				scaling = fmt.Sprintf(" %8s %8s", "threads", "of peak")
			}
			if _, err := fmt.Fprintf(w, "kernels %s, %d threads\n%-22s %-9s %10s %9s %9s %7s %9s%s\n", kernels.ISA(), r.Threads,
				"shape", "direction", "median ms", "GFLOP/s", "peak", "share", "copy ms", scaling); err != nil {
				return err
			}
		}
		copied := ""
		if r.CopyMS > 0 {
			copied = fmt.Sprintf("%.3f", r.CopyMS)
		}
		scaling := ""
		if r.Speedup > 0 {
			scaling = fmt.Sprintf(" %8.2f %8.2f", r.Speedup, r.PeakSpeedup)
		}
		_, err := fmt.Fprintf(w, "%-22s %-9s %10.3f %9.1f %9.1f %6.1f%% %9s%s\n", r.Name, r.Direction, r.MedianMS, r.GFlops,
			r.PeakGFlops, 100*r.Share, copied, scaling)
		return err
	}
}
