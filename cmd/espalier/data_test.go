package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// clothes writes a set of the form of Fashion-MNIST into dir/fashion-mnist: black images, and the label of each.
func clothes(t *testing.T, dir string, label func(i int) byte) (path string) {
	t.Helper()
	path = filepath.Join(dir, "fashion-mnist")
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	for part, n := range map[string]int{"train": 60000, "t10k": 10000} {
		labels := make([]byte, n)
		for i := range labels {
			labels[i] = label(i)
		}
		writeIDX(t, filepath.Join(path, part+"-images-idx3-ubyte.gz"), make([]byte, n*28*28), n, 28, 28)
		writeIDX(t, filepath.Join(path, part+"-labels-idx1-ubyte.gz"), labels, n)
	}
	return path
}

// writeIDX writes a packed file of bytes in so many dimensions.
func writeIDX(t *testing.T, path string, content []byte, sizes ...int) {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	header := []byte{0, 0, 8, byte(len(sizes))}
	for _, n := range sizes {
		header = binary.BigEndian.AppendUint32(header, uint32(n))
	}
	for _, part := range [][]byte{header, content} {
		if _, err := z.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// inTurn are labels that fill all classes alike.
func inTurn(i int) byte { return byte(i % 10) }

// TestDataCheck reads a whole set, and sets in which something is wrong: one line says what, and where.
func TestDataCheck(t *testing.T) {
	whole := clothes(t, t.TempDir(), inTurn)
	out, stderr, code := espalier(t, "data", "check", "fashion-mnist", "--set", "data.dir="+whole)
	for _, want := range []string{"28x28x1, 10 classes (" + whole + ")", "60000 images, 6000 a class", "10000 images, 1000 a class",
		"sizes, labels and class counts are right"} {
		if code != exitOK || stderr != "" || !strings.Contains(out, want) {
			t.Errorf("code %d, no %q: %s%s", code, want, out, stderr)
		}
	}
	if out, _, code := espalier(t, "data", "check", "fashion-mnist", "--json", "--set", "data.dir="+whole); code != exitOK {
		t.Errorf("code %d: %s", code, out)
	} else if o := objects(t, out); len(o) != 1 || o[0]["problems"] != nil || o[0]["source"] != whole || o[0]["name"] != "fashion-mnist" {
		t.Errorf("the report is %v", o)
	}

	skewed := clothes(t, t.TempDir(), func(i int) byte { return inTurn(max(i, 1)) })
	out, stderr, code = espalier(t, "data", "check", "fashion-mnist", "--set", "data.dir="+skewed)
	if want := "train: class 0 (T-shirt/top) has 5999 images, expected 6000"; code != exitFailed || !strings.Contains(out, "wrong: "+want) ||
		strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want+" (and 3 more)") {
		t.Errorf("code %d: %s%s", code, out, stderr)
	}

	strange := clothes(t, t.TempDir(), func(i int) byte { return byte(i % 11) })
	short := t.TempDir()
	if err := os.CopyFS(short, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	writeIDX(t, filepath.Join(short, "t10k-images-idx3-ubyte.gz"), make([]byte, 9999*28*28), 10000, 28, 28)
	sized, empty := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(sized, "data_batch_1.bin"), make([]byte, 5), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ set, dir, want string }{
		{"fashion-mnist", strange, "train-labels-idx1-ubyte.gz: "},
		{"fashion-mnist", strange, "label 10, expected 0 to 9"},
		{"fashion-mnist", short, "t10k-images-idx3-ubyte.gz: "},
		{"cifar10", sized, "5 bytes, expected 30730000 (10000 records of 3073)"},
		{"cifar10", empty, empty},
		{"folder", empty, empty},
	} {
		out, stderr, code := espalier(t, "data", "check", c.set, "--set", "data.dir="+c.dir)
		if code != exitFailed || out != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s in %s: code %d, %s%s, want %q", c.set, c.dir, code, out, stderr, c.want)
		}
	}
}

