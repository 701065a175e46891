package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// objects reads a JSON object from each line.
func objects(t *testing.T, text string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, o)
	}
	return all
}

// TestBenchTrainJSON writes one object for the step, and with --layers one more for each kind of layer; nothing else.
func TestBenchTrainJSON(t *testing.T) {
	step := []string{"batch", "images_per_s", "median_ms", "name", "peak_rss_mb", "threads"}
	for _, more := range [][]string{nil, {"--layers"}} {
		args := append([]string{"bench", "train", "--model", "resnet8", "--batch", "2", "--rounds", "1", "--json"}, more...)
		out, stderr, code := espalier(t, args...)
		if code != exitOK || stderr != "" {
			t.Fatalf("code %d: %s", code, stderr)
		}
		rows := objects(t, out)
		if keys := slices.Sorted(maps.Keys(rows[0])); !slices.Equal(keys, step) || rows[0]["name"] != "resnet8" || rows[0]["batch"] != 2. {
			t.Errorf("the step is %v", rows[0])
		}
		if (len(rows) > 1) != (more != nil) {
			t.Errorf("%v: %d rows", more, len(rows))
		}
		for _, r := range rows[1:] {
			if _, ok := r["layer"].(string); !ok || len(r) != 4 {
				t.Errorf("a layer is %v", r)
			}
		}
	}
}

// TestBenchKernelsJSON writes an object for each direction.
func TestBenchKernelsJSON(t *testing.T) {
	out, stderr, code := espalier(t, "bench", "kernels", "--names", "^dw3x3_16_32$", "--rounds", "7", "--json")
	if code != exitOK && !strings.Contains(stderr, "measured peak") { // a busy machine can upset the measurement
		t.Fatalf("code %d: %s", code, stderr)
	}
	want := []string{"direction", "gflops", "median_ms", "name", "peak_gflops", "share", "threads"}
	directions := []any{"forward", "data", "weights"}
	for i, r := range objects(t, out) {
		if keys := slices.Sorted(maps.Keys(r)); !slices.Equal(keys, want) || r["direction"] != directions[i] || r["name"] != "dw3x3_16_32" {
			t.Errorf("row %d is %v", i, r)
		}
	}
}
