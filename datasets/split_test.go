package datasets

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func halves(t testing.TB, p Part, seed uint64) *Split {
	t.Helper()
	s, err := NewSplit(p, seed, Share{"train", Rest}, Share{"val", 30})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSplit(t *testing.T) {
	p := noise(Shape{1, 1, 1}, 100, 10)
	s, err := NewSplit(p, 1, Share{"weights", 40}, Share{"architecture", Rest}, Share{"val", 20})
	if err != nil {
		t.Fatal(err)
	}
	count := make([]int, 100)
	for name, want := range map[string]int{"weights": 40, "architecture": 40, "val": 20} {
		list := s.Indices(name)
		if len(list) != want || !slices.IsSorted(list) {
			t.Errorf("%s has %d indices, want %d in rising order", name, len(list), want)
		}
		for _, i := range list {
			count[i]++
		}
	}
	if slices.Max(count) != 1 || slices.Min(count) != 1 {
		t.Errorf("images appear %v times", count)
	}
	partial, err := NewSplit(p, 1, Share{"few", 10}, Share{"more", 30})
	if err != nil {
		t.Fatal(err)
	}
	if both := append(slices.Clone(partial.Indices("few")), partial.Indices("more")...); len(both) != 40 {
		t.Errorf("%d images in a partial split", len(both))
	} else if slices.Sort(both); len(slices.Compact(both)) != 40 {
		t.Error("the lists of a partial split overlap")
	}
}

func TestSplitDependsOnTheSeed(t *testing.T) {
	p := noise(Shape{1, 1, 1}, 100, 10)
	a, b, c := halves(t, p, 1), halves(t, p, 1), halves(t, p, 2)
	if !slices.Equal(a.Indices("val"), b.Indices("val")) || a.Hash() != b.Hash() {
		t.Error("a seed gives two splits")
	}
	if slices.Equal(a.Indices("val"), c.Indices("val")) || a.Hash() == c.Hash() {
		t.Error("two seeds give one split")
	}
	// Every run's data depend on this.
	if got, want := fmt.Sprint(a.Indices("val")[:6]), "[0 3 4 7 12 14]"; got != want {
		t.Errorf("the split of seed 1 begins with %s, want %s", got, want)
	}
}

func TestSplitErrors(t *testing.T) {
	p := noise(Shape{1, 1, 1}, 100, 10)
	for want, shares := range map[string][]Share{
		"without shares":                      {},
		"share 0 of a split has no name":      {{"", 5}},
		`two shares of the name "a"`:          {{"a", 5}, {"a", 6}},
		`"a" and "b" of a split both`:         {{"a", Rest}, {"b", Rest}},
		`wants 61 images of 100, of which 40`: {{"a", 40}, {"b", 61}},
		"wants 0 images":                      {{"a", 0}},
		"wants -2 images":                     {{"a", -2}},
		"nothing of 100 images is left":       {{"a", 100}, {"b", Rest}},
	} {
		if _, err := NewSplit(p, 1, shares...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", shares, err, want)
		}
	}
}

func TestSplitFile(t *testing.T) {
	p := noise(Shape{1, 1, 1}, 100, 10)
	s := halves(t, p, 1)
	path := filepath.Join(t.TempDir(), "split.json")
	if err := s.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	again, err := ReadSplit(path, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"train", "val"} {
		if !slices.Equal(again.Indices(name), s.Indices(name)) {
			t.Errorf("%s is not the same after reading", name)
		}
	}
	if again.Hash() != s.Hash() || !slices.Equal(again.Shares(), s.Shares()) {
		t.Error("the split is not the same after reading")
	}

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(content) > 1000 {
		t.Errorf("a file of %d bytes", len(content))
	}
	relabelled := p
	relabelled.Labels = slices.Clone(p.Labels)
	relabelled.Labels[50] = 9 - relabelled.Labels[50]
	for _, c := range []struct {
		from, to string
		part     Part
		want     string
	}{
		{`"seed": 1`, `"seed": 2`, p, "edited, or made by another version"},
		{`"images": 30`, `"images": 29`, p, "edited"},
		{`"images": 30`, `"images": 31`, p, "wants 31 images"},
		{`"images": 30`, `"images": -1`, p, "has no size"},
		{`"schema": 1`, `"schema": 7`, p, "schema 7, expected 1"},
		{`"seed"`, `"sead"`, p, "not a split"},
		{"}\n", "", p, "not a split"},
		{"}\n", "} {", p, "something follows"},
		{`"val"`, `"valid"`, p, "edited"},
		{"", "", noise(Shape{1, 1, 1}, 99, 10), "a split of 100 images, the data have 99"},
		{"", "", relabelled, "a split of other data"},
	} {
		if err := os.WriteFile(path, replaceLast(content, c.from, c.to), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadSplit(path, c.part)
		wantError(t, err, path, c.want)
	}
	_, err = ReadSplit(filepath.Join(t.TempDir(), "none.json"), p)
	wantError(t, err, "none.json: missing")
}

// replaceLast replaces the last appearance of from.
func replaceLast(content []byte, from, to string) []byte {
	i := bytes.LastIndex(content, []byte(from))
	return slices.Concat(content[:i], []byte(to), content[i+len(from):])
}

func FuzzSplitFile(f *testing.F) {
	p := noise(Shape{1, 1, 1}, 100, 10)
	path := filepath.Join(f.TempDir(), "split.json")
	if err := halves(f, p, 1).WriteFile(path); err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if s, err := decodeSplit("file", content, p); err != nil {
			wantError(t, err)
		} else if len(s.Shares()) == 0 {
			t.Error("a split without shares was accepted")
		}
	})
}

func ExampleNewSplit() {
	set := Part{Shape: Shape{H: 1, W: 1, C: 1}, Pixels: make([]uint8, 50), Labels: make([]int32, 50)}
	split, err := NewSplit(set, 1, Share{"train", Rest}, Share{"val", 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(split.Shares())
	fmt.Println(split.Indices("val"))
	// Output:
	// [{train 45} {val 5}]
	// [0 2 6 33 43]
}
