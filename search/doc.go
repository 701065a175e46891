// Package search is architecture search as data: the spaces that a search chooses from, the parameters α that it moves, and
// the genotypes that it ends in. It computes nothing on images.
//
// A Space is a skeleton and its cells; a cell is a graph whose edges name their candidates. DARTS, NASBench201 and
// RobustDARTS1 to 4 are spaces; ParseSpace reads one's own from YAML. Primitives are found by name in a Registry; each
// describes its layers in a place. Edges may have different candidates, so that rows of α may have different lengths.
//
// Alpha is α of a space, flat; Alpha.Softmax makes Scores of it, and Derive a Genotype of those, as DARTS does or, where a
// space says so, as NAS-Bench-201 does. Genotype is text that other tools read (String, Parse), or JSON. NB201 numbers the
// cells of NAS-Bench-201.
//
// # A space of one's own
//
// A primitive is a name and a function from a Place to layers: nn's, or a layer of one's own that implements nn.Leaf. It
// enters the table in primitives.go, or, without touching this package, a Registry by With. The example of With adds a
// squeeze-and-excitation primitive: its layer, the space in YAML that names it, and a network with it that learns.
//
// # What a supernet takes from a space
//
// From Space.Cells, for each kind of cell: the nodes, and for each intermediate node the range of its edges (Cell.Incoming),
// so that a node with all its edges can be one operation; from each edge its source and its candidates in the order of α's
// row (Alpha.Row); from Cell.Concat the output. From Space.Skeleton how many inputs a cell has, where it is repeated and
// where its inputs are halved. From the Registry the layers of each candidate, at Place{Channels, Stride, Plain: true}, with
// PoolNorm in the Stacked skeleton; candidates whose Primitive.None is set, or whose layers are empty, need no work beyond a
// skipped or a scaled addition. models.Supernet lists the weights of all candidates by name, which fixes names, shapes and
// order of the vector; its cost is what a supernet holds.
package search
