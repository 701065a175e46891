package datasets

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRoots(t *testing.T) {
	got := Places{Data: "d", Work: "w", Cache: "c"}.Roots()
	want := []string{"d", filepath.Join("w", "data"), filepath.Join("c", "espalier"), filepath.FromSlash("/usr/share/datasets")}
	if !slices.Equal(got, want) {
		t.Errorf("roots %q, want %q", got, want)
	}
	if got := (Places{}).Roots(); len(got) != 1 {
		t.Errorf("roots %q of no places", got)
	}
}

// The set is found in the first root that has it, under its usual name or by itself.
func TestFind(t *testing.T) {
	empty, first, second := t.TempDir(), t.TempDir(), t.TempDir()
	put(t, first, "cifar-10-batches-bin/test_batch.bin", nil)
	put(t, second, "data_batch_2.bin", nil)
	k, err := Lookup("cifar10")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		roots  []string
		want   string
		looked int
	}{
		{[]string{empty, first, second}, filepath.Join(first, "cifar-10-batches-bin"), 3},
		{[]string{second, first}, second, 2},
		{[]string{empty}, "", 2},
		{nil, "", 0},
	} {
		if got, looked := k.find(test.roots); got != test.want || len(looked) != test.looked {
			t.Errorf("%q: found %q after %q", test.roots, got, looked)
		}
	}
}

func TestOpen(t *testing.T) {
	synthetic, err := Open("synthetic", nil, OpenOptions{Seed: 3, Synthetic: SyntheticOptions{Train: 20, Test: 10}})
	if err != nil || synthetic.Train.Len() != 20 || synthetic.Test.Len() != 10 {
		t.Fatalf("synthetic: %v", err)
	}
	if _, err := Open("synthetic", nil, OpenOptions{Synthetic: SyntheticOptions{Train: -1}}); err == nil {
		t.Error("a synthetic set of −1 images was made")
	}
	images, err := Open("folder", []string{folder(t)}, OpenOptions{Folder: FolderOptions{Size: 4, Channels: 1}})
	if err != nil || images.Shape() != (Shape{4, 4, 1}) {
		t.Fatalf("folder: %v", err)
	}
	if _, err := Open("folder", nil, OpenOptions{}); err == nil || !strings.Contains(err.Error(), "needs the directory") {
		t.Errorf("a folder from nowhere: %v", err)
	}
	if _, err := Open("imagenet", nil, OpenOptions{}); err == nil || !strings.Contains(err.Error(), "known are cifar10") {
		t.Errorf("an unknown set: %v", err)
	}

	a, b := t.TempDir(), t.TempDir()
	_, err = Open("cifar10", []string{a, b}, OpenOptions{})
	wantError(t, err, "cifar10: looked in", filepath.Join(a, "cifar-10-batches-bin"), b, "espalier data fetch cifar10")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
	put(t, a, "cifar-10-batches-py/data_batch_1", nil)
	_, err = Open("cifar10", []string{a}, OpenOptions{})
	wantError(t, err, "version for Python")
	put(t, b, "cifar-10-batches-bin/data_batch_1.bin", []byte("short"))
	_, err = Open("cifar10", []string{t.TempDir(), b}, OpenOptions{})
	wantError(t, err, filepath.Join(b, "cifar-10-batches-bin", "data_batch_1.bin"), "5 bytes")
}

func TestList(t *testing.T) {
	root := t.TempDir()
	put(t, root, "cifar-10-batches-bin/data_batch_1.bin", nil)
	found := map[string]string{}
	for _, l := range List([]string{root}) {
		if l.Title == "" || l.About == "" || l.Terms == "" {
			t.Errorf("%s says too little: %+v", l.Name, l)
		}
		if l.Fetchable() && l.Found == "" && len(l.Looked) == 0 {
			t.Errorf("%s was not looked for", l.Name)
		}
		found[l.Name] = l.Found
	}
	if found["cifar10"] != filepath.Join(root, "cifar-10-batches-bin") {
		t.Errorf("found %v", found)
	}
	for name, dir := range found {
		if name != "cifar10" && dir != "" {
			t.Errorf("%s was found in %s", name, dir)
		}
	}
}

// Names are those of the configuration, hashes have 64 digits, and addresses are whole.
func TestSets(t *testing.T) {
	for _, k := range Sets() {
		if !k.Fetchable() {
			continue
		}
		if len(k.files) == 0 || k.read == nil || k.expect == nil || len(k.fetched.files) == 0 {
			t.Errorf("%s is described in part", k.Name)
		}
		if !strings.HasPrefix(k.fetched.base, "http") || !strings.HasSuffix(k.fetched.base, "/") || k.fetched.limit <= 0 {
			t.Errorf("%s comes from %q, at most %d bytes", k.Name, k.fetched.base, k.fetched.limit)
		}
		if !slices.Contains(k.dirs, k.fetched.dir) {
			t.Errorf("%s is fetched into %s, where it is not looked for", k.Name, k.fetched.dir)
		}
		for _, f := range k.fetched.files {
			if len(f.sha256) != 64 || strings.Trim(f.sha256, "0123456789abcdef") != "" {
				t.Errorf("%s has the hash %q", f.name, f.sha256)
			}
			if !f.archive && !slices.Contains(k.files, f.name) {
				t.Errorf("%s is fetched but not looked for", f.name)
			}
		}
	}
}

func ExampleOpen() {
	// A program fills in Places from its environment; synthetic images need none.
	set, err := Open("synthetic", Places{}.Roots(), OpenOptions{Synthetic: SyntheticOptions{Train: 200, Test: 100}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(Check(set))
	// Output:
	// synthetic: 32x32x3, 10 classes (made from seed 0)
	// train  200 images, 20 a class
	// test   100 images, 10 a class
	// sizes, labels and class counts are right
}