// TestDataList says of each set whether it is there, where it was looked for, and its terms.
func TestDataList(t *testing.T) {
	root, cache := t.TempDir(), t.TempDir()
	t.Setenv("ESPALIER_DATA", root)
	t.Setenv("XDG_CACHE_HOME", cache)
	found := filepath.Join(root, "fashion-mnist")
	if err := os.Mkdir(found, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(found, "train-labels-idx1-ubyte"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	out, stderr, code := espalier(t, "data", "list")
	for _, want := range []string{
		"cifar10  (", "cifar100  (", "fashion-mnist  (60,000 + 10,000 pictures", "    found in " + found + "\n", "    terms: MIT licence, Zalando SE\n",
		"    cite: H. Xiao", "folder  (", "    terms: yours\n", "synthetic  (", "    terms: BSD-3-Clause",
	} {
		if code != exitOK || stderr != "" || !strings.Contains(out, want) {
			t.Errorf("code %d, no %q:\n%s%s", code, want, out, stderr)
		}
	}
	if strings.Count(out, "    terms: ") != 5 {
		t.Errorf("a set is without terms:\n%s", out)
	}
	out, _, code = espalier(t, "data", "list", "--json")
	for _, o := range objects(t, out) {
		looked, _ := o["looked"].([]any)
		switch o["name"] {
		case "fashion-mnist":
			if o["found"] != found || o["fetchable"] != true {
				t.Errorf("%v", o)
			}
		case "folder", "synthetic":
			if o["found"] != "" || len(looked) > 0 || o["fetchable"] != false {
				t.Errorf("%v", o)
			}
		default:
			if o["found"] == "" && (len(looked) < 3 || !slices.ContainsFunc(looked, func(v any) bool { return strings.HasPrefix(v.(string), root) })) {
				t.Errorf("%v", o)
			}
		}
		if o["terms"] == "" || code != exitOK {
			t.Errorf("code %d, %v", code, o)
		}
	}
}

// TestDataFetch downloads from a mirror by parts, refuses what has another hash, and leaves alone what is there.
func TestDataFetch(t *testing.T) {
	content := bytes.Repeat([]byte("no archive "), 100000)
	var asked []string
	broken := true // the connection ends in the middle
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Range"))
		w.Header().Set("ETag", `"v"`)
		if broken {
			w.Header().Set("Content-Length", "1100000")
			w.Write(content[:600000])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}))
	defer server.Close()
	dir := t.TempDir()
	args := []string{"data", "fetch", "cifar10", "--dir", dir, "--mirror", server.URL + "/mirror/", "--quiet"}
	fails := func(want ...string) {
		t.Helper()
		out, stderr, code := espalier(t, args...)
		for _, w := range want {
			if code != exitFailed || out != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, w) {
				t.Errorf("code %d, want %q: %s%s", code, w, out, stderr)
			}
		}
	}
	fails("the connection ended after 600000 bytes of 1100000", "the same command goes on from where this one ended", server.URL)
	broken = false
	fails("SHA-256", "expected c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", "never checked against a download")
	if want := []string{"/mirror/cifar-10-binary.tar.gz ", "/mirror/cifar-10-binary.tar.gz bytes=600000-"}; !slices.Equal(asked, want) {
		t.Errorf("the mirror was asked for %q, want %q", asked, want)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}

	asked, dir = nil, t.TempDir()
	whole := clothes(t, dir, inTurn)
	t.Setenv("ESPALIER_DATA", dir)
	out, stderr, code := espalier(t, "data", "fetch", "fashion-mnist", "--mirror", server.URL, "--json")
	if code != exitOK || len(asked) > 0 {
		t.Fatalf("what is there is fetched: code %d, %s", code, stderr)
	}
	if o := objects(t, out); len(o) != 1 || o[0]["name"] != "fashion-mnist" || o[0]["dir"] != whole {
		t.Errorf("the answer is %v", o)
	}
	refused(t, exitFailed, "made by code", []string{"data", "fetch", "synthetic"})
}
