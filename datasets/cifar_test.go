package datasets

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small is a CIFAR set with few records in a file.
func small(c cifar, records int) cifar {
	c.records, c.tested = records, records
	return c
}

// record is one of c's records: its labels and then the pixels f(row, column, channel).
func record(c cifar, labels []byte, f func(y, x, ch int) byte) []byte {
	b := slices.Clone(labels)
	for ch := range 3 {
		for y := range 32 {
			for x := range 32 {
				b = append(b, f(y, x, ch))
			}
		}
	}
	return b
}

// write makes a directory with all files of c; record i of the n in file k has class (i+k) mod classes.
func (c cifar) write(t testing.TB, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for k, name := range slices.Concat(c.train, c.test) {
		var content []byte
		for i := range c.records {
			labels := make([]byte, len(c.labels))
			labels[len(labels)-1] = byte((i + k) % len(c.classes))
			content = append(content, record(c, labels, func(y, x, ch int) byte { return byte(100*k + 10*i + 3*y + 5*x + ch) })...)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCIFAR(t *testing.T) {
	for _, c := range []cifar{small(cifar10(), 3), small(cifar100(), 3)} {
		root := t.TempDir()
		c.write(t, filepath.Join(root, c.dir))
		for _, dir := range []string{root, filepath.Join(root, c.dir)} {
			set, err := c.read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if set.Train.Len() != 3*len(c.train) || set.Test.Len() != 3 || set.Shape() != (Shape{32, 32, 3}) {
				t.Fatalf("%s: %d and %d images of %v", c.name, set.Train.Len(), set.Test.Len(), set.Shape())
			}
			k, i := len(c.train)-1, 2 // the last image of the training part
			image := set.Train.Image(set.Train.Len() - 1)
			for y := range 32 {
				for x := range 32 {
					for ch := range 3 {
						if got, want := image[(y*32+x)*3+ch], byte(100*k+10*i+3*y+5*x+ch); got != want {
							t.Fatalf("pixel (%d,%d,%d) is %d, want %d", y, x, ch, got, want)
						}
					}
				}
			}
			if got, want := set.Train.Labels[set.Train.Len()-1], int32((i+k)%len(c.classes)); got != want {
				t.Errorf("label %d, want %d", got, want)
			}
		}
	}
}

func TestCIFARErrors(t *testing.T) {
	c := small(cifar10(), 3)
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   []string // parts of the message
		offset int64
	}{
		{"nothing", func(t *testing.T, dir string) { remove(t, dir, slices.Concat(c.train, c.test)...) },
			[]string{"no data_batch_1.bin", "espalier data fetch cifar10"}, -1},
		{"python", func(t *testing.T, dir string) {
			remove(t, dir, slices.Concat(c.train, c.test)...)
			put(t, dir, "data_batch_1", nil)
		}, []string{"version for Python"}, -1},
		{"missing", func(t *testing.T, dir string) { remove(t, dir, "data_batch_4.bin") },
			[]string{"data_batch_4.bin: missing", "fetch"}, -1},
		{"inside a record", func(t *testing.T, dir string) { truncate(t, dir, "data_batch_2.bin", 3073+5) },
			[]string{"data_batch_2.bin", "3078 bytes, expected 9219 (3 records of 3073)", "inside record 1"}, 3078},
		{"between records", func(t *testing.T, dir string) { truncate(t, dir, "test_batch.bin", 2*3073) },
			[]string{"test_batch.bin", "cut short after 2 records"}, 6146},
		{"empty", func(t *testing.T, dir string) { truncate(t, dir, "test_batch.bin", 0) },
			[]string{"0 bytes, expected 9219"}, 0},
		{"records of CIFAR-100", func(t *testing.T, dir string) { put(t, dir, "data_batch_1.bin", make([]byte, 3*3074)) },
			[]string{"9222 bytes, expected 9219", "not a whole number of records"}, 9219},
		{"label", func(t *testing.T, dir string) { poke(t, dir, "data_batch_3.bin", 2*3073, 17) },
			[]string{"data_batch_3.bin: at byte 6146: label 17, expected 0 to 9"}, 6146},
		{"directory for a file", func(t *testing.T, dir string) {
			remove(t, dir, "data_batch_5.bin")
			if err := os.Mkdir(filepath.Join(dir, "data_batch_5.bin"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, []string{"data_batch_5.bin: not a file"}, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			c.write(t, dir)
			test.damage(t, dir)
			_, err := c.read(dir)
			if offset := wantError(t, err, test.want...); offset != test.offset {
				t.Errorf("offset %d, want %d", offset, test.offset)
			}
		})
	}
}

func TestCIFAR100Errors(t *testing.T) {
	c := small(cifar100(), 3)
	for _, test := range []struct {
		name string
		at   int64
		to   byte
		want []string
	}{
		{"superclass", 3074, 20, []string{"train.bin: at byte 3074: label 20, expected 0 to 19", "CIFAR-100"}},
		{"class", 2*3074 + 1, 100, []string{"train.bin: at byte 6149: label 100, expected 0 to 99"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			c.write(t, dir)
			poke(t, dir, "train.bin", test.at, test.to)
			_, err := c.read(dir)
			wantError(t, err, test.want...)
		})
	}
	dir := t.TempDir()
	c.write(t, dir)
	truncate(t, dir, "test.bin", 3074)
	_, err := c.read(dir)
	wantError(t, err, "test.bin: at byte 3074: 3074 bytes, expected 9222 (3 records of 3074): cut short after 1 records")
}

func TestCIFARClasses(t *testing.T) {
	for want, c := range map[int]cifar{10: cifar10(), 100: cifar100()} {
		if len(c.classes) != want || c.labels[len(c.labels)-1] != want || !slices.IsSorted(c.classes) ||
			len(slices.Compact(slices.Clone(c.classes))) != want {
			t.Errorf("%s has the classes %q", c.name, c.classes)
		}
	}
}

// wantError checks that err is an *Error of one line with the given parts, and returns its offset.
func wantError(t *testing.T, err error, parts ...string) int64 {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want an *Error", err)
	}
	text := err.Error()
	if !strings.HasPrefix(text, "datasets: ") || strings.Contains(text, "\n") {
		t.Errorf("error %q, want one line that begins with the package", text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("error %q says nothing of %q", text, part)
		}
	}
	return e.Offset
}

func TestMissingIsNotExist(t *testing.T) {
	if _, err := CIFAR10(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
}

func FuzzCIFAR(f *testing.F) {
	for _, c := range []cifar{cifar10(), cifar100()} {
		var whole []byte
		for k := range 2 {
			labels := make([]byte, len(c.labels))
			labels[len(labels)-1] = byte(c.labels[len(labels)-1] - 1 - k)
			whole = append(whole, record(c, labels, func(y, x, ch int) byte { return byte(x*k + y) })...)
		}
		f.Add(len(c.classes) == 100, whole)
		f.Add(len(c.classes) == 100, whole[:c.record()])
		f.Add(len(c.classes) == 100, []byte{})
	}
	f.Fuzz(func(t *testing.T, hundred bool, content []byte) {
		c := cifar10()
		if hundred {
			c = cifar100()
		}
		var p Part
		if err := c.decode(&p, "file", content, 2); err != nil {
			wantError(t, err)
			return
		}
		if p.Len() != 2 || len(p.Pixels) != 2*3072 {
			t.Fatalf("%d images with %d bytes", p.Len(), len(p.Pixels))
		}
		for _, l := range p.Labels {
			if l < 0 || int(l) >= len(c.classes) {
				t.Fatalf("label %d was accepted", l)
			}
		}
	})
}

func put(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func truncate(t *testing.T, dir, name string, size int64) {
	t.Helper()
	if err := os.Truncate(filepath.Join(dir, name), size); err != nil {
		t.Fatal(err)
	}
}

func poke(t *testing.T, dir, name string, at int64, b byte) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{b}, at); err != nil {
		t.Fatal(err)
	}
}
