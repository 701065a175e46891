package bench

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestSearches: rows stand beside the plain step of their round, and a case with all gradients makes as many passes.
func TestSearches(t *testing.T) {
	if testing.Short() {
		t.Skip("searches")
	}
	s, err := NewSearches(SupernetCase{Name: "small", Cells: 3, Batch: 4, Nodes: 2}, regexp.MustCompile("^(darts-1|darts-1-all|gdas)$"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	clock := time.Unix(0, 0)
	rows, err := s.Measure(3, func() time.Time { clock = clock.Add(time.Millisecond); return clock })
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range rows {
		names = append(names, r.Name)
		want := 1.0 // every reading of this clock is a millisecond after the one before
		if r.Name == "gdas" {
			want = 1.0 / 3
		}
		if r.MedianMS < want*.999 || r.MedianMS > want*1.001 || r.OfPlain < want*.999 || r.OfPlain > want*1.001 {
			t.Errorf("%+v, want %v", r, want)
		}
	}
	if got := strings.Join(names, " "); got != "plain darts-1-all darts-1 gdas" {
		t.Error(got)
	}
	if rows[1].Passes != 2 || rows[1].Gradients != "all" || rows[2].Gradients != "needed" || rows[3].Steps != 9 {
		t.Errorf("%+v", rows)
	}
	var b bytes.Buffer
	if err := SearchTable(&b, true, rows[:1]); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("%s: %v", &b, err)
	}
}
