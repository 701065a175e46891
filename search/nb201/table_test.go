package nb201

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"espalier/search"
)

const rows = "testdata/rows.csv"

// open reads the 20 rows of testdata.
func open(t testing.TB) *Table {
	t.Helper()
	table, err := Open(rows)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// text is testdata with each of the pairs (old, new) replaced once.
func text(t testing.TB, pairs ...string) string {
	t.Helper()
	b, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s, pairs[i]) {
			t.Fatalf("the rows have no %q", pairs[i])
		}
		s = strings.Replace(s, pairs[i], pairs[i+1], 1)
	}
	return s
}

// TestRead checks values of a row against the benchmark's, and where cells stand that tie.
func TestRead(t *testing.T) {
	table := open(t)
	if table.Len() != 20 {
		t.Fatalf("%d rows", table.Len())
	}
	row, ok := table.Row(search.NB201At(1835))
	if !ok || row.Cell.String() != "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|" {
		t.Fatalf("cell 1835 is %v, %v", row.Cell, ok)
	}
	for c, want := range map[Column]float64{C10Val12: 33.9440, C10Test12: 36.84, C100Val12: 10.32, C100Test12: 11.08, In16Val12: 6.5667,
		In16Test12: 5.6333, C10Test200: 54.2967, C100Test200: 15.6067, In16Test200: 16.3222, ParamsC10: 73306, MACsC10: 7783040} {
		if got := row.Value(c); got != want {
			t.Errorf("%v is %v, want %v", c, got, want)
		}
	}
	if _, ok := table.Row(search.NB201At(2)); ok {
		t.Error("there is a row of a cell that the file lacks")
	}
	indices := func(rows []Row) (all []int) {
		for _, r := range rows {
			all = append(all, r.Cell.Index())
		}
		return all
	}
	if got := indices(table.Best(C10Test200)); !slices.Equal(got, []int{6111, 13714}) {
		t.Errorf("best by test accuracy: %v", got)
	}
	if got := indices(table.Best(ParamsC10)); !slices.Equal(got, []int{1835}) {
		t.Errorf("fewest parameters: %v", got)
	}
	if got := indices(table.Top(4, C10Val12)); !slices.Equal(got, []int{13714, 6111, 1, 9325}) {
		t.Errorf("top 4: %v", got)
	}
	if got := len(table.Top(100, MACsC10)); got != 20 {
		t.Errorf("top 100 of 20 are %d", got)
	}
	for _, c := range []struct {
		index int
		by    Column
		want  Rank
		text  string
	}{
		{6111, C10Test200, Rank{0, 1, 20}, "place 1 to 2 of 20, tied with 1 other"},
		{13714, C10Val12, Rank{0, 0, 20}, "place 1 of 20, no ties"},
		{13144, C10Val12, Rank{4, 1, 20}, "place 5 to 6 of 20, tied with 1 other"},
		{0, ParamsC10, Rank{1, 3, 20}, "place 2 to 5 of 20, tied with 3 others"},
		{1835, C10Val12, Rank{19, 0, 20}, "place 20 of 20, no ties"},
	} {
		got, err := table.Rank(search.NB201At(c.index), c.by)
		if err != nil || got != c.want || got.String() != c.text {
			t.Errorf("cell %d by %v: %+v %v, %v, want %+v %s", c.index, c.by, got, got, err, c.want, c.text)
		}
	}
	if p := (Rank{9, 1, 20}).Percentile(); p != 50 {
		t.Errorf("two cells in the middle have percentile %v", p)
	}
	if _, err := table.Rank(search.NB201At(2), C10Val12); err == nil || !strings.Contains(err.Error(), "cell 2, ") {
		t.Error(err)
	}
}

// TestWholeTable checks figures that are published about the benchmark, where there is a table.
func TestWholeTable(t *testing.T) {
	name := os.Getenv("ESPALIER_NB201")
	if name == "" {
		t.Skip("SKIPPED: ESPALIER_NB201 does not name a table of NAS-Bench-201: 20 rows are read alone")
	}
	table, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if table.Len() != search.NB201Cells || !table.Validation().Whole() {
		t.Fatalf("%d rows", table.Len())
	}
	for i, r := range table.Best(C10Test200) {
		if want := []int{6111, 13714, -1}[i]; r.Cell.Index() != want || r.Value(C10Test200) != 94.3733 {
			t.Errorf("best: %d with %v", r.Cell.Index(), r.Value(C10Test200))
		}
	}
	for by, want := range map[Column]float64{C10Test200: 87.063, C100Test200: 61.406, In16Test200: 33.586} {
		sum := 0.0
		for i := range search.NB201Cells {
			row, _ := table.Row(search.NB201At(i))
			sum += row.Value(by)
		}
		if mean := sum / search.NB201Cells; !(math.Abs(mean-want) < 1e-3) {
			t.Errorf("the mean of %v is %v, want %v", by, mean, want)
		}
	}
}

