package study

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFigures: each choice of series has figures of its own, which show these alone.
func TestFigures(t *testing.T) {
	s := read(t, small+"figures:\n  - {name: a, series: [dense, magnitude]}\n  - {name: b, series: ['random, by layer']}\n")
	var l lab
	records, err := s.Run(t.Context(), Options{Records: t.TempDir(), Execute: l.execute})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files, err := s.Write(dir, records, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, shown := range map[string][2]bool{ // magnitude, random
		"resnet8-a-accuracy.svg": {true, false}, "resnet8-b-accuracy.svg": {false, true}, "resnet20-a-accuracy.svg": {true, false},
	} {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil || !slices.Contains(files, path) {
			t.Errorf("%s: %v; the files are %v", name, err, files)
			continue
		}
		for i, label := range []string{"magnitude", "random, by layer"} {
			if strings.Contains(string(b), ">"+label) != shown[i] {
				t.Errorf("%s shows %s: %v", name, label, !shown[i])
			}
		}
	}
	if slices.Contains(files, filepath.Join(dir, "resnet20-b-accuracy.svg")) {
		t.Error("a figure of a model that has none of the series")
	}
}
