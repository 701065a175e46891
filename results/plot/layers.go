package plot

import (
	"fmt"
	"slices"

	"espalier/search"
)

// A layered graph is a cell ready to be laid out: columns from left to right, by turns of nodes and of the operations that
// lead to the nodes on their right. Wires lead from a column to the next alone; a value that is read further to the right has
// an item of its own, a rail, in every column between, so that no wire crosses what stands in a column.
type layered struct {
	columns [][]*item
	wires   []wire
}

// item is something that stands in a column.
type item struct {
	kind   itemKind
	text   string
	op     string // of an operation: its name
	column int
	y      float64 // of the middle, upwards; place sets it
}

// itemKind says what an item is.
type itemKind uint8

const (
	nodeItem itemKind = iota
	opItem
	railItem
)

// wire leads from an item to one in the next column.
type wire struct{ from, to *item }

// newLayered makes the graph of a cell. Reduce says that operations on the inputs have stride 2.
func newLayered(w search.Wiring, skeleton search.Skeleton, reduce bool) *layered {
	inputs := skeleton.Inputs()
	fed := w.Fed(inputs)
	nodes := inputs
	for _, e := range fed.Edges {
		nodes = max(nodes, e.To+1)
	}
	depth := make([]int, nodes) // of a node: operations on the longest way to it
	for _, e := range fed.Edges {
		depth[e.To] = max(depth[e.To], depth[e.From]+1)
	}
	last := slices.Max(depth)
	g := &layered{columns: make([][]*item, 2*last+1)}
	rails := make(map[[2]int]*item) // by source and column
	made := make([]*item, nodes)
	for n := range nodes {
		if n >= inputs && depth[n] == 0 {
			continue // nothing reaches it
		}
		made[n] = g.add(2*depth[n], &item{kind: nodeItem, text: nodeText(n, skeleton, fed.Concat)})
		rails[[2]int{n, 2 * depth[n]}] = made[n]
	}
	// lead wires node n to an item in a later column.
	lead := func(n int, to *item) {
		from := made[n]
		for c := from.column + 1; c < to.column; c++ {
			rail, ok := rails[[2]int{n, c}]
			if !ok {
				rail = g.add(c, &item{kind: railItem})
				rails[[2]int{n, c}] = rail
				g.wires = append(g.wires, wire{from, rail})
			}
			from = rail
		}
		g.wires = append(g.wires, wire{from, to})
	}
	for _, e := range fed.Edges {
		op := g.add(made[e.To].column-1, &item{kind: opItem, op: e.Op, text: opText(e.Op)})
		if reduce && e.From < inputs {
			op.text += " /2"
		}
		lead(e.From, op)
		g.wires = append(g.wires, wire{op, made[e.To]})
	}
	if skeleton == search.Stacked {
		g.columns = append(g.columns, nil)
		out := g.add(len(g.columns)-1, &item{kind: nodeItem, text: "output"})
		for _, n := range fed.Concat {
			lead(n, out)
		}
	}
	return g
}

func (g *layered) add(column int, i *item) *item {
	i.column = column
	g.columns[column] = append(g.columns[column], i)
	return i
}

// nodeText names a node by its number in the genotype, and by what it is.
func nodeText(n int, skeleton search.Skeleton, concat []int) string {
	switch {
	case skeleton == search.Stacked && n < 2:
		return fmt.Sprintf("%d: cell k−%d", n, 2-n)
	case skeleton == search.Staged && n == 0:
		return "0: input"
	case skeleton == search.Staged && slices.Contains(concat, n):
		return fmt.Sprintf("%d: output", n)
	}
	return fmt.Sprint(n)
}

// order puts the items of each column in an order with few crossings of wires: each is moved to the middle of its
// neighbours in the column before, or after, over and over; then neighbours change places as long as that helps.
func (g *layered) order() {
	best, least := g.snapshot(), g.crossings()
	for sweep := range 24 {
		for k := range g.columns {
			c, before := k, true
			if sweep%2 == 1 {
				c, before = len(g.columns)-1-k, false
			}
			g.centre(c, before)
		}
		if n := g.crossings(); n < least {
			best, least = g.snapshot(), n
		}
	}
	g.columns = best
	for better := true; better; {
		better = false
		for _, column := range g.columns {
			for i := range len(column) - 1 {
				column[i], column[i+1] = column[i+1], column[i]
				if n := g.crossings(); n < least {
					least, better = n, true
				} else {
					column[i], column[i+1] = column[i+1], column[i]
				}
			}
		}
	}
}

