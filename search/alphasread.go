package search

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"espalier/nn"
)

// AlphaAt is α after an epoch of a search.
type AlphaAt struct {
	Epoch int
	*Alpha
}

// ReadAlphas reads the table that AlphasHeader and Alpha.AppendCSV write, epoch by epoch. A nil space stands for the
// built-in one with the primitives that the table names. Values may be infinite or NaN, as they are when a search diverges:
// Derive then refuses that epoch alone. name stands in errors, before the line.
func ReadAlphas(r io.Reader, name string, s *Space) ([]AlphaAt, error) {
	lines := csv.NewReader(r)
	lines.ReuseRecord = true
	lines.FieldsPerRecord = -1 // checked here, to say it in other words
	t := &alphaTable{space: s}
	for line := 1; ; {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if e := (*csv.ParseError)(nil); errors.As(err, &e) {
			return nil, fmt.Errorf("search: %s:%d: %w", name, e.Line, e.Err)
		}
		if err != nil {
			return nil, fmt.Errorf("search: %s: %w", name, err)
		}
		line, _ = lines.FieldPos(0)
		if t.columns == nil {
			err = t.head(fields)
		} else {
			err = t.row(fields)
		}
		if err != nil {
			return nil, fmt.Errorf("search: %s:%d: %w", name, line, err)
		}
	}
	switch {
	case t.columns == nil:
		return nil, fmt.Errorf("search: %s: the file is empty", name)
	case len(t.epochs) == 0:
		return nil, fmt.Errorf("search: %s: no epochs after the names of the columns", name)
	case t.next > 0:
		return nil, fmt.Errorf("search: %s: epoch %d ends after %d of %d edges", name, t.last().Epoch, t.next, len(t.edges))
	}
	return t.epochs, nil
}

// alphaTable is a table that is being read.
type alphaTable struct {
	space   *Space
	columns map[string]int // of the primitives
	edges   []edgePlace    // the lines of an epoch
	epochs  []AlphaAt
	next    int // edge of the last epoch that the next line must have; 0: a new epoch
}

// edgePlace is an edge with the kind of its cell, and the place of its α.
type edgePlace struct {
	Edge
	cell string
	row  Row
}

func (t *alphaTable) last() AlphaAt { return t.epochs[len(t.epochs)-1] }

// head reads the first line.
func (t *alphaTable) head(fields []string) error {
	n := len(alphasHead)
	if len(fields) <= n || !slices.Equal(fields[:n], alphasHead) {
		return fmt.Errorf("the columns are %s; want %s and one for each primitive", strings.Join(fields, ", "), strings.Join(alphasHead, ", "))
	}
	names := slices.Clone(fields[n:])
	slices.Sort(names)
	same := func(s *Space) bool {
		all := s.Primitives()
		slices.Sort(all)
		return slices.Equal(all, names)
	}
	if t.space == nil {
		for _, name := range SpaceNames() {
			if s, _ := BuiltinSpace(name); same(s) {
				t.space = s
			}
		}
		if t.space == nil {
			return fmt.Errorf("no built-in space has the primitives %s: say which space it is", strings.Join(names, ", "))
		}
	}
	if !same(t.space) {
		return fmt.Errorf("the table's primitives are %s, those of the space %s are %s", strings.Join(fields[n:], ", "), t.space.Name,
			strings.Join(t.space.Primitives(), ", "))
	}
	t.columns = make(map[string]int)
	for i, name := range fields[n:] {
		t.columns[name] = n + i
	}
	a := NewAlpha(t.space)
	for c, cell := range t.space.Cells {
		for i, e := range cell.Edges {
			t.edges = append(t.edges, edgePlace{e, cell.Name, a.Row(c, i)})
		}
	}
	return nil
}

// row reads the line of an edge.
func (t *alphaTable) row(fields []string) error {
	if want := len(alphasHead) + len(t.columns); len(fields) != want {
		return fmt.Errorf("%d fields, want %d", len(fields), want)
	}
	epoch, err := strconv.Atoi(fields[0])
	if err != nil || epoch < 0 {
		return fmt.Errorf("the epoch is %q, want a whole number from 0", fields[0])
	}
	e := t.edges[t.next]
	if fields[1] != e.cell || fields[2] != strconv.Itoa(e.From) || fields[3] != strconv.Itoa(e.To) {
		return fmt.Errorf("edge %s→%s of %s, want %d→%d of %s, the next in the space %s", fields[2], fields[3], fields[1], e.From, e.To, e.cell,
			t.space.Name)
	}
	switch {
	case t.next > 0 && epoch != t.last().Epoch:
		return fmt.Errorf("epoch %d begins after %d of %d edges of epoch %d", epoch, t.next, len(t.edges), t.last().Epoch)
	case t.next == 0 && len(t.epochs) > 0 && epoch <= t.last().Epoch:
		return fmt.Errorf("epoch %d follows epoch %d", epoch, t.last().Epoch)
	case t.next == 0:
		t.epochs = append(t.epochs, AlphaAt{epoch, NewAlpha(t.space)})
	}
	row := e.row.Of(t.last().Values)
	for name, column := range t.columns {
		k := slices.Index(e.Primitives, name)
		if k < 0 {
			if fields[column] != "" {
				return fmt.Errorf("%s is %q, but edge %d→%d of %s has no such candidate", name, fields[column], e.From, e.To, e.cell)
			}
			continue
		}
		v, err := strconv.ParseFloat(fields[column], 32)
		if err != nil {
			return fmt.Errorf("%s is %q, want a number", name, fields[column])
		}
		row[k] = nn.Float(v)
	}
	t.next = (t.next + 1) % len(t.edges)
	return nil
}
