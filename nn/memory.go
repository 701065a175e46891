package nn

import (
	"cmp"
	"slices"

	"espalier/internal/kernels"
)

// Buffer is memory that a layer asked for while it was built. Data is set before the first pass; it is not cleared between
// passes, and holds other things outside the time for which it was asked.
type Buffer struct {
	Data []Float

	n        int
	from, to moment
}

// moment is a point in the course of a step: m ≥ 0 is the forward pass of unit m, m < 0 the backward pass of unit ^m.
type moment int

func forward(unit int) moment  { return moment(unit) }
func backward(unit int) moment { return moment(^unit) }

// back is the backward pass of a moment that is a forward pass.
func (m moment) back() moment { return backward(int(m)) }

// time puts the moments of a step of n units into one order: forward 0…n-1, then backward n-1…0.
func (m moment) time(units int) int {
	if m >= 0 {
		return int(m)
	}
	return 2*units - 1 - int(^m)
}

// arrange gives every buffer an offset into one block of memory such that buffers whose times overlap do not, and returns
// the offsets and the size of the block. Largest first, each at the lowest offset that is free throughout its time (the
// greedy-by-size heuristic of Pisarchyk and Lee, 2020).
func arrange(buffers []*Buffer, units int) (offsets []int, size int) {
	order := make([]int, len(buffers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(buffers[b].n, buffers[a].n) })
	offsets = make([]int, len(buffers))
	var placed []int // by offset
	for _, i := range order {
		b := buffers[i]
		at := 0
		for _, j := range placed {
			if c := buffers[j]; b.meets(c, units) && offsets[j] < at+alignPart(b.n) && at < offsets[j]+alignPart(c.n) {
				at = offsets[j] + alignPart(c.n)
			}
		}
		offsets[i] = at
		size = max(size, at+alignPart(b.n))
		k, _ := slices.BinarySearchFunc(placed, at, func(j, at int) int { return cmp.Compare(offsets[j], at) })
		placed = slices.Insert(placed, k, i)
	}
	return offsets, size
}

// meets reports whether the times of b and c overlap.
func (b *Buffer) meets(c *Buffer, units int) bool {
	return b.from.time(units) <= c.to.time(units) && c.from.time(units) <= b.to.time(units)
}

// memory is a block that programs share, since only one of them runs at a time. It grows by being replaced: programs that
// hold the old block keep it.
type memory struct{ block []Float }

func (m *memory) take(n int) []Float {
	if len(m.block) < n {
		m.block = kernels.Alloc(n)
	}
	return m.block[:n]
}
