package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestPrune: every method that learns a mask stands beside the plain step of its round, at its number of passes.
func TestPrune(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	p, err := NewPrune(1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	clock := time.Unix(0, 0)
	tick := func() time.Time { clock = clock.Add(time.Millisecond); return clock }
	rows, err := p.Measure(tick)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"plain": 1, "bip-1": 2, "bip-3": 4, "gmp": 1, "hydra": 1}
	for _, r := range rows {
		if r.Passes != want[r.Name] || r.MedianMS != 1 || r.OfPlain != 1 {
			t.Errorf("%+v, want %d passes and a millisecond", r, want[r.Name])
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d", len(rows), len(want))
	}
	tops := Top(1, tick)
	if len(tops) != 2 || tops[0].Kept != tops[0].Scores/2 || tops[1].Kept != tops[1].Scores/10 || tops[1].MedianMS != 1 {
		t.Errorf("%+v", tops)
	}
	var b bytes.Buffer
	if err := PruneTable(&b, false, rows, tops); err != nil || strings.Count(b.String(), "\n") != 2+len(rows)+len(tops) {
		t.Errorf("%v\n%s", err, &b)
	}
}
