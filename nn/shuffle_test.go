package nn

import (
	"slices"
	"testing"
)

// TestSliceShuffle: six channels in two groups, dealt out in turn, and a stretch of them.
func TestSliceShuffle(t *testing.T) {
	x := []Float{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15} // two pixels
	for _, c := range []struct {
		spec Leaf
		want []Float
	}{
		{Shuffle{Groups: 2}, []Float{0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15}},
		{Shuffle{Groups: 3}, []Float{0, 2, 4, 1, 3, 5, 10, 12, 14, 11, 13, 15}},
		{Slice{From: 2, Channels: 3}, []Float{2, 3, 4, 12, 13, 14}},
		{Slice{Channels: 1}, []Float{0, 10}},
	} {
		y := make([]Float, len(c.want))
		c.spec.Build(NewPlan(1), Shape{1, 2, 6}).Forward(y, x, Vectors{})
		if !slices.Equal(y, c.want) {
			t.Errorf("%+v gives %v, want %v", c.spec, y, c.want)
		}
	}
}
