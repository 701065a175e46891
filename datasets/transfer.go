package datasets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"

	"espalier/internal/atomicfile"
)

const remedyResume = "the same command goes on from where this one ended"

// transfer downloads one address to one file, going on with what an earlier attempt left.
type transfer struct {
	address  string
	part     string // the file; beside it part.version holds what the server calls the version that it is part of
	limit    int64  // bytes
	client   *http.Client
	progress func(done, total int64)
}

// errChanged is returned by an attempt whose part cannot be gone on with.
var errChanged = errors.New("the part that is there is of no use")

// run returns once the part is the whole file, as far as the server told its length. On an error the part is kept to be
// gone on with.
func (t transfer) run(ctx context.Context) error {
	err := t.attempt(ctx)
	if errors.Is(err, errChanged) {
		if err := t.discard(); err != nil {
			return err
		}
		err = t.attempt(ctx)
	}
	if err != nil && ctx.Err() != nil {
		return t.fail("stopped", ctx.Err(), remedyResume)
	}
	return err
}

// attempt makes one request. It is errChanged if there was a part and the server answers that it does not fit.
func (t transfer) attempt(ctx context.Context) error {
	have, version, err := t.begun()
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.address, nil)
	if err != nil {
		return t.fail("not an address", err, "give the mirror as https://host/directory")
	}
	request.Header.Set("Accept-Encoding", "identity") // the hash is that of the file as it lies there
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		request.Header.Set("If-Range", version)
	}
	response, err := t.client.Do(request)
	if err != nil {
		return t.fail("cannot be reached", err, "see to the network, or name a mirror")
	}
	defer response.Body.Close()

	total := response.ContentLength
	switch response.StatusCode {
	case http.StatusOK: // from the beginning: the server does not know ranges, or has another version
		have = 0
	case http.StatusPartialContent:
		start, whole, ok := contentRange(response.Header.Get("Content-Range"))
		if have == 0 || !ok || start != have {
			if have > 0 {
				return errChanged
			}
			return t.fail("a part of a file that was asked for as a whole", nil, "name another mirror")
		}
		total = whole
	case http.StatusRequestedRangeNotSatisfiable:
		if response.Header.Get("Content-Range") == fmt.Sprintf("bytes */%d", have) {
			return nil // nothing is missing
		}
		if have > 0 {
			return errChanged
		}
		fallthrough
	default:
		return t.fail(fmt.Sprintf("the server answers %q", response.Status), nil, "try later, or name a mirror")
	}
	if total > t.limit {
		return t.fail(fmt.Sprintf("%d bytes, expected at most %d", total, t.limit), nil, "name another mirror")
	}
	return t.receive(response, have, total)
}

// receive writes the body behind the first have bytes of the part.
func (t transfer) receive(response *http.Response, have, total int64) (err error) {
	f, err := os.OpenFile(t.part, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return &Error{Path: t.part, Offset: -1, Problem: "cannot be written", Err: err}
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = &Error{Path: t.part, Offset: -1, Problem: "cannot be written", Err: closed}
		}
	}()
	if err := f.Truncate(have); err != nil {
		return &Error{Path: t.part, Offset: have, Problem: "cannot be cut", Err: err}
	}
	if _, err := f.Seek(have, io.SeekStart); err != nil {
		return &Error{Path: t.part, Offset: have, Problem: "cannot be gone on with", Err: err}
	}
	if have == 0 {
		if err := t.remember(response.Header); err != nil {
			return err
		}
	}
	done := have
	buffer := make([]byte, 1<<18)
	for {
		t.report(done, total)
		n, err := response.Body.Read(buffer)
		if done+int64(n) > t.limit {
			return t.fail(fmt.Sprintf("more than %d bytes", t.limit), t.discard(), "name another mirror")
		}
		if _, err := f.Write(buffer[:n]); err != nil {
			return &Error{Path: t.part, Offset: done, Problem: "cannot be written", Err: err, Remedy: "make room; " + remedyResume}
		}
		done += int64(n)
		switch {
		case err == nil:
			continue
		case err != io.EOF || total >= 0 && done != total:
			return t.fail(fmt.Sprintf("the connection ended after %d bytes of %s", done, lengthText(total)), err, remedyResume)
		}
		t.report(done, total)
		if err := f.Sync(); err != nil {
			return &Error{Path: t.part, Offset: -1, Problem: "cannot be written", Err: err}
		}
		return nil
	}
}

func (t transfer) report(done, total int64) {
	if t.progress != nil {
		t.progress(done, total)
	}
}

func (t transfer) fail(problem string, err error, remedy string) error {
	return &Error{Path: t.address, Offset: -1, Problem: problem, Err: err, Remedy: remedy}
}

// begun is how much an earlier attempt left and of which version; nothing where the version is not known.
func (t transfer) begun() (size int64, version string, err error) {
	info, err := os.Stat(t.part)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", &Error{Path: t.part, Offset: -1, Problem: "cannot be read", Err: err}
	}
	content, err := os.ReadFile(t.version())
	if version = strings.TrimSpace(string(content)); err != nil || version == "" {
		return 0, "", nil
	}
	return info.Size(), version, nil
}

func (t transfer) version() string { return t.part + ".version" }

// remember notes what the server calls the version that it sends: its strong entity tag or its date (RFC 9110, §13.1.5).
func (t transfer) remember(h http.Header) error {
	version := h.Get("ETag")
	if version == "" || strings.HasPrefix(version, "W/") {
		version = h.Get("Last-Modified")
	}
	if version == "" {
		return t.forget()
	}
	if err := atomicfile.WriteBytes(t.version(), []byte(version+"\n")); err != nil {
		return fmt.Errorf("datasets: %w", err)
	}
	return nil
}

// forget removes the note of the version, and with it what was there to go on with.
func (t transfer) forget() error {
	if err := os.Remove(t.version()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &Error{Path: t.version(), Offset: -1, Problem: "cannot be removed", Err: err}
	}
	return nil
}

// discard removes what was downloaded.
func (t transfer) discard() error {
	if err := os.Remove(t.part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &Error{Path: t.part, Offset: -1, Problem: "cannot be removed", Err: err}
	}
	return t.forget()
}

// contentRange parses "bytes 5-99/100": the first byte, and the length of the whole or −1 for "*".
func contentRange(s string) (start, total int64, ok bool) {
	rest, ok := strings.CutPrefix(s, "bytes ")
	span, whole, ok2 := strings.Cut(rest, "/")
	first, last, ok3 := strings.Cut(span, "-")
	if !ok || !ok2 || !ok3 {
		return 0, 0, false
	}
	start, err := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	if err != nil || err2 != nil || start < 0 || end < start {
		return 0, 0, false
	}
	if whole == "*" {
		return start, -1, true
	}
	total, err = strconv.ParseInt(whole, 10, 64)
	return start, total, err == nil && end < total
}

// lengthText is a length in words.
func lengthText(n int64) string {
	if n < 0 {
		return "an unknown length"
	}
	return strconv.FormatInt(n, 10)
}
