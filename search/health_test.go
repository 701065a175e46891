package search

import (
	"math"
	"testing"
)

func TestEntropy(t *testing.T) {
	a := NewAlpha(RobustDARTS1()) // two candidates an edge
	if got := a.Softmax().Entropy(0); !(math.Abs(got-math.Ln2) <= 1e-12) {
		t.Errorf("equal weights have entropy %v, want ln 2", got)
	}
	s := Scores{{{1, 0, 0}, {0.5, 0.5, 0}, {3, 3, 6}}, {{1, 0}}}
	want := (math.Ln2 + math.Ln2*1.5) / 3 // 0, ln 2, and ½·ln 2 + 2·¼·ln 4
	if got := s.Entropy(0); !(math.Abs(got-want) <= 1e-12) {
		t.Errorf("entropy %v, want %v", got, want)
	}
	if got := s.Entropy(1); got != 0 {
		t.Errorf("a decided edge has entropy %v", got)
	}
	if got := (Scores{{{math.NaN(), 1}}}).Entropy(0); !math.IsNaN(got) {
		t.Errorf("scores that are not numbers have entropy %v", got)
	}
}

func TestCount(t *testing.T) {
	g, err := Published("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	if n := g.Normal.Count("skip_connect"); n != 2 {
		t.Errorf("the normal cell of DARTS V2 has %d skips, want 2", n)
	}
}