// TestValidationHidesTheTest shows that what a search is given cannot lead it to a test accuracy: two files that differ in
// every column but the validation accuracies give the same Validation, all the way down, and no method takes or gives a
// type that holds more.
func TestValidationHidesTheTest(t *testing.T) {
	records, err := csv.NewReader(strings.NewReader(text(t))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, fields := range records[1:] {
		for i, name := range records[0] {
			switch {
			case strings.Contains(name, "_test"):
				fields[i] = "12.5"
			case strings.HasSuffix(name, "_c10"):
				fields[i] = "7"
			}
		}
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(records); err != nil {
		t.Fatal(err)
	}
	other, err := Read(&b, "other")
	if err != nil {
		t.Fatal(err)
	}
	table := open(t)
	if row, _ := other.Row(search.NB201At(1)); row.Value(C10Test200) != 12.5 || row.Value(MACsC10) != 7 {
		t.Fatalf("the other table is the same: %+v", row)
	}
	if !reflect.DeepEqual(table.Validation(), other.Validation()) {
		t.Error("the part that a search sees depends on what it must not see")
	}
	v := reflect.TypeFor[*Validation]()
	for i := range v.NumMethod() {
		f := v.Method(i).Type
		for k := range f.NumIn() + f.NumOut() {
			var u reflect.Type
			if k < f.NumIn() {
				u = f.In(k)
			} else {
				u = f.Out(k - f.NumIn())
			}
			for u.Kind() == reflect.Slice || u.Kind() == reflect.Pointer {
				u = u.Elem()
			}
			if u.PkgPath() == v.Elem().PkgPath() && u != v.Elem() && u != reflect.TypeFor[Data]() {
				t.Errorf("%s has to do with %v", v.Method(i).Name, u)
			}
		}
	}
}

func TestValidation(t *testing.T) {
	v := open(t).Validation()
	if v.Whole() || len(v.Cells()) != 20 || v.Cells()[3].Index() != 1835 {
		t.Errorf("cells %v", v.Cells())
	}
	v.Cells()[0] = 7 // a copy
	if v.Cells()[0].Index() != 0 {
		t.Error("Cells is not a copy")
	}
	for d, want := range []float64{33.9440, 10.32, 6.5667} {
		if got, ok := v.Accuracy(search.NB201At(1835), Data(d)); got != want || !ok {
			t.Errorf("%v: %v, %v, want %v", Data(d), got, ok, want)
		}
	}
	if _, ok := v.Accuracy(search.NB201At(2), CIFAR10); ok {
		t.Error("there is an accuracy of a cell that the file lacks")
	}
}

// TestReadErrors damages the file: each error names it, and the line.
func TestReadErrors(t *testing.T) {
	const line2 = "\n0,|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "rows.csv: the file is empty"},
		"no rows":          {strings.SplitAfter(text(t), "\n")[0], "rows.csv: no rows"},
		"missing column":   {text(t, "c10_val12,", "", "in16_test12,", ""), "rows.csv:1: the columns c10_val12, in16_test12 are missing; the file's are index, arch_str, "},
		"other column":     {text(t, "c10_val12", "c10_val"), `rows.csv:1: unknown column "c10_val"; the nearest is "c10_val12"`},
		"column twice":     {text(t, "c10_val12", "c10_test12"), "rows.csv:1: the column c10_test12 stands twice"},
		"no table":         {"PK\x03\x04", "rows.csv:1: unknown column"},
		"too few fields":   {text(t, ",15647360", ""), "rows.csv:2: 12 fields, want 13"},
		"too many fields":  {text(t, ",15647360", ",15647360,1"), "rows.csv:2: 14 fields, want 13"},
		"open quote":       {text(t, ",15647360", ",\"15647360"), "rows.csv:"},
		"accuracy":         {text(t, "63.3640", "a"), `rows.csv:2: c10_val12 is "a", want percent from 0 to 100`},
		"accuracy NaN":     {text(t, "63.3640", "NaN"), `rows.csv:2: c10_val12 is "NaN"`},
		"accuracy of 101":  {text(t, "69.5500", "101"), `rows.csv:2: c10_test12 is "101"`},
		"accuracy below 0": {text(t, "26.6333", "-0.1"), `rows.csv:2: in16_test200 is "-0.1"`},
		"no accuracy":      {text(t, "26.6333", ""), `rows.csv:2: in16_test200 is ""`},
		"parameters":       {text(t, "129306", "129306.5"), `rows.csv:2: params_c10 is "129306.5", want a whole number above 0`},
		"no multiply-adds": {text(t, "15647360", "0"), `rows.csv:2: macs_c10 is "0"`},
		"index":            {text(t, "\n0,", "\nzero,"), `rows.csv:2: index is "zero", want 0 to 15624`},
		"index too large":  {text(t, "\n0,", "\n15625,"), `rows.csv:2: index is "15625"`},
		"another's index":  {text(t, "\n0,", "\n5,"), "rows.csv:2: index is 5, but the benchmark's index of |avg_pool_3x3~0|"},
		"cell":             {text(t, "|avg_pool_3x3~0|+|nor_conv_1x1~0|", "|avg_pool_3x3~0|+|nor_conv_1x1!0|"), "rows.csv:2: arch_str: search: genotype: line 1, column 31: expected '~'"},
		"operation":        {text(t, "avg_pool_3x3~0", "avg_pool_3x4~0"), `rows.csv:2: arch_str: search: NAS-Bench-201 has no operation "avg_pool_3x4"; the nearest is "avg_pool_3x3"`},
		"twice":            {text(t, "\n1,", line2+",1,1,1,1,1,1,1,1,1,1,1\n1,"), "rows.csv:3: cell 0 stands on line 2 already"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.text), "rows.csv")
			if err == nil || !strings.HasPrefix(err.Error(), "nb201: "+strings.SplitN(c.want, " ", 2)[0]) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want …%s…", err, c.want)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.csv")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.csv") {
		t.Error(err)
	}
	for _, c := range []string{"c10_vall12", ""} {
		if _, err := ParseColumn(c); err == nil || !strings.Contains(err.Error(), `the nearest is "c10_val12"`) && c != "" {
			t.Error(err)
		}
	}
}

