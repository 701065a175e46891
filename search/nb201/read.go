package nb201

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"espalier/search"
)

// FileName is the name under which Find looks for the table.
const FileName = "nasbench201.csv"

// Find is the path of the table in the first of the directories that holds it. If none does, the error is an fs.ErrNotExist
// that says where it was looked for and what to do.
func Find(roots []string) (string, error) {
	for _, dir := range roots {
		path := filepath.Join(dir, FileName)
		if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
	}
	return "", &missing{roots}
}

// missing is the error of Find.
type missing struct{ looked []string }

func (e *missing) Error() string {
	return fmt.Sprintf("nb201: %s is in none of %s; bench/peers/nasbench201.py makes it from the benchmark, --table names it elsewhere",
		FileName, strings.Join(e.looked, ", "))
}

func (e *missing) Unwrap() error { return fs.ErrNotExist }

// Open reads the table in a file.
func Open(path string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("nb201: %w", err)
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads a table, whole or in part, whose columns are those of the package's documentation. name stands in errors,
// before the line.
func Read(r io.Reader, name string) (*Table, error) {
	lines := csv.NewReader(bufio.NewReader(r))
	lines.ReuseRecord = true
	lines.FieldsPerRecord = -1 // checked here, to say it in other words
	head, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("nb201: %s: the file is empty", name)
	}
	if err != nil {
		return nil, broken(name, err)
	}
	at, err := columnsOf(head)
	if err != nil {
		return nil, fmt.Errorf("nb201: %s:1: %w", name, err)
	}
	t := &Table{place: slices.Repeat([]int32{-1}, search.NB201Cells)}
	first := make(map[search.NB201]int) // lines
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, broken(name, err)
		}
		line, _ := lines.FieldPos(0)
		row, err := at.row(fields)
		if err == nil && first[row.Cell] > 0 {
			err = fmt.Errorf("cell %d stands on line %d already", row.Cell.Index(), first[row.Cell])
		}
		if err != nil {
			return nil, fmt.Errorf("nb201: %s:%d: %w", name, line, err)
		}
		first[row.Cell] = line
		t.rows = append(t.rows, row)
	}
	if len(t.rows) == 0 {
		return nil, fmt.Errorf("nb201: %s: no rows after the names of the columns", name)
	}
	slices.SortFunc(t.rows, func(a, b Row) int { return cmp.Compare(a.Cell.Index(), b.Cell.Index()) })
	for i, r := range t.rows {
		t.place[r.Cell] = int32(i)
	}
	return t, nil
}

// broken says where a file is no CSV.
func broken(name string, err error) error {
	if e := (*csv.ParseError)(nil); errors.As(err, &e) {
		return fmt.Errorf("nb201: %s:%d: column %d: %w", name, e.Line, e.Column, e.Err)
	}
	return fmt.Errorf("nb201: %s: %w", name, err)
}

// places says in which field of a line each column stands.
type places struct {
	index, arch int
	values      [numColumns]int
}

// columnsOf finds the columns: each once, and no others.
func columnsOf(head []string) (p places, err error) {
	known := append([]string{indexColumn, archColumn}, columnNames[:]...)
	found := make(map[string]int)
	for i, name := range head {
		if i == 0 {
			name = strings.TrimPrefix(name, "\ufeff") // spreadsheets begin UTF-8 so
		}
		if !slices.Contains(known, name) {
			return p, fmt.Errorf("unknown column %q; the nearest is %q", name, search.Nearest(name, known))
		}
		if _, twice := found[name]; twice {
			return p, fmt.Errorf("the column %s stands twice", name)
		}
		found[name] = i
	}
	var lacking []string
	for _, name := range known {
		if _, ok := found[name]; !ok {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		return p, fmt.Errorf("the columns %s are missing; the file's are %s", strings.Join(lacking, ", "), strings.Join(head, ", "))
	}
	p.index, p.arch = found[indexColumn], found[archColumn]
	for i, name := range columnNames {
		p.values[i] = found[name]
	}
	return p, nil
}

// row reads a line.
func (p *places) row(fields []string) (r Row, err error) {
	if want := int(numColumns) + 2; len(fields) != want {
		return r, fmt.Errorf("%d fields, want %d", len(fields), want)
	}
	if r.Cell, err = search.ParseNB201(fields[p.arch]); err != nil {
		return r, fmt.Errorf("%s: %w", archColumn, err)
	}
	index, err := strconv.Atoi(fields[p.index])
	if err != nil || index < 0 || index >= search.NB201Cells {
		return r, fmt.Errorf("%s is %q, want 0 to %d", indexColumn, fields[p.index], search.NB201Cells-1)
	}
	if index != r.Cell.Index() {
		return r, fmt.Errorf("%s is %d, but the benchmark's index of %v is %d", indexColumn, index, r.Cell, r.Cell.Index())
	}
	for c, i := range p.values {
		if r.values[c], err = Column(c).parse(fields[i]); err != nil {
			return r, err
		}
	}
	return r, nil
}

// parse reads a value of a column.
func (c Column) parse(field string) (float64, error) {
	if c.Count() {
		n, err := strconv.ParseInt(field, 10, 53)
		if err != nil || n < 1 {
			return 0, fmt.Errorf("%v is %q, want a whole number above 0", c, field)
		}
		return float64(n), nil
	}
	v, err := strconv.ParseFloat(field, 64)
	if err != nil || !(v >= 0 && v <= 100) || math.Signbit(v) {
		return 0, fmt.Errorf("%v is %q, want percent from 0 to 100", c, field)
	}
	return v, nil
}