func (g *layered) snapshot() [][]*item {
	all := make([][]*item, len(g.columns))
	for i, c := range g.columns {
		all[i] = slices.Clone(c)
	}
	return all
}

// places are the items' places within their columns.
func (g *layered) places() map[*item]int {
	at := make(map[*item]int)
	for _, c := range g.columns {
		for i, item := range c {
			at[item] = i
		}
	}
	return at
}

// centre sorts a column by the mean place of the items' neighbours on one side. Items without any stay where they are.
func (g *layered) centre(column int, before bool) {
	at := g.places()
	sum, n := make(map[*item]float64), make(map[*item]float64)
	for _, w := range g.wires {
		a, b := w.to, w.from
		if !before {
			a, b = b, a
		}
		if a.column == column {
			sum[a] += float64(at[b])
			n[a]++
		}
	}
	key := make(map[*item]float64)
	for i, it := range g.columns[column] {
		if key[it] = float64(i); n[it] > 0 {
			key[it] = sum[it] / n[it]
		}
	}
	slices.SortStableFunc(g.columns[column], func(a, b *item) int {
		switch {
		case key[a] < key[b]:
			return -1
		case key[a] > key[b]:
			return 1
		}
		return 0
	})
}

// crossings is the number of pairs of wires that cross.
func (g *layered) crossings() (n int) {
	at := g.places()
	for i, a := range g.wires {
		for _, b := range g.wires[:i] {
			if a.from.column == b.from.column && (at[a.from]-at[b.from])*(at[a.to]-at[b.to]) < 0 {
				n++
			}
		}
	}
	return n
}

// place sets the items' heights: near those of their neighbours, in the order of the columns, apart says how far two items
// that follow each other in a column are at least.
func (g *layered) place(apart func(a, b *item) float64) {
	for _, column := range g.columns {
		for i := range column {
			column[i].y = -40 * (float64(i) - float64(len(column)-1)/2)
		}
	}
	for sweep := range 600 {
		for k := range g.columns {
			if sweep%2 == 1 {
				k = len(g.columns) - 1 - k
			}
			g.settle(g.columns[k], apart)
		}
	}
	top := 0.0
	for i, column := range g.columns {
		if len(column) > 0 && (i == 0 || column[0].y > top) {
			top = column[0].y
		}
	}
	for _, column := range g.columns {
		for _, it := range column {
			it.y -= top
		}
	}
}

// stiffness is how strongly a wire draws its ends to one height: long ways are straight first of all, then nodes stand in the
// middle of the operations that lead to them.
func (w wire) stiffness() float64 {
	switch {
	case w.from.kind == railItem && w.to.kind == railItem:
		return 30
	case w.from.kind == railItem || w.from.kind == opItem:
		return 4
	}
	return 1
}

// settle moves the items of a column to the mean of their neighbours, as near as their distances allow: the least squares
// under an order, which is found by pooling those that would pass each other.
func (g *layered) settle(column []*item, apart func(a, b *item) float64) {
	type pool struct {
		want, weight float64
		items        int
	}
	var pools []pool
	offset := 0.0 // of an item below the first, if all stand as near as they may
	offsets := make([]float64, len(column))
	for i, it := range column {
		if i > 0 {
			offset += apart(column[i-1], it)
		}
		offsets[i] = offset
		want, weight := 1e-3*it.y, 1e-3
		for _, w := range g.wires {
			switch s := w.stiffness(); it {
			case w.from:
				want, weight = want+s*w.to.y, weight+s
			case w.to:
				want, weight = want+s*w.from.y, weight+s
			}
		}
		p := pool{want/weight + offset, weight, 1}
		for len(pools) > 0 && pools[len(pools)-1].want < p.want {
			q := pools[len(pools)-1]
			pools = pools[:len(pools)-1]
			sum := p.weight + q.weight
			p = pool{(p.want*p.weight + q.want*q.weight) / sum, sum, p.items + q.items}
		}
		pools = append(pools, p)
	}
	i := 0
	for _, p := range pools {
		for range p.items {
			column[i].y = p.want - offsets[i]
			i++
		}
	}
}