// TestOrderOfColumns reads a file whose columns are in another order, with the mark that spreadsheets put before UTF-8.
func TestOrderOfColumns(t *testing.T) {
	records, err := csv.NewReader(strings.NewReader(text(t))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, fields := range records {
		slices.Reverse(fields)
	}
	var b bytes.Buffer
	b.WriteString("\ufeff")
	if err := csv.NewWriter(&b).WriteAll(records); err != nil {
		t.Fatal(err)
	}
	reversed, err := Read(&b, "reversed")
	if err != nil || !reflect.DeepEqual(reversed, open(t)) {
		t.Errorf("another table, %v", err)
	}
}

func TestFind(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	if _, err := Find([]string{a, b}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), a+", "+b) {
		t.Error(err)
	}
	want := filepath.Join(b, FileName)
	if err := os.WriteFile(want, []byte(text(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := Find([]string{a, b}); got != want || err != nil {
		t.Error(got, err)
	}
}

// FuzzRead checks that what is read as a table is one: every row where its cell says, in range.
func FuzzRead(f *testing.F) {
	lines := strings.SplitAfter(text(f), "\n")
	f.Add(lines[0] + lines[1])
	f.Add(lines[0] + lines[1] + lines[2])
	f.Add(text(f, "63.3640", "NaN"))
	f.Add(strings.ReplaceAll(lines[0]+lines[1], ",", "\t"))
	f.Fuzz(func(t *testing.T, text string) {
		table, err := Read(strings.NewReader(text), "fuzz")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "nb201: fuzz:") {
				t.Fatal(err)
			}
			return
		}
		v := table.Validation()
		for i := range search.NB201Cells {
			c := search.NB201At(i)
			row, ok := table.Row(c)
			if !ok {
				continue
			}
			for _, by := range Columns() {
				if x := row.Value(by); !(x >= 0) || !by.Count() && !(x <= 100) || row.Cell != c {
					t.Fatalf("cell %d has %v %v", i, by, x)
				}
			}
			if x, ok := v.Accuracy(c, CIFAR100); !ok || x != row.Value(C100Val12) {
				t.Fatalf("cell %d: %v, %v", i, x, ok)
			}
		}
	})
}
