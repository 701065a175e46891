package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"espalier/search"
)

// TestDraw draws cells in every form, and refuses what is none.
func TestDraw(t *testing.T) {
	dir := t.TempDir()
	out := func(name string) string { return filepath.Join(dir, name) }
	for _, args := range [][]string{
		{"DARTS_V2", "-o", out("v2.svg"), "--out", out("v2.png")},
		{search.NB201(77).String(), "-o", out("nb201.dot")},
	} {
		stdout, stderr, code := espalier(t, append([]string{"draw"}, args...)...)
		if code != exitOK || stderr != "" {
			t.Errorf("%v: code %d, %s", args, code, stderr)
		}
		for _, file := range strings.Fields(stdout) {
			if info, err := os.Stat(file); err != nil || info.Size() < 500 {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	refused(t, exitFailed, "the nearest is PC_DARTS", []string{"draw", "PCDARTS", "-o", out("x.svg")})
	refused(t, exitFailed, "line 1, column 18: expected", []string{"draw", "Genotype(normal=[7", "-o", out("x.svg")})
	refused(t, exitFailed, "figures are saved as", []string{"draw", "SNAS", "-o", out("x.pdf")})
}
