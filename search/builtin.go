package search

import (
	"maps"
	"slices"
	"strings"
)

// spaces are the spaces by name.
var spaces = map[string]func() *Space{
	"darts":          DARTS,
	"nas-bench-201":  NASBench201,
	"robustdarts-s1": RobustDARTS1,
	"robustdarts-s2": RobustDARTS2,
	"robustdarts-s3": RobustDARTS3,
	"robustdarts-s4": RobustDARTS4,
}

// SpaceNames are the names that BuiltinSpace knows, sorted.
func SpaceNames() []string { return slices.Sorted(maps.Keys(spaces)) }

// BuiltinSpace is a fresh copy of the named space, and false if there is none of the name.
func BuiltinSpace(name string) (*Space, bool) {
	f, ok := spaces[name]
	if !ok {
		return nil, false
	}
	return f(), true
}

// DARTS is the convolutional cell space of Liu et al. (2019): four nodes with edges from all before them, 14 in all, eight
// candidates each; two edges into each node are kept.
func DARTS() *Space {
	return stacked("darts", "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")
}

// NASBench201 is the space of Dong and Yang (2020): four nodes, six edges, five candidates each, every edge kept.
func NASBench201() *Space {
	return &Space{Name: "nas-bench-201", Skeleton: Staged, Cells: []Cell{{
		Name:   "cell",
		Nodes:  3,
		Edges:  denseEdges(1, 3, slices.Clone(nb201Ops[:])),
		Concat: []int{3},
	}}}
}

// RobustDARTS1 is S1 of Zela et al. (2020): the DARTS space with two candidates an edge, other ones on each.
func RobustDARTS1() *Space {
	s := stacked("robustdarts-s1", "none")
	abbreviations := map[string]string{
		"k": "skip_connect", "M": "max_pool_3x3", "A": "avg_pool_3x3", "s3": "sep_conv_3x3", "d3": "dil_conv_3x3", "d5": "dil_conv_5x5",
	}
	for i, text := range []string{
		"k d3 | k d5 | k d5 | k s3 | k d3 | M k | k s3 | k s3 | k d3 | k s3 | M k | k d3 | d3 d5 | d3 d5",
		"M A | M d3 | M A | M A | k d5 | M A | M s3 | k d3 | k d5 | M A | M A | k d5 | k d5 | k d5",
	} {
		for e, pair := range strings.Split(text, " | ") {
			names := strings.Fields(pair)
			for k := range names {
				names[k] = abbreviations[names[k]]
			}
			s.Cells[i].Edges[e].Primitives = names
		}
	}
	return s
}

// RobustDARTS2 is S2 of Zela et al. (2020).
func RobustDARTS2() *Space { return stacked("robustdarts-s2", "skip_connect", "sep_conv_3x3") }

// RobustDARTS3 is S3 of Zela et al. (2020).
func RobustDARTS3() *Space { return stacked("robustdarts-s3", "none", "skip_connect", "sep_conv_3x3") }

// RobustDARTS4 is S4 of Zela et al. (2020).
func RobustDARTS4() *Space { return stacked("robustdarts-s4", "noise", "sep_conv_3x3") }

// stacked is a space with the graph of the DARTS space, and the same candidates on every edge.
func stacked(name string, primitives ...string) *Space {
	s := &Space{Name: name, Skeleton: Stacked}
	for _, kind := range Stacked.kinds() {
		s.Cells = append(s.Cells, Cell{Name: kind, Nodes: 4, Edges: denseEdges(2, 4, primitives), Concat: []int{2, 3, 4, 5}, Keep: 2})
	}
	return s
}

// denseEdges lead to each node from all nodes before it.
func denseEdges(inputs, nodes int, primitives []string) (edges []Edge) {
	for to := inputs; to < inputs+nodes; to++ {
		for from := range to {
			edges = append(edges, Edge{from, to, slices.Clone(primitives)})
		}
	}
	return edges
}
