package search

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"
)

// TestNB201 checks that numbers, indices, operations and texts of all cells belong together one to one.
func TestNB201(t *testing.T) {
	seen := make(map[int]bool)
	disconnected := 0
	for c := range NB201(NB201Cells) {
		if back := NB201Of(c.Ops()); back != c {
			t.Fatalf("cell %d has the operations of %d", c, back)
		}
		if back, err := ParseNB201(c.String()); err != nil || back != c {
			t.Fatalf("%v is read as %d, %v", c, back, err)
		}
		if seen[c.Index()] || NB201At(c.Index()) != c {
			t.Fatalf("%v has the index %d", c, c.Index())
		}
		seen[c.Index()] = true
		if !c.Connected() {
			disconnected++
		}
	}
	if len(seen) != NB201Cells || disconnected != 341 {
		t.Errorf("%d indices, %d cells without a path; want 15625 and 341", len(seen), disconnected)
	}
}

// TestNB201Index checks known cells against the benchmark's index.
func TestNB201Index(t *testing.T) {
	for index, text := range map[int]string{
		0:     "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
		1:     "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
		1835:  "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|",
		6111:  "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|",
		13714: "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
	} {
		if got := NB201At(index).String(); got != text {
			t.Errorf("cell %d is %s, want %s", index, got, text)
		}
	}
}

// tableEnv names the file of all cells that tests read if it is there.
const tableEnv = "ESPALIER_NB201"

// TestNB201Table compares the index of every cell with a table of all.
func TestNB201Table(t *testing.T) {
	name := os.Getenv(tableEnv)
	if name == "" {
		t.Skipf("SKIPPED: %s does not name a table of NAS-Bench-201 (CSV with the columns index and arch_str), so the index of 15,620 of the cells is not checked", tableEnv)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != NB201Cells+1 || rows[0][0] != "index" || rows[0][1] != "arch_str" {
		t.Fatalf("%s has %d rows, the first %v", name, len(rows), rows[0])
	}
	for _, row := range rows[1:] {
		c, err := ParseNB201(row[1])
		if err != nil {
			t.Fatal(err)
		}
		if strconv.Itoa(c.Index()) != row[0] {
			t.Errorf("%v has the index %d, in the table %s", c, c.Index(), row[0])
		}
	}
}
