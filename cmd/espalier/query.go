package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"espalier/results"
	"espalier/search"
	"espalier/search/nb201"
)

// aboutColumns says in help texts what --by takes.
const aboutColumns = `Columns: c10_, c100_ and in16_ (CIFAR-10, CIFAR-100, ImageNet16-120) with val12, test12 (validation and test accuracy
after 12 epochs) and test200 (test accuracy after 200), all in percent; params_c10 and macs_c10 (parameters and
multiply-adds for CIFAR-10), of which fewer are better.`

// query is the table that the commands below look into.
type query struct {
	*app
	table string // --table
}

func newQuery(a *app) *cobra.Command {
	q := &query{app: a}
	c := &cobra.Command{
		Use:   "query CELL",
		Short: "Look a cell up in the table of NAS-Bench-201: its true accuracies",
		Long: `Shows what NAS-Bench-201 (Dong and Yang, 2020) measured of one of its 15,625 cells, and where it stands among them.
CELL is the benchmark's index (0 to 15624), the cell's text |nor_conv_3x3~0|+|…|+|…|, a file with it, or a directory
with a genotype.txt.

The table is nasbench201.csv in $ESPALIER_DATA, ./data, the user's cache directory or /usr/share/datasets, or the file
that --table names; bench/peers/nasbench201.py makes it from the benchmark. Columns that it must have: index, arch_str,
and those below. Searches see its val12 columns alone; the others are for reports.

` + aboutColumns,
		Example: `  espalier query 13714
  espalier query '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|' --json
  espalier query runs/nb201/0123456789ab/seed-1 --table nasbench201.csv
  espalier query best --by c10_test200
  espalier query rank 13714 --by c100_val12`,
		GroupID: "search",
		Args:    exactly(1, "one cell: an index, a text or a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := q.open()
			if err != nil {
				return err
			}
			cell, err := cellOf(args[0])
			if err != nil {
				return err
			}
			return q.show(t, cell)
		},
	}
	c.PersistentFlags().StringVar(&q.table, "table", "", "the table (default: "+nb201.FileName+" where data sets are looked for)")
	if err := c.MarkPersistentFlagFilename("table", "csv"); err != nil {
		panic(err) // the flag was made a line above
	}
	c.AddCommand(newQueryBest(q), newQueryRank(q))
	return c
}

// open reads the table.
func (q *query) open() (*nb201.Table, error) {
	path := q.table
	if path == "" {
		var err error
		if path, err = nb201.Find(places().Roots()); err != nil {
			return nil, err
		}
	}
	return nb201.Open(path)
}

// cellOf reads a cell of NAS-Bench-201 that is given by its index, or as genotypeOf has it.
func cellOf(given string) (search.NB201, error) {
	if index, err := strconv.Atoi(strings.TrimSpace(given)); err == nil {
		if index < 0 || index >= search.NB201Cells {
			return 0, usageError{fmt.Errorf("cell %d: the benchmark's indices go from 0 to %d", index, search.NB201Cells-1)}
		}
		return search.NB201At(index), nil
	}
	g, _, err := genotypeOf(given)
	if err != nil {
		return 0, err
	}
	return search.NB201From(g)
}

// show prints all about a cell.
func (q *query) show(t *nb201.Table, cell search.NB201) error {
	row, ok := t.Row(cell)
	if !ok {
		_, err := t.Rank(cell, nb201.C10Val12)
		return err
	}
	if q.json {
		return q.printJSON(rowJSON(row))
	}
	fmt.Fprintf(q.stdout, "cell %d  %v\n\n", cell.Index(), cell)
	text := results.NewTable("accuracy (%)", "val, 12 epochs", "test, 12 epochs", "test, 200 epochs", "by the last")
	for _, d := range []struct {
		data               nb201.Data
		val, test, test200 nb201.Column
	}{
		{nb201.CIFAR10, nb201.C10Val12, nb201.C10Test12, nb201.C10Test200},
		{nb201.CIFAR100, nb201.C100Val12, nb201.C100Test12, nb201.C100Test200},
		{nb201.ImageNet16, nb201.In16Val12, nb201.In16Test12, nb201.In16Test200},
	} {
		rank, err := t.Rank(cell, d.test200)
		if err != nil {
			return err
		}
		text.Add(d.data.String(), valueOf(row, d.val), valueOf(row, d.test), valueOf(row, d.test200), rank.String())
	}
	if err := text.Write(q.stdout, results.Text); err != nil {
		return err
	}
	_, err := fmt.Fprintf(q.stdout, "\n%s parameters, %s multiply-adds (CIFAR-10)\n", valueOf(row, nb201.ParamsC10), valueOf(row, nb201.MACsC10))
	return err
}

