package study

import "espalier/experiment"

// Cell identifies a cell.
type Cell struct {
	Hash string
	Seed uint64
}

// CellOf identifies the cell of a configuration.
func CellOf(c experiment.Config) Cell { return Cell{c.Hash(), c.Seed} }

// searches reports whether a cell is the search of an architecture.
func searches(c experiment.Config) bool { return c.Searches() }

// ModelOf is the network of a cell; of a search, its space.
func ModelOf(c experiment.Config) string {
	if searches(c) {
		return c.SpaceName()
	}
	return c.Network()
}

// methodOf is the method of a cell: of a search, or of pruning.
func methodOf(c experiment.Config) string {
	if searches(c) {
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
