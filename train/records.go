package train

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Records is the table of a run: a row of figures for each complete epoch. In a file it is CSV with a leading column epoch,
// 1 the first; numbers have all their digits, so that equal runs have equal files, and a figure that was not measured (NaN)
// is empty.
type Records struct {
	Columns []string    // names of the figures
	Rows    [][]float64 // row i belongs to epoch i+1
}

// Column is the values of a figure, one for each epoch, and nil if there is no figure of this name.
func (r Records) Column(name string) []float64 {
	c := slices.Index(r.Columns, name)
	if c < 0 {
		return nil
	}
	values := make([]float64, len(r.Rows))
	for i, row := range r.Rows {
		values[i] = row[c]
	}
	return values
}

// Add appends an epoch, whose figures must have the names of those before.
func (r *Records) Add(figures []Figure) error {
	names := make([]string, len(figures))
	row := make([]float64, len(figures))
	for i, f := range figures {
		names[i], row[i] = f.Name, f.Value
	}
	if len(r.Rows) == 0 {
		if err := checkColumns(names); err != nil {
			return fmt.Errorf("train: %w", err)
		}
		r.Columns = names
	}
	if !slices.Equal(names, r.Columns) {
		return fmt.Errorf("train: epoch %d has figures %v, those before %v", len(r.Rows)+1, names, r.Columns)
	}
	r.Rows = append(r.Rows, row)
	return nil
}

func checkColumns(names []string) error {
	for i, n := range names {
		plain := strings.Trim(n, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
		if n == "" || n == "epoch" || !plain || slices.Contains(names[:i], n) {
			return fmt.Errorf("the figure %q needs a name of letters, digits and _.- that is its own", n)
		}
	}
	return nil
}

// CSV is the table as a file.
func (r Records) CSV() []byte {
	var b bytes.Buffer
	b.WriteString("epoch")
	for _, name := range r.Columns {
		b.WriteString("," + name)
	}
	b.WriteByte('\n')
	for i, row := range r.Rows {
		b.WriteString(strconv.Itoa(i + 1))
		for _, v := range row {
			b.WriteByte(',')
			if !math.IsNaN(v) {
				b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
			}
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// ReadRecords reads a run's metrics.csv. Errors name the file and the line.
func ReadRecords(path string) (Records, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Records{}, fmt.Errorf("train: %w", err)
	}
	r, err := parseRecords(b)
	if err != nil {
		return Records{}, fmt.Errorf("train: %s: %w", path, err)
	}
	return r, nil
}

func parseRecords(text []byte) (Records, error) {
	lines := csv.NewReader(bytes.NewReader(text))
	head, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return Records{}, errors.New("a table of epochs without a header")
	}
	if err != nil {
		return Records{}, err
	}
	if head[0] != "epoch" {
		return Records{}, fmt.Errorf("line 1: the first column is %q, not epoch", head[0])
	}
	r := Records{Columns: head[1:]}
	if err := checkColumns(r.Columns); err != nil {
		return Records{}, fmt.Errorf("line 1: %w", err)
	}
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			return Records{}, err // names its line
		}
		line, _ := lines.FieldPos(0)
		if fields[0] != strconv.Itoa(len(r.Rows)+1) {
			return Records{}, fmt.Errorf("line %d: epoch %q follows epoch %d", line, fields[0], len(r.Rows))
		}
		row := make([]float64, len(r.Columns))
		for i, f := range fields[1:] {
			if row[i] = math.NaN(); f == "" {
				continue
			}
			if row[i], err = strconv.ParseFloat(f, 64); err != nil {
				return Records{}, fmt.Errorf("line %d: %s is %q, no number", line, r.Columns[i], f)
			}
		}
		r.Rows = append(r.Rows, row)
	}
}
