package bench

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"espalier/internal/kernels"
)

// about is the first line of a served measurement: it says that the warm-up is over.
type about struct {
	Name    string `json:"name"`
	Threads int    `json:"threads"`
	ISA     string `json:"kernels"`
}

// round is the answer to a line of input.
type round struct {
	MS float64 `json:"ms"`
}

// ServeKernels answers each line "NAME DIRECTION" of in by a timed round of that kernel; see ParseKernel.
func ServeKernels(in io.Reader, out io.Writer, now Clock) error {
	var line string
	var c call
	repeats := 1
	timed := func() float64 {
		start := now()
		for range repeats {
			c.run()
		}
		return now().Sub(start).Seconds() / float64(repeats)
	}
	return serve("kernels", in, out, func(asked string) (float64, error) {
		if asked != line {
			found, err := findCall(asked)
			if err != nil {
				return 0, err
			}
			line, c, repeats = asked, found, 1
			timed()
			repeats = 1 + int(roundSeconds/max(timed(), 1e-6))
		}
		c.run() // brings the operands back into the caches
		return 1e3 * timed(), nil
	})
}

// findCall makes the operands of one direction of one kernel.
func findCall(line string) (call, error) {
	name, direction, _ := strings.Cut(line, " ")
	s, depthwise, err := ParseKernel(name)
	if err != nil {
		return call{}, err
	}
	for _, c := range kernelCalls(s, depthwise) {
		if c.direction == direction {
			return c, nil
		}
	}
	return call{}, fmt.Errorf("bench: %q: the direction is forward, data or weights", line)
}

func serve(name string, in io.Reader, out io.Writer, run func(line string) (float64, error)) error {
	if err := writeJSON(out, about{name, kernels.Threads(), kernels.ISA()}); err != nil {
		return err
	}
	return eachLine(in, func(line string) error {
		ms, err := run(line)
		if err != nil {
			return err
		}
		return writeJSON(out, round{ms})
	})
}

// eachLine calls f for every line of in.
func eachLine(in io.Reader, f func(line string) error) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := f(strings.TrimSpace(lines.Text())); err != nil {
			return err
		}
	}
	return lines.Err()
}
