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

// BetasFile is the usual name, beside AlphasFile, of the table that AppendBetasCSV writes, where a search has β.
const BetasFile = "betas.csv"

// betasHead are the columns of the table of β.
var betasHead = append(slices.Clone(alphasHead), "beta")

// BetasHeader is the first line of a table of β epoch by epoch, whose lines are those of the table of α beside it:
//
//	epoch,cell,from,to,beta
//	0,normal,0,2,0.0012
//	0,normal,1,2,…
//
// What stands in a line is β itself, before any softmax, as the shortest text that gives the same float32. ReadBetas reads it.
func BetasHeader() string { return strings.Join(betasHead, ",") + "\n" }

// AppendBetasCSV appends the lines of an epoch to a table whose first line is BetasHeader.
func (a *Alpha) AppendBetasCSV(b []byte, epoch int) []byte {
	i := 0
	for _, cell := range a.Space.Cells {
		for _, e := range cell.Edges {
			b = fmt.Appendf(b, "%d,%s,%d,%d,", epoch, cell.Name, e.From, e.To)
			b = append(strconv.AppendFloat(b, float64(a.Beta[i]), 'g', -1, 32), '\n')
			i++
		}
	}
	return b
}

// ReadBetas reads the table that BetasHeader and Alpha.AppendBetasCSV write into the Beta of epochs, as ReadAlphas returned
// them from the table beside it. Lines after theirs are not read: a search that ended between writing the two tables leaves an
// epoch of β alone. Values may be infinite or NaN. name stands in errors, before the line.
func ReadBetas(r io.Reader, name string, epochs []AlphaAt) error {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = len(betasHead)
	line := 0
	next := func() ([]string, error) {
		fields, err := lines.Read()
		if e := (*csv.ParseError)(nil); errors.As(err, &e) {
			return nil, fmt.Errorf("search: %s:%d: %w", name, e.Line, e.Err)
		}
		if err == nil {
			line, _ = lines.FieldPos(0)
		} else if !errors.Is(err, io.EOF) {
			err = fmt.Errorf("search: %s: %w", name, err)
		}
		return fields, err
	}
	if head, err := next(); err != nil && !errors.Is(err, io.EOF) {
		return err
	} else if !slices.Equal(head, betasHead) {
		return fmt.Errorf("search: %s:1: the columns are %s; want %s", name, strings.Join(head, ", "), strings.Join(betasHead, ", "))
	}
	for _, at := range epochs {
		at.Beta = nil
		for _, cell := range at.Space.Cells {
			for _, e := range cell.Edges {
				want := []string{strconv.Itoa(at.Epoch), cell.Name, strconv.Itoa(e.From), strconv.Itoa(e.To)}
				fields, err := next()
				if errors.Is(err, io.EOF) {
					return fmt.Errorf("search: %s: ends after line %d; %s has epochs up to %d", name, line, AlphasFile, epochs[len(epochs)-1].Epoch)
				}
				if err != nil {
					return err
				}
				if !slices.Equal(fields[:len(want)], want) {
					return fmt.Errorf("search: %s:%d: %s, want %s, the next in %s", name, line, strings.Join(fields[:len(want)], ","), strings.Join(want, ","), AlphasFile)
				}
				v, err := strconv.ParseFloat(fields[len(want)], 32)
				if err != nil {
					return fmt.Errorf("search: %s:%d: beta is %q, want a number", name, line, fields[len(want)])
				}
				at.Beta = append(at.Beta, nn.Float(v))
			}
		}
	}
	return nil
}
