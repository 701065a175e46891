package datasets

import (
	"slices"
	"strings"
	"testing"
)

// TestFeed: batches follow one another through the epochs of each loader, and sought ones are those of their number.
func TestFeed(t *testing.T) {
	set := Synthetic(1, SyntheticOptions{Train: 40, Test: 1, Size: 16})
	loader := func(images, batch int, drop bool) *Loader {
		var indices []int
		for i := range images {
			indices = append(indices, i)
		}
		l, err := NewLoader(set.Train, indices, LoaderOptions{Batch: batch, Shuffle: true, DropLast: drop, Norm: set.Norm})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	f, err := NewFeed(map[string]*Loader{"long": loader(40, 8, true), "short": loader(20, 8, true)})
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string, from, n int) (images [][]int) {
		if err := f.Seek(name, from); err != nil {
			t.Fatal(err)
		}
		for range n {
			if err := f.Next(name); err != nil {
				t.Fatal(err)
			}
			images = append(images, slices.Clone(f.Batch(name).Images))
		}
		return images
	}
	for name, batches := range map[string]int{"long": 5, "short": 2} {
		all := read(name, 0, 11)
		for i := range all {
			if got := read(name, i, 1)[0]; !slices.Equal(got, all[i]) {
				t.Errorf("%s: batch %d is of images %v, and sought of %v", name, i, all[i], got)
			}
		}
		if slices.Equal(all[0], all[batches]) {
			t.Errorf("%s: the second epoch has the order of the first", name)
		}
		if same := f.Same()["split/"+name]; !strings.Contains(same, "batches of 8, seed 0") {
			t.Errorf("%s: %q", name, same)
		}
	}
	for _, bad := range []map[string]*Loader{
		{"rest": loader(20, 8, false)}, {"a": loader(20, 4, true), "b": loader(20, 5, true)},
	} {
		if _, err := NewFeed(bad); err == nil {
			t.Error("batches of different sizes are taken")
		}
	}
	if err := f.Next("test"); err == nil || !strings.Contains(err.Error(), `no split "test"`) {
		t.Errorf("got %v", err)
	}
}
