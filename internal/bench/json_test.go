package bench

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestJSONKeys pins the names that programs read: rows have these keys and no others, in this order.
func TestJSONKeys(t *testing.T) {
	dense := KernelRow{Name: "conv3x3_16_16_32", Direction: "forward", Threads: 2}
	pointwise := KernelRow{Name: "conv1x1_64_64_8", Direction: "data", CopyMS: 1, Speedup: 2, PeakSpeedup: 2}
	for _, c := range []struct {
		keys  string
		write func(b *bytes.Buffer) error
	}{
		{"name direction threads median_ms gflops peak_gflops share", func(b *bytes.Buffer) error { return KernelTable(b, true)(dense) }},
		{"name direction threads median_ms gflops peak_gflops share copy_ms speedup peak_speedup",
			func(b *bytes.Buffer) error { return KernelTable(b, true)(pointwise) }},
		{"name batch threads median_ms images_per_s peak_rss_mb", func(b *bytes.Buffer) error { return StepTable(b, true, StepRow{}) }},
		{"layer forward_ms backward_ms share", func(b *bytes.Buffer) error { return LayerTable(b, true, make([]LayerRow, 1)) }},
		{"name batch threads fixed_ms loaded_ms share", func(b *bytes.Buffer) error { return LoadingTable(b, true, LoadingRow{}) }},
		{"name cells batch edges threads median_ms images_per_s peak_rss_mb",
			func(b *bytes.Buffer) error { return SupernetTable(b, true, make([]SupernetRow, 1)) }},
	} {
		var b bytes.Buffer
		if err := c.write(&b); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(keysOf(t, b.String()), " "); got != c.keys {
			t.Errorf("keys %q, want %q", got, c.keys)
		}
	}
}

// keysOf are the keys of an object of numbers and texts that is a line of its own.
func keysOf(t *testing.T, line string) (keys []string) {
	t.Helper()
	if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
		t.Errorf("not one line: %q", line)
	}
	tokens := json.NewDecoder(strings.NewReader(line))
	for i := 0; tokens.More(); i++ {
		token, err := tokens.Token()
		if err != nil {
			t.Fatal(err)
		}
		if key, ok := token.(string); ok && i%2 == 1 {
			keys = append(keys, key)
		}
	}
	return keys
}

// TestSupernetNames: the first two rows are the supernet of the paper's size, by both ways to use memory.
func TestSupernetNames(t *testing.T) {
	var names []string
	for _, c := range SupernetCases() {
		names = append(names, c.Name)
		if again, err := ParseSupernet(c.Name); err != nil || again != c {
			t.Errorf("%s is read as %+v, %v", c.Name, again, err)
		}
	}
	if want := []string{"darts-c16-l8-b64", "darts-c16-l8-b64-recompute"}; !slices.Equal(names[:2], want) {
		t.Errorf("the first rows are %v, want %v", names[:2], want)
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(SupernetCases()) {
		t.Errorf("names are not unique: %v", names)
	}
}
