package plot

import (
	"bufio"
	"fmt"
	"io"

	"espalier/search"
)

// DOT writes the genotype in the language of Graphviz, from left to right: a cluster for each kind of cell, operations as
// labels of edges.
func (d *Drawing) DOT(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "digraph {\n  rankdir=LR; labelloc=t; label=%q;\n  node [shape=circle, fontname=Helvetica]; edge [fontname=Helvetica];\n", d.title)
	s := d.genotype.Skeleton()
	wirings := []search.Wiring{d.genotype.Normal}
	if s == search.Stacked {
		wirings = append(wirings, d.genotype.Reduce)
	}
	for i, w := range wirings {
		prefix, fed := string("nr"[i]), w.Fed(s.Inputs())
		fmt.Fprintf(b, "  subgraph cluster_%d {\n    label=%q; color=gray;\n", i, d.cells[i].heading)
		named := make(map[int]bool)
		name := func(n int) string {
			id := fmt.Sprintf("%s%d", prefix, n)
			if text := nodeText(n, s, fed.Concat); !named[n] {
				named[n] = true
				shape := ""
				if text != fmt.Sprint(n) {
					shape = ", shape=box, style=rounded"
				}
				fmt.Fprintf(b, "    %s [label=%q%s];\n", id, text, shape)
			}
			return id
		}
		for n := range s.Inputs() {
			name(n)
		}
		for _, e := range fed.Edges {
			style := ""
			if e.Op == "none" {
				style = ", style=dashed, color=gray, fontcolor=gray"
			}
			text := opText(e.Op)
			if i == 1 && e.From < s.Inputs() {
				text += " /2"
			}
			from, to := name(e.From), name(e.To)
			fmt.Fprintf(b, "    %s -> %s [label=%q%s];\n", from, to, text, style)
		}
		if s == search.Stacked {
			fmt.Fprintf(b, "    %so [label=output, shape=box, style=rounded];\n", prefix)
			for _, n := range fed.Concat {
				fmt.Fprintf(b, "    %s -> %so;\n", name(n), prefix)
			}
		}
		fmt.Fprint(b, "  }\n")
	}
	fmt.Fprint(b, "}\n")
	return b.Flush()
}
