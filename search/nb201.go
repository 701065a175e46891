package search

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// nb201Ops are the candidates of NAS-Bench-201, in their order.
var nb201Ops = [...]string{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"}

// NB201Cells is the number of cells of NAS-Bench-201, 5⁶.
const NB201Cells = 15625

// NB201 is a cell of NAS-Bench-201 (Dong and Yang, 2020) by its number: the operations of the edges 0→1, 0→2, 1→2, 0→3, 1→3
// and 2→3 as the digits of a number to base 5, the first edge's the most significant. Numbers go from 0, all none, to
// NB201Cells−1.
//
// The number is this package's. The benchmark numbers its cells in an order of its own, by which tables and papers name
// them: that is Index.
type NB201 uint16

// nb201Order holds the benchmark's index of every cell, by number: little-endian, 16 bits each. The order is an arbitrary
// permutation, published with the benchmark's data.
//
//go:embed nb201order.bin
var nb201Order []byte

// nb201Numbers is the inverse of nb201Order.
var nb201Numbers = sync.OnceValue(func() []NB201 {
	numbers := make([]NB201, NB201Cells)
	for n := range NB201(NB201Cells) {
		numbers[n.Index()] = n
	}
	return numbers
})

// Index is the benchmark's own number of the cell, from 0 to NB201Cells−1.
func (c NB201) Index() int { return int(binary.LittleEndian.Uint16(nb201Order[2*int(c):])) }

// NB201At is the cell to which the benchmark gives an index. An index outside [0,NB201Cells) panics.
func NB201At(index int) NB201 { return nb201Numbers()[index] }

// NB201Of is the cell with the given operations, numbers in the order none, skip_connect, nor_conv_1x1, nor_conv_3x3,
// avg_pool_3x3, on the edges 0→1, 0→2, 1→2, 0→3, 1→3 and 2→3.
func NB201Of(ops [6]int) (c NB201) {
	for i, o := range ops {
		if o < 0 || o >= len(nb201Ops) {
			panic(fmt.Sprintf("search: operation %d on edge %d of a NAS-Bench-201 cell", o, i))
		}
		c = 5*c + NB201(o)
	}
	return c
}

// Ops are the operations that NB201Of takes.
func (c NB201) Ops() (ops [6]int) {
	for i := range slices.Backward(ops[:]) {
		ops[i] = int(c % 5)
		c /= 5
	}
	return ops
}

// Genotype is the cell's wiring, every edge with its operation, none included.
func (c NB201) Genotype() Genotype {
	g := Genotype{Normal: Wiring{Concat: []int{3}}}
	ops := c.Ops()
	k := 0
	for to := 1; to < 4; to++ {
		for from := range to {
			g.Normal.Edges = append(g.Normal.Edges, Choice{nb201Ops[ops[k]], from, to})
			k++
		}
	}
	return g
}

// String is the benchmark's text: |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|…~1|…~2|.
func (c NB201) String() string { return c.Genotype().String() }

// Connected reports whether a path of operations other than none leads from the input to the output.
func (c NB201) Connected() bool {
	reached := [4]bool{true}
	for i, e := range c.Genotype().Normal.Edges {
		reached[e.To] = reached[e.To] || reached[e.From] && c.Ops()[i] != 0
	}
	return reached[3]
}

// ParseNB201 reads the benchmark's text of a cell. What cannot be read is a *SyntaxError.
func ParseNB201(text string) (NB201, error) {
	g, err := parseArch(text)
	if err != nil {
		return 0, err
	}
	return NB201From(g)
}

// NB201From is the cell that a genotype describes, or why it is none of the benchmark's: a missing edge is not none.
func NB201From(g Genotype) (NB201, error) {
	var ops [6]int
	want := NB201(0).Genotype().Normal
	if g.Skeleton() != Staged || len(g.Normal.Edges) != len(want.Edges) || !slices.Equal(g.Normal.Concat, want.Concat) {
		return 0, fmt.Errorf("search: %v is no cell of NAS-Bench-201: that has the 6 edges of 4 nodes", g)
	}
	for i, e := range g.Normal.Edges {
		if e.From != want.Edges[i].From || e.To != want.Edges[i].To {
			return 0, fmt.Errorf("search: %v is no cell of NAS-Bench-201: edge %d leads from node %d to node %d, want %d to %d", g, i, e.From, e.To, want.Edges[i].From, want.Edges[i].To)
		}
		ops[i] = slices.Index(nb201Ops[:], e.Op)
		if ops[i] < 0 {
			return 0, fmt.Errorf("search: NAS-Bench-201 has no operation %q; the nearest is %q", e.Op, Nearest(e.Op, nb201Ops[:]))
		}
	}
	return NB201Of(ops), nil
}

// arch is the text of a wiring with one input: |op~from|…| for each node, joined by +.
func (w Wiring) arch() string {
	var b strings.Builder
	k := 0
	for node := 1; node < w.nodes(); node++ {
		if node > 1 {
			b.WriteByte('+')
		}
		b.WriteByte('|')
		for ; k < len(w.Edges) && w.Edges[k].To == node; k++ {
			fmt.Fprintf(&b, "%s~%d|", w.Edges[k].Op, w.Edges[k].From)
		}
	}
	return b.String()
}

// parseArch reads what arch writes, with any number of nodes and any operations. The output is the last node.
func parseArch(text string) (Genotype, error) {
	var w Wiring
	at, node := strings.IndexByte(text, '|'), 1
	if at < 0 || strings.TrimSpace(text[:at]) != "" {
		return Genotype{}, archError(text, len(text)-len(strings.TrimLeft(text, " \t\r\n")), "'|'")
	}
	for at++; ; {
		name := runLength(text[at:], inName)
		if name == 0 {
			return Genotype{}, archError(text, at, "the name of an operation")
		}
		op := text[at : at+name]
		if at += name; !strings.HasPrefix(text[at:], "~") {
			return Genotype{}, archError(text, at, "'~'")
		}
		at++
		digits := runLength(text[at:], func(c byte) bool { return c >= '0' && c <= '9' })
		from := decimal(text[at : at+digits])
		if digits == 0 || from >= node {
			return Genotype{}, archError(text, at, fmt.Sprintf("a node below %d", node))
		}
		w.Edges = append(w.Edges, Choice{op, from, node})
		if at += digits; !strings.HasPrefix(text[at:], "|") {
			return Genotype{}, archError(text, at, "'|'")
		}
		at++
		switch rest := strings.TrimSpace(text[at:]); {
		case rest == "":
			w.Concat = []int{node}
			return Genotype{Normal: w}, nil
		case strings.HasPrefix(text[at:], "+|"):
			at += 2
			if node++; node >= maxNodes {
				return Genotype{}, archError(text, at, fmt.Sprintf("at most %d nodes", maxNodes-1))
			}
		case rest[0] == '+' || !inName(text[at]):
			return Genotype{}, archError(text, at, "'+|', the name of an operation, or the end")
		}
	}
}

// archError is a syntax error at offset.
func archError(text string, offset int, want string) *SyntaxError {
	l := lexer{text: text, at: offset}
	l.next()
	return syntaxError(text, offset, want, l.token.String())
}