// rowJSON is a row as an object: index, arch_str and every column.
func rowJSON(r nb201.Row) map[string]any {
	all := map[string]any{"index": r.Cell.Index(), "arch_str": r.Cell.String()}
	for _, c := range nb201.Columns() {
		all[c.String()] = r.Value(c)
	}
	return all
}

// valueOf is a value of a row as people read it.
func valueOf(r nb201.Row, c nb201.Column) string {
	if c.Count() {
		return strconv.FormatFloat(r.Value(c), 'f', 0, 64)
	}
	return strconv.FormatFloat(r.Value(c), 'f', 4, 64)
}

// byFlag adds --by to a command; column reads it.
func byFlag(c *cobra.Command, by *string) {
	c.Flags().StringVar(by, "by", nb201.C10Test200.String(), "column of the table")
	err := c.RegisterFlagCompletionFunc("by", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, c := range nb201.Columns() {
			names = append(names, c.String())
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag was made two lines above
	}
}

func column(by string) (nb201.Column, error) {
	c, err := nb201.ParseColumn(by)
	if err != nil {
		return c, usageError{fmt.Errorf("--by: %w", err)}
	}
	return c, nil
}

func newQueryBest(q *query) *cobra.Command {
	var by string
	var top int
	c := &cobra.Command{
		Use:   "best",
		Short: "Show the cells that are best by a column",
		Long: `Lists the cells that are best by a column: of largest accuracy, or of fewest parameters or multiply-adds. Without --top
these are the best one and all that tie with it. A place such as "1 to 2" is shared by that many cells.

` + aboutColumns,
		Example: `  espalier query best --by c10_test200
  espalier query best --by c10_val12 --top 10
  espalier query best --by params_c10 --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			column, err := column(by)
			if err != nil {
				return err
			}
			if top < 0 {
				return usageError{fmt.Errorf("--top %d: want 0 or more cells", top)}
			}
			t, err := q.open()
			if err != nil {
				return err
			}
			rows := t.Best(column)
			if top > 0 {
				rows = t.Top(top, column)
			}
			return q.list(t, rows, column)
		},
	}
	byFlag(c, &by)
	c.Flags().IntVar(&top, "top", 0, "so many of the best cells (default: the best and its ties)")
	return c
}

// list prints rows with their places.
func (q *query) list(t *nb201.Table, rows []nb201.Row, by nb201.Column) error {
	table := results.NewTable("place", by.String(), "index", "cell")
	for _, r := range rows {
		rank, err := t.Rank(r.Cell, by)
		if err != nil {
			return err
		}
		if q.json {
			if err := q.printJSON(rankJSON(r, by, rank)); err != nil {
				return err
			}
			continue
		}
		place := strconv.Itoa(rank.Better + 1)
		if rank.Ties > 0 {
			place += fmt.Sprintf(" to %d", rank.Better+1+rank.Ties)
		}
		table.Add(place, valueOf(r, by), strconv.Itoa(r.Cell.Index()), r.Cell.String())
	}
	if q.json {
		return nil
	}
	return table.Write(q.stdout, results.Text)
}

func rankJSON(r nb201.Row, by nb201.Column, rank nb201.Rank) map[string]any {
	return map[string]any{
		"index": r.Cell.Index(), "arch_str": r.Cell.String(), "by": by.String(), "value": r.Value(by),
		"better": rank.Better, "ties": rank.Ties, "of": rank.Of, "percentile": rank.Percentile(),
	}
}

func newQueryRank(q *query) *cobra.Command {
	var by string
	c := &cobra.Command{
		Use:   "rank CELL",
		Short: "Say where a cell stands among all by a column",
		Long: `Says where a cell stands among all by a column: its place, how many others tie with it, and its percentile, the share
of cells that it is not behind, ties counting half. CELL is as in 'espalier query'.

` + aboutColumns,
		Example: `  espalier query rank 6111 --by c10_test200
  espalier query rank genotype.txt --by in16_val12 --json`,
		Args: exactly(1, "one cell: an index, a text or a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			column, err := column(by)
			if err != nil {
				return err
			}
			t, err := q.open()
			if err != nil {
				return err
			}
			cell, err := cellOf(args[0])
			if err != nil {
				return err
			}
			rank, err := t.Rank(cell, column)
			if err != nil {
				return err
			}
			row, ok := t.Row(cell)
			switch {
			case !ok:
				return errors.New("the table lost a row") // Rank found it
			case q.json:
				return q.printJSON(rankJSON(row, column, rank))
			}
			_, err = fmt.Fprintf(q.stdout, "cell %d  %v\n%v %s: %v; percentile %.2f\n", cell.Index(), cell, column, valueOf(row, column), rank, rank.Percentile())
			return err
		},
	}
	byFlag(c, &by)
	return c
}
