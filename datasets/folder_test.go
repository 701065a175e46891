package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// picture is a PNG or JPEG of the colours f(row, column).
func picture(t testing.TB, format string, h, w int, f func(y, x int) color.Color) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, f(y, x))
		}
	}
	var b bytes.Buffer
	var err error
	if format == "png" {
		err = png.Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func plain(r, g, b uint8) func(y, x int) color.Color {
	return func(int, int) color.Color { return color.NRGBA{r, g, b, 255} }
}

// folder writes an image folder of two classes with a few images.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for k, name := range []string{"train/cat/b.png", "train/cat/a.PNG", "train/dog/deep/x.png", "train/dog/.hidden.png",
		"train/dog/notes.txt", "test/cat/1.png", "test/dog/1.png"} {
		put(t, dir, name, picture(t, "png", 8, 8, plain(uint8(10*k), 100, 200)))
	}
	put(t, dir, "train/.cache/x.png", nil)
	put(t, dir, "train/readme.txt", nil)
	return dir
}

func TestFolder(t *testing.T) {
	dir := folder(t)
	for _, test := range []string{"test", "val"} {
		set, err := Folder(dir, FolderOptions{Size: 8})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(set.Classes, []string{"cat", "dog"}) || set.Shape() != (Shape{8, 8, 3}) {
			t.Errorf("classes %q of %v", set.Classes, set.Shape())
		}
		if !slices.Equal(set.Train.Labels, []int32{0, 0, 1}) || !slices.Equal(set.Test.Labels, []int32{0, 1}) {
			t.Errorf("labels %v and %v", set.Train.Labels, set.Test.Labels)
		}
		var reds []uint8
		for _, p := range []Part{set.Train, set.Test} {
			for i := range p.Len() {
				reds = append(reds, p.Image(i)[0])
				for k := 0; k < 8*8*3; k += 3 {
					if got := p.Image(i)[k : k+3]; got[0] != reds[len(reds)-1] || got[1] != 100 || got[2] != 200 {
						t.Fatalf("%s: image %d has the pixel %v", test, i, got)
					}
				}
			}
		}
		if want := []uint8{10, 0, 20, 50, 60}; !slices.Equal(reds, want) {
			t.Errorf("the images are %v, want %v", reds, want)
		}
		if r := Check(set); r.Err() != nil {
			t.Error(r.Err())
		}
		if test == "test" { // the other name serves as well
			if err := os.Rename(filepath.Join(dir, "test"), filepath.Join(dir, "val")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFolderErrors(t *testing.T) {
	whole := picture(t, "png", 8, 8, plain(1, 2, 3))
	huge := bytes.Clone(whole)
	copy(huge[16:], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // 65536x65536 in the header, whose checksum then is wrong
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   []string
	}{
		{"no train", func(t *testing.T, dir string) { removeAll(t, dir, "train") }, []string{"train: missing", "train/<class>"}},
		{"no test", func(t *testing.T, dir string) { removeAll(t, dir, "test") }, []string{"neither test/ nor val/"}},
		{"no classes", func(t *testing.T, dir string) { removeAll(t, dir, "train/cat", "train/dog") }, []string{"train: no classes"}},
		{"no classes to test on", func(t *testing.T, dir string) { removeAll(t, dir, "test/cat", "test/dog") }, []string{"test: no classes"}},
		{"a class more to test on", func(t *testing.T, dir string) { put(t, dir, "test/cow/1.png", whole) },
			[]string{"test/cow: a class that train/ does not have"}},
		{"a class less to test on", func(t *testing.T, dir string) { removeAll(t, dir, "test/cat") },
			[]string{"test/cat: a class without images"}},
		{"empty class", func(t *testing.T, dir string) { removeAll(t, dir, "train/cat/a.PNG", "train/cat/b.png") },
			[]string{"train/cat: a class without images", "put images there"}},
		{"empty file", func(t *testing.T, dir string) { put(t, dir, "train/cat/b.png", nil) }, []string{"train/cat/b.png"}},
		{"no image", func(t *testing.T, dir string) { put(t, dir, "train/cat/b.png", []byte("hello")) },
			[]string{"train/cat/b.png: cannot be decoded as PNG or JPEG", "replace or remove"}},
		{"cut short", func(t *testing.T, dir string) { put(t, dir, "train/cat/b.png", whole[:len(whole)-20]) },
			[]string{"train/cat/b.png", "unexpected EOF"}},
		{"cut short in the header", func(t *testing.T, dir string) { put(t, dir, "train/cat/b.png", whole[:20]) },
			[]string{"train/cat/b.png: at byte 20: cut short"}},
		{"damaged", func(t *testing.T, dir string) { put(t, dir, "test/dog/1.png", huge) }, []string{"test/dog/1.png", "checksum"}},
		{"another format", func(t *testing.T, dir string) { put(t, dir, "train/dog/x.webp", nil) },
			[]string{"train/dog/x.webp: an image that is neither PNG nor JPEG", "convert"}},
		{"a link to nothing", func(t *testing.T, dir string) {
			if err := os.Symlink("nowhere", filepath.Join(dir, "train", "cat", "c.png")); err != nil {
				t.Skip(err)
			}
		}, []string{"c.png: missing"}},
		{"the first of two", func(t *testing.T, dir string) {
			put(t, dir, "train/dog/a.png", nil)
			put(t, dir, "train/cat/b.png", nil)
		}, []string{"train/cat/b.png"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := folder(t)
			test.damage(t, dir)
			_, err := Folder(dir, FolderOptions{Size: 8})
			for i, want := range test.want {
				test.want[i] = filepath.FromSlash(want)
			}
			wantError(t, err, test.want...)
		})
	}
	if _, err := Folder(filepath.Join(t.TempDir(), "nowhere"), FolderOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
	for _, o := range []FolderOptions{{Size: -1}, {Size: 1025}, {Channels: 2}, {Channels: -3}} {
		if _, err := Folder(folder(t), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func removeAll(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
}

// A class may be a link to a directory elsewhere.
func TestFolderFollowsLinks(t *testing.T) {
	dir, other := folder(t), t.TempDir()
	put(t, other, "1.png", picture(t, "png", 8, 8, plain(9, 9, 9)))
	for _, part := range []string{"train", "test"} {
		if err := os.Symlink(other, filepath.Join(dir, part, "bird")); err != nil {
			t.Skip(err)
		}
	}
	set, err := Folder(dir, FolderOptions{Size: 8})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(set.Classes, []string{"bird", "cat", "dog"}) || set.Train.Image(0)[0] != 9 {
		t.Errorf("classes %q, first pixel %d", set.Classes, set.Train.Image(0)[0])
	}
}

func TestDecodeImage(t *testing.T) {
	decode := func(content []byte, s Shape) []uint8 {
		t.Helper()
		out := make([]uint8, s.Len())
		if err := decodeBytes(content, out, s); err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Run("as it is", func(t *testing.T) {
		f := func(y, x int) color.Color { return color.NRGBA{uint8(20 * y), uint8(20 * x), uint8(y * x), 255} }
		out := decode(picture(t, "png", 9, 9, f), Shape{9, 9, 3})
		for y := range 9 {
			for x := range 9 {
				if p := out[(y*9+x)*3:]; int(p[0]) != 20*y || int(p[1]) != 20*x || int(p[2]) != y*x {
					t.Fatalf("pixel (%d,%d) is %v", y, x, p[:3])
				}
			}
		}
	})
	t.Run("centre", func(t *testing.T) {
		// The middle square of a wide picture is white, all else is black.
		out := decode(picture(t, "png", 10, 30, func(_, x int) color.Color {
			return color.Gray{Y: map[bool]uint8{true: 255}[x >= 10 && x < 20]}
		}), Shape{5, 5, 1})
		for i, v := range out {
			if v != 255 {
				t.Errorf("pixel %d is %d, want 255", i, v)
			}
		}
	})
	t.Run("shrinking averages", func(t *testing.T) {
		// A checkerboard of single pixels becomes grey, where taking every eighth pixel would give black or white.
		out := decode(picture(t, "png", 64, 64, func(y, x int) color.Color { return color.Gray{Y: uint8(255 * ((x + y) % 2))} }),
			Shape{8, 8, 3})
		for i, v := range out {
			if !(math.Abs(float64(v)-127.5) < 4) {
				t.Errorf("value %d is %d, want about 127", i, v)
			}
		}
	})
	t.Run("growing", func(t *testing.T) {
		out := decode(picture(t, "png", 2, 2, plain(7, 80, 200)), Shape{16, 16, 3})
		for i := 0; i < len(out); i += 3 {
			if out[i] != 7 || out[i+1] != 80 || out[i+2] != 200 {
				t.Fatalf("pixel %v", out[i:i+3])
			}
		}
	})
	t.Run("grey", func(t *testing.T) {
		for _, v := range []uint8{0, 1, 100, 254, 255} {
			if got := decode(picture(t, "png", 3, 3, plain(v, v, v)), Shape{3, 3, 1})[4]; got != v {
				t.Errorf("grey %d became %d", v, got)
			}
		}
		if got := decode(picture(t, "png", 3, 3, plain(0, 255, 0)), Shape{3, 3, 1})[0]; got != 150 {
			t.Errorf("green has the luma %d, want 150", got)
		}
	})
	t.Run("jpeg", func(t *testing.T) {
		out := decode(picture(t, "jpeg", 40, 50, plain(200, 100, 50)), Shape{32, 32, 3})
		for i, want := range []float64{200, 100, 50} {
			if !(math.Abs(float64(out[i])-want) < 4) {
				t.Errorf("channel %d is %d, want about %v", i, out[i], want)
			}
		}
	})
	t.Run("transparent", func(t *testing.T) {
		out := decode(picture(t, "png", 2, 2, func(int, int) color.Color { return color.NRGBA{200, 100, 50, 0} }), Shape{2, 2, 3})
		if !slices.Equal(out, make([]uint8, 12)) {
			t.Errorf("a transparent picture became %v, want black", out)
		}
	})
	t.Run("claims too much", func(t *testing.T) {
		// A grey picture whose header, checksum and all, claims 60,000 x 60,000 pixels.
		err := decodeBytes(claim(60000, 60000), make([]uint8, 3), Shape{1, 1, 3})
		wantError(t, err, "a picture of 60000x60000 pixels, more than the 67108864 that one may have")
		err = decodeBytes(claim(8000, 8000), make([]uint8, 3), Shape{1, 1, 3})
		wantError(t, err, "a picture of 8000x8000 pixels in 33 bytes, which hold 272448 at most")
		err = decodeBytes(claim(0, 8000), make([]uint8, 3), Shape{1, 1, 3})
		wantError(t, err, "p: ")
	})
}

// decodeBytes decodes a picture that is at hand.
func decodeBytes(content, out []uint8, s Shape) error {
	return newDecoder().decode("p", bytes.NewReader(content), int64(len(content)), out, s)
}

// Pictures that are too large to be decoded at a time wait for each other, and all are decoded.
func TestDecoderWaits(t *testing.T) {
	d := newDecoder()
	d.room = 100 // one of 9x9 pixels at a time
	content := picture(t, "png", 9, 9, plain(1, 2, 3))
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 20 {
				out := make([]uint8, 3)
				if err := d.decode("p", bytes.NewReader(content), int64(len(content)), out, Shape{1, 1, 3}); err != nil || out[2] != 3 {
					t.Errorf("%v, %v", out, err)
				}
				d.mutex.Lock()
				if d.room < 0 {
					t.Errorf("%d pixels of room", d.room)
				}
				d.mutex.Unlock()
			}
		})
	}
	workers.Wait()
	if d.room != 100 {
		t.Errorf("%d pixels of room at the end, want 100", d.room)
	}
}

func FuzzImage(f *testing.F) {
	f.Add(picture(f, "png", 5, 7, plain(1, 2, 3)))
	f.Add(picture(f, "jpeg", 9, 4, plain(200, 2, 3)))
	f.Add(claim(20000, 20000))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, s := range []Shape{{4, 4, 3}, {6, 6, 1}} {
			out := make([]uint8, s.Len()+1)
			out[s.Len()] = 77
			if err := decodeBytes(content, out[:s.Len()], s); err != nil {
				wantError(t, err)
			}
			if out[s.Len()] != 77 {
				t.Fatal("the picture was written past its end")
			}
		}
	})
}

// claim is the beginning of a PNG with a sound header of the given size.
func claim(h, w uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 8, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}
