package study

import (
	"fmt"

	"espalier/experiment"
)

// Cell identifies a cell.
type Cell struct {
	Hash string
	Seed uint64
}

// CellOf identifies the cell of a configuration.
func CellOf(c experiment.Config) Cell { return Cell{c.Hash(), c.Seed} }

// String is the cell's name in files.
func (c Cell) String() string { return fmt.Sprintf("%s-seed-%d", c.Hash, c.Seed) }

// ModelOf is the network of a cell; of a search, its space.
func ModelOf(c experiment.Config) string {
	if c.Searches() {
		return c.SpaceName()
	}
	return c.Network()
}

// methodOf is the method of a cell: of a search, or of pruning.
func methodOf(c experiment.Config) string {
	if c.Searches() {
		return c.Search.Method
	}
	return c.Prune.Method
}

// SparsityOf is that of a cell; of a dense training 0.
func SparsityOf(c experiment.Config) float64 {
	if c.Prune.Method == experiment.NoPruning {
		return 0
	}
	return c.Prune.Sparsity[0]
}
