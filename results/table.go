package results

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Format is a form in which a table is written.
type Format int

// The formats of tables.
const (
	Text     Format = iota // aligned columns; those of numbers to the right
	CSV                    // RFC 4180
	Markdown               // GitHub's tables, aligned in the source too
)

// dash stands in a cell for what was not measured.
const dash = "–"

// Table is rows of text under named columns.
type Table struct {
	columns []string
	rows    [][]string
	notes   []string
}

// NewTable makes a table without rows.
func NewTable(columns ...string) *Table { return &Table{columns: columns} }

// Add appends a row. It panics if the number of cells is not that of the columns.
func (t *Table) Add(cells ...string) {
	if len(cells) != len(t.columns) {
		panic(fmt.Sprintf("results: a row of %d cells in a table of %d columns", len(cells), len(t.columns)))
	}
	t.rows = append(t.rows, cells)
}

// Note appends a line that stands below the table for people; CSV has none.
func (t *Table) Note(text string) { t.notes = append(t.notes, text) }

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Write writes the table.
func (t *Table) Write(w io.Writer, f Format) error {
	var err error
	switch f {
	case CSV:
		c := csv.NewWriter(w)
		err = c.WriteAll(append([][]string{t.columns}, t.rows...))
	case Markdown:
		_, err = io.WriteString(w, t.markdown())
	default:
		_, err = io.WriteString(w, t.text())
	}
	if err != nil {
		return fmt.Errorf("results: writing a table: %w", err)
	}
	return nil
}

// String is the table as a text.
func (t *Table) String() string { return t.text() }

func (t *Table) text() string {
	var b strings.Builder
	widths, right := t.measure(1, unbroken)
	for _, row := range append([][]string{t.columns}, t.rows...) {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			line.WriteString(pad(unbroken(cell), widths[i], right[i]))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	for i, n := range t.notes {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString(unbroken(n) + "\n")
	}
	return b.String()
}

func (t *Table) markdown() string {
	escape := func(cell string) string { return strings.ReplaceAll(unbroken(cell), "|", `\|`) }
	var b strings.Builder
	widths, right := t.measure(3, escape)
	line := func(row []string) {
		for i, cell := range row {
			b.WriteString("| " + pad(escape(cell), widths[i], right[i]) + " ")
		}
		b.WriteString("|\n")
	}
	line(t.columns)
	for i, w := range widths {
		dashes := strings.Repeat("-", w-1)
		if right[i] {
			b.WriteString("| " + dashes + ": ")
		} else {
			b.WriteString("| " + dashes + "- ")
		}
	}
	b.WriteString("|\n")
	for _, row := range t.rows {
		line(row)
	}
	for _, n := range t.notes {
		b.WriteString("\n" + unbroken(n) + "\n")
	}
	return b.String()
}

// measure finds the width of each column in characters as its cells are written, at least least, and whether it goes to
// the right: if it has numbers, and every other cell is empty or a dash.
func (t *Table) measure(least int, write func(string) string) (widths []int, right []bool) {
	widths, right = make([]int, len(t.columns)), make([]bool, len(t.columns))
	for i, head := range t.columns {
		widths[i] = max(least, utf8.RuneCountInString(write(head)))
		words := false
		for _, row := range t.rows {
			cell := row[i]
			widths[i] = max(widths[i], utf8.RuneCountInString(write(cell)))
			if cell == "" || cell == dash {
				continue
			}
			numeric := strings.ContainsRune("0123456789+-−.", []rune(cell)[0])
			right[i] = right[i] || numeric
			words = words || !numeric
		}
		right[i] = right[i] && !words
	}
	return widths, right
}

// unbroken is a cell in one line.
func unbroken(cell string) string { return strings.Join(strings.Fields(cell), " ") }

func pad(cell string, width int, right bool) string {
	space := strings.Repeat(" ", width-utf8.RuneCountInString(cell))
	if right {
		return space + cell
	}
	return cell + space
}
