package datasets

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// file is an entry of an archive.
type file struct {
	name    string
	content []byte
	kind    byte // 0 for a plain file
	link    string
}

// archive is a tar.gz of the files.
func archive(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Typeflag: f.kind, Linkname: f.link, Size: int64(len(f.content)), Mode: 0o600}
		if f.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestUnpack(t *testing.T) {
	content := archive(t, file{name: "set/", kind: tar.TypeDir}, file{name: "set/a.bin", content: []byte("a")},
		file{name: "./set/deep/er/b.bin", content: []byte("bb")}, file{name: "set/empty"})
	dir := t.TempDir()
	if err := unpackFrom(t.Context(), "x.tar.gz", bytes.NewReader(content), "set", dir, 1<<16); err != nil {
		t.Fatal(err)
	}
	wantEntries(t, dir, "a.bin", "deep", "empty")
	for name, want := range map[string]string{"a.bin": "a", "deep/er/b.bin": "bb", "empty": ""} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	good := file{name: "set/a", content: bytes.Repeat([]byte("0123456789"), 1000)}
	whole := archive(t, good)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 1 // of the checksum
	var many []file
	for range maxEntries + 1 {
		many = append(many, file{name: "set/", kind: tar.TypeDir})
	}
	for _, test := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"a way up", archive(t, file{name: "set/../../evil"}), "leads out"},
		{"a way up at the start", archive(t, file{name: "../evil"}), "leads out"},
		{"a path from the root", archive(t, file{name: "/tmp/evil"}), "leads out"},
		{"a backslash", archive(t, file{name: `set/..\..\evil`}), "leads out"},
		{"a link", archive(t, file{name: "set/a", kind: tar.TypeSymlink, link: "/etc"}, file{name: "set/a/evil"}), "link or a device"},
		{"a hard link", archive(t, file{name: "set/a", kind: tar.TypeLink, link: "/etc/passwd"}), "link or a device"},
		{"a device", archive(t, file{name: "set/a", kind: tar.TypeChar}), "link or a device"},
		{"another directory", archive(t, file{name: "other/a"}), "outside set/"},
		{"no directory", archive(t, file{name: "a"}), "outside set/"},
		{"twice", archive(t, good, good), "entry 1, \"set/a\", is where another was"},
		{"a file for a directory", archive(t, good, file{name: "set/a/b"}), "entry 1, \"set/a/b\", is where another was"},
		{"too large", archive(t, good, file{name: "set/b", content: make([]byte, 100000)}), "more than 65536 bytes"},
		{"many entries", archive(t, many...), "more than 65536 bytes"},
		{"empty", nil, "not a gzip file"},
		{"no gzip", []byte("<html>please log in</html>"), "not a gzip file"},
		{"cut short", whole[:len(whole)/2], "unexpected EOF"},
		{"cut before the checksum", whole[:len(whole)-8], "unexpected EOF"},
		{"damaged", flipped, "checksum"},
	} {
		t.Run(test.name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "in")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			err := unpackFrom(t.Context(), "x.tar.gz", bytes.NewReader(test.content), "set", dir, 1<<16)
			wantError(t, err, "x.tar.gz", test.want)
			wantEntries(t, parent, "in")
		})
	}
	t.Run("entries", func(t *testing.T) {
		err := unpackFrom(t.Context(), "x.tar.gz", bytes.NewReader(archive(t, many...)), "set", t.TempDir(), 1<<20)
		wantError(t, err, "more than 1024 entries")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := unpackFrom(ctx, "x.tar.gz", bytes.NewReader(whole), "set", t.TempDir(), 1<<16)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
	})
	t.Run("missing", func(t *testing.T) {
		err := unpack(t.Context(), filepath.Join(t.TempDir(), "x.tar.gz"), "set", t.TempDir(), 1)
		if wantError(t, err, "missing"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v, want fs.ErrNotExist", err)
		}
	})
}

// Whatever an archive holds, nothing is written beside the directory, and no more than the limit in it.
func FuzzUnpack(f *testing.F) {
	f.Add(archive(f, file{name: "set/a", content: []byte("a")}, file{name: "set/b/c", content: []byte("c")}))
	f.Add(archive(f, file{name: "set/../../evil", content: []byte("a")}))
	f.Add(archive(f, file{name: "set/l", kind: tar.TypeSymlink, link: ".."}, file{name: "set/l/evil"}))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, content []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unpackFrom(t.Context(), "x", bytes.NewReader(content), "set", dir, 1<<14); err != nil {
			wantError(t, err)
		}
		wantEntries(t, parent, "in")
		var size int64
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil && !info.Mode().IsRegular() {
				t.Errorf("%s is %v", path, info.Mode())
			}
			size += info.Size()
			return err
		})
		if err != nil || size > 1<<14 {
			t.Errorf("%d bytes were unpacked, %v", size, err)
		}
	})
}
