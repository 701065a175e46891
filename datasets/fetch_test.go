package datasets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"espalier/internal/rng"
)

// server serves one file in ways that true servers have, and notes what it was asked.
type server struct {
	content []byte
	etag    string
	ranges  bool // answers requests for a part of the file
	cut     int  // ends the connection after so many bytes of a body, if not 0
	length  bool // tells the length of what it sends
	status  int  // answers this instead, if not 0
	answer  func(w http.ResponseWriter, r *http.Request)

	asked []string // the range of each request
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Header.Get("Range"))
	if s.answer != nil {
		s.answer(w, r)
		return
	}
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	if s.etag != "" {
		w.Header().Set("ETag", s.etag)
	}
	body := s.content
	if s.ranges {
		if s.cut == 0 {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.content))
			return
		}
		if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && r.Header.Get("If-Range") == s.etag {
			at, _ := strconv.Atoi(strings.TrimSuffix(from, "-"))
			body = body[at:]
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(s.content)-1, len(s.content)))
			w.WriteHeader(http.StatusPartialContent)
		}
	}
	if s.length {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	if s.cut > 0 && s.cut < len(body) {
		w.Write(body[:s.cut])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}

func serve(t *testing.T, s *server) string {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return h.URL
}

// soup is n random bytes.
func soup(n int) []byte {
	r, b := rng.New(4, "soup"), make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func TestTransfer(t *testing.T) {
	content := soup(1<<20 + 77)
	tag := `"one"`
	for _, test := range []struct {
		name    string
		server  server
		part    int    // bytes that are there before
		version string // and of which version; "" for no note
		asked   []string
	}{
		{name: "new", server: server{etag: tag, ranges: true}, asked: []string{""}},
		{name: "resumed", server: server{etag: tag, ranges: true}, part: 1000, version: tag, asked: []string{"bytes=1000-"}},
		{name: "all but one byte", server: server{etag: tag, ranges: true}, part: 1<<20 + 76, version: tag,
			asked: []string{"bytes=1048652-"}},
		{name: "nothing missing", server: server{etag: tag, ranges: true}, part: 1<<20 + 77, version: tag,
			asked: []string{"bytes=1048653-"}},
		{name: "server without ranges", server: server{etag: tag, length: true}, part: 1000, version: tag, asked: []string{"bytes=1000-"}},
		{name: "no length", server: server{etag: tag}, part: 1000, version: tag, asked: []string{"bytes=1000-"}},
		{name: "changed", server: server{etag: tag, ranges: true}, part: 1000, version: `"zero"`, asked: []string{"bytes=1000-"}},
		{name: "unknown version", server: server{etag: tag, ranges: true}, part: 1000, asked: []string{""}},
		{name: "server without versions", server: server{length: true}, asked: []string{""}},
		{name: "weak version", server: server{etag: `W/"one"`, length: true}, asked: []string{""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.server.content = content
			part := filepath.Join(t.TempDir(), "file.part")
			if test.part > 0 {
				begun := slices.Clone(content[:test.part])
				if test.version != tag {
					clear(begun) // of other content, which has to go
				}
				put(t, filepath.Dir(part), "file.part", begun)
			}
			if test.version != "" {
				put(t, filepath.Dir(part), "file.part.version", []byte(test.version+"\n"))
			}
			var done, total int64
			x := transfer{address: serve(t, &test.server), part: part, limit: 1 << 21, client: http.DefaultClient,
				progress: func(d, n int64) {
					if d < done && done != int64(test.part) || d < 0 || n >= 0 && d > n {
						t.Errorf("progress of %d bytes of %d after %d", d, n, done)
					}
					done, total = d, n
				}}
			if err := x.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(part); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes arrived, %v; want the %d that were served", len(got), err, len(content))
			}
			if !slices.Equal(test.server.asked, test.asked) {
				t.Errorf("asked for %q, want %q", test.server.asked, test.asked)
			}
			if test.name != "nothing missing" && done != int64(len(content)) {
				t.Errorf("the last progress was %d bytes of %d", done, total)
			}
		})
	}
}

// A file comes over a connection that ends again and again.
func TestTransferResumesUntilWhole(t *testing.T) {
	for _, length := range []bool{true, false} {
		s := &server{content: soup(1 << 20), etag: `"v"`, ranges: true, cut: 300000, length: length}
		part := filepath.Join(t.TempDir(), "file.part")
		x := transfer{address: serve(t, s), part: part, limit: 1 << 20, client: http.DefaultClient}
		attempts := 0
		for {
			attempts++
			err := x.run(t.Context())
			if err == nil {
				break
			}
			wantError(t, err, "the connection ended after", "goes on from where")
			if attempts > 10 {
				t.Fatal("no end")
			}
		}
		if got, _ := os.ReadFile(part); !bytes.Equal(got, s.content) {
			t.Error("what arrived is not what was served")
		}
		if attempts < 3 || s.asked[1] == "" {
			t.Errorf("%d attempts, asked for %q", attempts, s.asked)
		}
	}
}

func TestTransferErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		server server
		limit  int64
		part   int
		want   []string
		keep   int64 // bytes that are kept
	}{
		{name: "status", server: server{status: http.StatusNotFound}, want: []string{`"404 Not Found"`, "mirror"}},
		{name: "status keeps the part", server: server{status: http.StatusBadGateway}, part: 50, want: []string{`"502 Bad Gateway"`}, keep: 50},
		{name: "too long", server: server{length: true}, limit: 99, want: []string{"100 bytes, expected at most 99"}},
		{name: "too long without a length", server: server{answer: func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				w.Write(make([]byte, 1000))
			}
		}}, limit: 200000, want: []string{"more than 200000 bytes"}},
		{name: "a part that nobody asked for", server: server{answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-9/100")
			w.WriteHeader(http.StatusPartialContent)
		}}, want: []string{"asked for as a whole"}},
		{name: "a wrong part twice", server: server{answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 7-9/100")
			w.WriteHeader(http.StatusPartialContent)
		}}, part: 50, want: []string{"asked for as a whole"}},
		{name: "no range at all", server: server{status: http.StatusRequestedRangeNotSatisfiable}, part: 50, want: []string{`"416`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.server.content = soup(100)
			dir := t.TempDir()
			if test.part > 0 {
				put(t, dir, "file.part", test.server.content[:test.part])
				put(t, dir, "file.part.version", []byte(`"v"`))
			}
			x := transfer{address: serve(t, &test.server), part: filepath.Join(dir, "file.part"), limit: 100, client: http.DefaultClient}
			if test.limit > 0 {
				x.limit = test.limit
			}
			wantError(t, x.run(t.Context()), append(test.want, x.address)...)
			var size int64
			if info, err := os.Stat(x.part); err == nil {
				size = info.Size()
			}
			if size != test.keep {
				t.Errorf("%d bytes are kept, want %d", size, test.keep)
			}
		})
	}
	t.Run("no server", func(t *testing.T) {
		h := httptest.NewServer(nil)
		h.Close()
		x := transfer{address: h.URL, part: filepath.Join(t.TempDir(), "p"), limit: 9, client: http.DefaultClient}
		wantError(t, x.run(t.Context()), "cannot be reached", "mirror")
	})
	t.Run("no address", func(t *testing.T) {
		x := transfer{address: "http://a b/", part: filepath.Join(t.TempDir(), "p"), limit: 9, client: http.DefaultClient}
		wantError(t, x.run(t.Context()), "not an address")
	})
}

