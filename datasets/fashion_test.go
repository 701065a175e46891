package datasets

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// idx is an IDX file of bytes.
func idx(values []byte, dims ...int) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return append(b, values...)
}

func packed(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// write makes the four files of f; pixel k of image i is i+k, and its label i modulo 10.
func (f fashion) write(t testing.TB, dir string, pack bool) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{"train": f.train, "t10k": f.test} {
		var images, labels []byte
		for i := range n {
			for k := range 28 * 28 {
				images = append(images, byte(i+k))
			}
			labels = append(labels, byte(i%10))
		}
		for file, content := range map[string][]byte{
			name + "-images-idx3-ubyte": idx(images, n, 28, 28), name + "-labels-idx1-ubyte": idx(labels, n),
		} {
			if pack {
				file, content = file+".gz", packed(t, content)
			}
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFashion(t *testing.T) {
	f := fashion{train: 12, test: 11}
	for _, pack := range []bool{false, true} {
		root := t.TempDir()
		f.write(t, filepath.Join(root, "fashion-mnist"), pack)
		for _, dir := range []string{root, filepath.Join(root, "fashion-mnist")} {
			set, err := f.read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if set.Train.Len() != 12 || set.Test.Len() != 11 || set.Shape() != (Shape{28, 28, 1}) || len(set.Classes) != 10 {
				t.Fatalf("%d and %d images of %v in %d classes", set.Train.Len(), set.Test.Len(), set.Shape(), len(set.Classes))
			}
			if got := set.Train.Image(11)[30]; got != 41 {
				t.Errorf("pixel %d, want 41", got)
			}
			if !slices.Equal(set.Test.Labels, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0}) {
				t.Errorf("labels %v", set.Test.Labels)
			}
		}
	}
}

func TestFashionErrors(t *testing.T) {
	f := fashion{train: 12, test: 11}
	const images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	edit := func(name string, change func(content []byte) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, name, change(content))
		}
	}
	for _, test := range []struct {
		name   string
		pack   bool
		damage func(t *testing.T, dir string)
		want   []string
		offset int64
	}{
		{"missing", false, func(t *testing.T, dir string) { remove(t, dir, labels) },
			[]string{labels + ": missing", "espalier data fetch fashion-mnist"}, -1},
		{"cut short", false, func(t *testing.T, dir string) { truncate(t, dir, images, 1000) },
			[]string{images, "cut short: 1000 bytes, expected 9424"}, 1000},
		{"cut in the header", false, func(t *testing.T, dir string) { truncate(t, dir, images, 5) },
			[]string{"cut short: 5 bytes, expected 9424"}, 5},
		{"empty", false, func(t *testing.T, dir string) { truncate(t, dir, labels, 0) }, []string{"cut short: 0 bytes, expected 20"}, 0},
		{"one byte more", false, edit(labels, func(b []byte) []byte { return append(b, 1) }),
			[]string{"more than the 20 bytes"}, 20},
		{"another type", false, func(t *testing.T, dir string) { poke(t, dir, images, 2, 13) },
			[]string{"begins with 00 00 0d 03, expected 00 00 08 03"}, 0},
		{"labels for images", false, func(t *testing.T, dir string) { put(t, dir, images, idx(make([]byte, 9408), 9408)) },
			[]string{"begins with 00 00 08 01, expected 00 00 08 03"}, 0},
		{"another size", false, func(t *testing.T, dir string) { put(t, dir, images, idx(make([]byte, 9408), 12, 14, 56)) },
			[]string{"dimension 1 of 3 is 14, expected 28"}, 8},
		{"another count", false, func(t *testing.T, dir string) { put(t, dir, labels, idx(make([]byte, 12), 13)) },
			[]string{"dimension 0 of 1 is 13, expected 12"}, 4},
		{"label", false, func(t *testing.T, dir string) { poke(t, dir, labels, 8+3, 10) },
			[]string{labels, "label 10, expected 0 to 9"}, 11},
		{"no gzip", true, edit(images+".gz", func([]byte) []byte { return []byte("<html>") }), []string{images + ".gz", "not a gzip file"}, 0},
		{"gzip cut short", true, edit(images+".gz", func(b []byte) []byte { return b[:len(b)-9] }), []string{images + ".gz", "cut short"}, -2},
		{"gzip without its end", true, edit(labels+".gz", func(b []byte) []byte { return b[:len(b)-4] }), []string{labels + ".gz", "cut short"}, -2},
		{"gzip of a wrong checksum", true, edit(labels+".gz", func(b []byte) []byte { b[len(b)-8] ^= 1; return b }),
			[]string{labels + ".gz", "checksum"}, -2},
		{"gzip damaged", true, edit(images+".gz", func(b []byte) []byte {
			for i := 20; i < 30; i++ {
				b[i] = ^b[i]
			}
			return b
		}), []string{images + ".gz"}, -2},
		{"a directory for a file", false, func(t *testing.T, dir string) {
			remove(t, dir, labels)
			put(t, dir, labels+"/x", nil)
		}, []string{labels}, -2},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			f.write(t, dir, test.pack)
			test.damage(t, dir)
			_, err := f.read(dir)
			if offset := wantError(t, err, test.want...); test.offset != -2 && offset != test.offset {
				t.Errorf("offset %d, want %d", offset, test.offset)
			}
		})
	}
	if _, err := FashionMNIST(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
}

func FuzzIDX(f *testing.F) {
	whole := idx([]byte{1, 2, 3, 4, 5, 6}, 2, 3)
	f.Add("file", whole)
	f.Add("file", whole[:7])
	f.Add("file.gz", packed(f, whole))
	f.Add("file.gz", packed(f, whole)[:12])
	f.Add("file", idx(nil, 1<<30, 1<<30))
	f.Fuzz(func(t *testing.T, path string, content []byte) {
		values, err := decodeIDX(path, bytes.NewReader(content), 2, 3)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if len(values) != 6 {
			t.Fatalf("%d values", len(values))
		}
	})
}
