package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// FetchOptions says how a set is downloaded. The zero value downloads from the official address.
type FetchOptions struct {
	// Mirror is the address of a directory that has the files instead of the official one, such as
	// "https://example.org/data"; "" means the official one. What it serves has to have the same SHA-256.
	Mirror string
	// Client makes the requests; nil means one without a time limit of its own. Fetch ends when its context does.
	Client *http.Client
	// Progress, if not nil, is called while a file is downloaded with the bytes that are there, those of an earlier
	// attempt among them, and with the file's size, or −1 where the server does not tell it.
	Progress func(file string, done, total int64)
}

// Fetch downloads the named set into a directory of its usual name below dir and returns that directory: CIFAR-10 into
// dir/cifar-10-batches-bin. A set that is there and whole is left alone, and so is an archive that lies in dir already: it
// is checked and used. A file of another content in the place of one of the set's is an *Error; Fetch replaces nothing.
//
// A file that was downloaded in part is gone on with where the server can do that and still has the same file, and is
// otherwise begun again. It takes its name when its SHA-256 is right; if it is wrong, the file is removed. Archives are unpacked
// under a temporary name, read once as a whole, and renamed.
func Fetch(ctx context.Context, name, dir string, o FetchOptions) (string, error) {
	k, err := Lookup(name)
	if err != nil {
		return "", err
	}
	if !k.Fetchable() {
		return "", fmt.Errorf("datasets: %s cannot be downloaded: %s", k.Name, k.About)
	}
	return k.fetch(ctx, dir, o)
}

func (k Known) fetch(ctx context.Context, dir string, o FetchOptions) (string, error) {
	target := filepath.Join(dir, k.fetched.dir)
	if k.in(target) {
		if _, err := k.read(target); err == nil {
			return target, nil
		}
	}
	archived := k.fetched.files[0].archive
	if _, err := os.Stat(target); archived && err == nil {
		_, err := k.read(target)
		return "", &Error{Path: target, Offset: -1, Problem: "is there but is not the whole set", Err: err,
			Remedy: "remove it, or fetch into another directory"}
	}
	keep := target
	if archived {
		keep = dir
	}
	if err := os.MkdirAll(keep, 0o755); err != nil {
		return "", &Error{Path: keep, Offset: -1, Problem: "cannot be made", Err: err, Remedy: "fetch into another directory"}
	}
	for _, f := range k.fetched.files {
		path := filepath.Join(keep, f.name)
		ours, err := f.obtain(ctx, path, k.fetched, o)
		if err != nil {
			return "", err
		}
		if !f.archive {
			continue
		}
		if err := k.unpackInto(ctx, target, path); err != nil {
			return "", err
		}
		if ours {
			if err := os.Remove(path); err != nil {
				return "", &Error{Path: path, Offset: -1, Problem: "cannot be removed after unpacking", Err: err}
			}
		}
	}
	if !archived {
		if _, err := k.read(target); err != nil {
			return "", err
		}
	}
	return target, nil
}

// obtain sees to it that the file is at path with the right SHA-256, and says whether it was downloaded.
func (f remote) obtain(ctx context.Context, path string, from *fetched, o FetchOptions) (ours bool, err error) {
	if _, err := os.Stat(path); err == nil {
		sum, err := hashFile(ctx, path)
		if err != nil {
			return false, missing(path, err, "see to its permissions")
		}
		if sum != f.sha256 {
			return false, f.mismatch(path, sum, "it was there before: remove it, or fetch into another directory")
		}
		return false, nil
	}
	address := from.base + f.name
	if o.Mirror != "" {
		address = strings.TrimSuffix(o.Mirror, "/") + "/" + f.name
	}
	t := transfer{address: address, part: path + ".part", limit: from.limit, client: o.Client}
	if t.client == nil {
		t.client = new(http.Client)
	}
	if o.Progress != nil {
		t.progress = func(done, total int64) { o.Progress(f.name, done, total) }
	}
	if err := t.run(ctx); err != nil {
		return false, err
	}
	sum, err := hashFile(ctx, t.part)
	if err != nil {
		return false, missing(t.part, err, remedyResume)
	}
	if sum != f.sha256 {
		err := f.mismatch(address, sum, "the download was removed: try again, or another mirror")
		return false, errors.Join(err, t.discard())
	}
	if err := os.Rename(t.part, path); err != nil {
		return false, &Error{Path: t.part, Offset: -1, Problem: "cannot be renamed", Err: err}
	}
	return true, t.forget()
}

func (f remote) mismatch(where, sum, remedy string) error {
	problem := fmt.Sprintf("SHA-256 %s, expected %s", sum, f.sha256)
	if !f.checked {
		problem += " (" + unchecked + ")"
	}
	return &Error{Path: where, Offset: -1, Problem: problem, Remedy: remedy}
}

// unpackInto unpacks the archive and renames the set to target once it can be read.
func (k Known) unpackInto(ctx context.Context, target, archive string) (err error) {
	temporary, err := os.MkdirTemp(filepath.Dir(target), "."+k.fetched.dir+".tmp*")
	if err != nil {
		return &Error{Path: filepath.Dir(target), Offset: -1, Problem: "cannot be written to", Err: err}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	whole := filepath.Join(temporary, k.fetched.dir)
	if err := os.Mkdir(whole, 0o755); err != nil {
		return &Error{Path: whole, Offset: -1, Problem: "cannot be made", Err: err}
	}
	if err := unpack(ctx, archive, k.fetched.dir, whole, k.fetched.limit); err != nil {
		return err
	}
	if _, err := k.read(whole); err != nil {
		return &Error{Path: archive, Offset: -1, Problem: "unpacked, is not the whole set", Err: err, Remedy: remedyArchive}
	}
	if err := os.Rename(whole, target); err != nil {
		return &Error{Path: target, Offset: -1, Problem: "cannot be put in its place", Err: err}
	}
	return nil
}

// hashFile is the SHA-256 of a file in hexadecimal digits.
func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: %w", path, fs.ErrInvalid)
	}
	h := sha256.New()
	if _, err := io.Copy(h, reader{ctx, f}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