func TestContentRange(t *testing.T) {
	for s, want := range map[string][3]int64{
		"bytes 5-99/100":  {5, 100, 1},
		"bytes 0-0/1":     {0, 1, 1},
		"bytes 5-99/*":    {5, -1, 1},
		"":                {},
		"bytes */100":     {},
		"bytes 5-100/100": {},
		"bytes 9-5/100":   {},
		"bytes -1-5/100":  {},
		"bytes 5-99":      {},
		"5-99/100":        {},
		"bytes 5-99/1e9":  {},
		"bytes 5-9999999999999999999/9999999999999999999": {},
	} {
		start, total, ok := contentRange(s)
		if ok != (want[2] == 1) || ok && (start != want[0] || total != want[1]) {
			t.Errorf("%q: from %d of %d, %v; want %v", s, start, total, ok, want)
		}
	}
}

// tiny is a set of few records to fetch from a server of the test, and the archive that it serves.
func tiny(t *testing.T) (Known, []byte) {
	t.Helper()
	c := small(cifar10(), 2)
	dir := t.TempDir()
	c.write(t, filepath.Join(dir, c.dir))
	var files []file
	for _, name := range slices.Concat(c.train, c.test) {
		content, err := os.ReadFile(filepath.Join(dir, c.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file{name: c.dir + "/" + name, content: content})
	}
	content := archive(t, append(files, file{name: c.dir + "/readme.html", content: []byte("hello")})...)
	return Known{
		Name: c.name, files: slices.Concat(c.train, c.test), read: c.read,
		fetched: &fetched{dir: c.dir, limit: 1 << 20, base: "http://unused.invalid/",
			files: []remote{{name: "tiny.tar.gz", sha256: sum(content), archive: true}}},
	}, content
}

func TestFetch(t *testing.T) {
	k, content := tiny(t)
	s := &server{content: content, etag: `"v"`, ranges: true}
	dir := filepath.Join(t.TempDir(), "new", "data")
	o := FetchOptions{Mirror: serve(t, s) + "/some/where/"}
	var last int64
	o.Progress = func(file string, done, total int64) {
		if file != "tiny.tar.gz" || total != int64(len(content)) {
			t.Errorf("progress of %s, %d bytes in all", file, total)
		}
		last = done
	}
	got, err := k.fetch(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, k.fetched.dir); got != want || last != int64(len(content)) {
		t.Errorf("fetched into %s with %d bytes, want %s with %d", got, last, want, len(content))
	}
	set, err := k.read(got)
	if err != nil || set.Train.Len() != 10 {
		t.Fatalf("the fetched set has %d images, %v", set.Train.Len(), err)
	}
	wantEntries(t, dir, k.fetched.dir)
	// A set that is there is left alone.
	if _, err := k.fetch(t.Context(), dir, o); err != nil || len(s.asked) != 1 {
		t.Errorf("fetched again: %v, %d requests", err, len(s.asked))
	}
}

// Files that users have are used, or refused, but not replaced.
func TestFetchKeepsUsersFiles(t *testing.T) {
	k, content := tiny(t)
	s := &server{content: content, etag: `"v"`}
	o := FetchOptions{Mirror: serve(t, s)}

	dir := t.TempDir()
	put(t, dir, "tiny.tar.gz", content)
	if _, err := k.fetch(t.Context(), dir, o); err != nil || len(s.asked) != 0 {
		t.Errorf("an archive that was there: %v, %d requests", err, len(s.asked))
	}
	wantEntries(t, dir, k.fetched.dir, "tiny.tar.gz")

	dir = t.TempDir()
	put(t, dir, "tiny.tar.gz", content[:100])
	_, err := k.fetch(t.Context(), dir, o)
	wantError(t, err, "tiny.tar.gz", "SHA-256", sum(content), "it was there before")
	wantEntries(t, dir, "tiny.tar.gz")

	dir = t.TempDir()
	put(t, dir, k.fetched.dir+"/data_batch_1.bin", []byte("mine"))
	_, err = k.fetch(t.Context(), dir, o)
	wantError(t, err, k.fetched.dir, "is there but is not the whole set", "remove it")
	wantEntries(t, dir, k.fetched.dir)
	if len(s.asked) != 0 {
		t.Errorf("%d requests in vain", len(s.asked))
	}
}

func TestFetchErrors(t *testing.T) {
	k, content := tiny(t)
	damaged := slices.Clone(content)
	damaged[len(damaged)/2] ^= 1
	other := func(content []byte, checked bool) Known {
		k, f := k, *k.fetched
		f.files = []remote{{name: "tiny.tar.gz", sha256: sum(content), archive: true, checked: checked}}
		k.fetched = &f
		return k
	}
	foreign := archive(t, file{name: k.fetched.dir + "/data_batch_1.bin", content: []byte("short")})
	for _, test := range []struct {
		name  string
		k     Known
		serve []byte
		want  []string
		left  []string
	}{
		{"wrong hash", k, damaged, []string{"SHA-256 " + sum(damaged), "expected " + sum(content), unchecked, "was removed"}, nil},
		{"damaged archive", other(damaged, false), damaged, []string{"tiny.tar.gz"}, []string{"tiny.tar.gz"}},
		{"not the whole set", other(foreign, false), foreign, []string{"data_batch_1.bin", "5 bytes"}, []string{"tiny.tar.gz"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			o := FetchOptions{Mirror: serve(t, &server{content: test.serve, etag: `"v"`})}
			_, err := test.k.fetch(t.Context(), dir, o)
			wantError(t, err, test.want...)
			wantEntries(t, dir, test.left...)
		})
	}
	t.Run("a checked hash", func(t *testing.T) {
		o := FetchOptions{Mirror: serve(t, &server{content: content})}
		_, err := other(damaged, true).fetch(t.Context(), t.TempDir(), o)
		wantError(t, err, "SHA-256")
		if strings.Contains(err.Error(), unchecked) {
			t.Error("a hash that was checked is called unchecked")
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		dir := t.TempDir()
		o := FetchOptions{
			Mirror: serve(t, &server{answer: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"v"`)
				w.Write(content[:9])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}}),
			Progress: func(_ string, done, _ int64) {
				if done == 9 {
					cancel()
				}
			},
		}
		_, err := k.fetch(ctx, dir, o)
		if wantError(t, err, "stopped", "goes on from where"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
		wantEntries(t, dir, "tiny.tar.gz.part", "tiny.tar.gz.part.version")
	})
	t.Run("not to be fetched", func(t *testing.T) {
		for name, want := range map[string]string{"synthetic": "made by code", "folder": "your own", "mnist": "known are cifar10"} {
			if _, err := Fetch(t.Context(), name, t.TempDir(), FetchOptions{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", name, err, want)
			}
		}
	})
	t.Run("a file for a directory", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "file", nil)
		_, err := k.fetch(t.Context(), filepath.Join(dir, "file"), FetchOptions{})
		wantError(t, err, "cannot be made")
	})
}

// An interrupted download is taken up by the next call.
func TestFetchResumes(t *testing.T) {
	k, content := tiny(t)
	s := &server{content: content, etag: `"v"`, ranges: true, cut: len(content) * 2 / 3, length: true}
	dir, o := t.TempDir(), FetchOptions{Mirror: serve(t, s)}
	_, err := k.fetch(t.Context(), dir, o)
	wantError(t, err, "the connection ended after", "goes on from where")
	wantEntries(t, dir, "tiny.tar.gz.part", "tiny.tar.gz.part.version")
	if _, err := k.fetch(t.Context(), dir, o); err != nil {
		t.Fatal(err)
	}
	if len(s.asked) != 2 || s.asked[1] != fmt.Sprintf("bytes=%d-", s.cut) {
		t.Errorf("asked for %q", s.asked)
	}
	wantEntries(t, dir, k.fetched.dir)
}

// wantEntries checks which entries a directory has.
func wantEntries(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}
