package prune

import (
	"fmt"
	"strings"

	"espalier/nn"
)

// A Row counts one prunable tensor, or all of them.
type Row struct {
	Name  string
	Shape []int // in memory; nil for the sum
	Kept  int
	Total int
}

// Density is the share that is kept, Sparsity the share that is removed; of nothing, 1 and 0.
func (r Row) Density() float64 {
	if r.Total == 0 {
		return 1
	}
	return float64(r.Kept) / float64(r.Total)
}

// Sparsity is 1 − Density.
func (r Row) Sparsity() float64 {
	if r.Total == 0 {
		return 0
	}
	return float64(r.Total-r.Kept) / float64(r.Total)
}

// Rows counts every prunable tensor, in the order of the layout.
func (m *Mask) Rows() []Row {
	var rows []Row
	for _, p := range Prunable(m.layout) {
		r := Row{Name: p.Name, Shape: p.Shape, Total: p.Len}
		for _, k := range p.Of(m.keep) {
			if k != 0 {
				r.Kept++
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// Sum counts all prunable weights.
func (m *Mask) Sum() Row {
	sum := Row{Name: "all"}
	for _, r := range m.Rows() {
		sum.Kept += r.Kept
		sum.Total += r.Total
	}
	return sum
}

// Kept is the number of prunable weights that stay.
func (m *Mask) Kept() int { return m.Sum().Kept }

// Density is the share of the prunable weights that stays.
func (m *Mask) Density() float64 { return m.Sum().Density() }

// Sparsity is the share of the prunable weights that is removed.
func (m *Mask) Sparsity() float64 { return m.Sum().Sparsity() }

// CheckDensity is an error unless exactly as many weights stay as the sparsity says.
func (m *Mask) CheckDensity(sparsity float64) error {
	sum := m.Sum()
	if want := keeps(sparsity, sum.Total); sum.Kept != want {
		return fmt.Errorf("prune: mask keeps %d of %d weights, want %d at sparsity %v", sum.Kept, sum.Total, want, sparsity)
	}
	return nil
}

// String is a table of a line for each prunable tensor and one for all: name, shape, kept, total, density.
func (m *Mask) String() string {
	rows := append(m.Rows(), m.Sum())
	width := 0
	for _, r := range rows {
		width = max(width, len(r.Name))
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%-*s  %-16s %9d of %9d  density %.4f\n", width, r.Name, shape(r.Shape), r.Kept, r.Total, r.Density())
	}
	return b.String()
}

func shape(dims []int) string {
	if dims == nil {
		return ""
	}
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(dims), "[]")), "x")
}

// Zeros counts the zeros among the prunable weights of w, a vector of the layout: what a mask of a pruned net shows.
func Zeros(l *nn.Layout, w []nn.Float) int {
	n := 0
	for _, p := range Prunable(l) {
		for _, x := range p.Of(w) {
			if x == 0 {
				n++
			}
		}
	}
	return n
}
