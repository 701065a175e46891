package datasets

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxEntries bounds the files of an archive.
const maxEntries = 1 << 10

const remedyArchive = "remove it and fetch again"

// unpack writes the files that the tar.gz at archive holds in its directory top into dir, which has to exist and to be
// empty. Nothing is written outside dir: an entry that is not a plain file or directory below top, one in the place of another,
// and what goes beyond limit bytes in all, give an *Error, as does damage.
func unpack(ctx context.Context, archive, top, dir string, limit int64) error {
	f, err := os.Open(archive)
	if err != nil {
		return missing(archive, err, remedyArchive)
	}
	defer f.Close()
	return unpackFrom(ctx, archive, f, top, dir, limit)
}

func unpackFrom(ctx context.Context, archive string, r io.Reader, top, dir string, limit int64) error {
	root, err := os.OpenRoot(dir) // which follows no path out of dir, whatever the checks below let pass
	if err != nil {
		return &Error{Path: dir, Offset: -1, Problem: "cannot be written to", Err: err}
	}
	defer root.Close()
	bad := func(err error, format string, args ...any) error {
		return &Error{Path: archive, Offset: -1, Problem: fmt.Sprintf(format, args...), Err: err, Remedy: remedyArchive}
	}
	zip, err := gzip.NewReader(r)
	if err != nil {
		return bad(err, "not a gzip file, or damaged")
	}
	// One byte more than the limit tells an archive that reaches it from one that goes beyond. Headers count too.
	content := &io.LimitedReader{R: reader{ctx, zip}, N: limit + 1}
	files := tar.NewReader(content)
	for entries := 0; ; entries++ {
		header, err := files.Next()
		if err == io.EOF {
			break
		}
		if content.N <= 0 {
			return bad(nil, "more than %d bytes unpacked", limit)
		}
		if err != nil {
			return bad(err, "damaged at entry %d", entries)
		}
		if entries >= maxEntries {
			return bad(nil, "more than %d entries", maxEntries)
		}
		name, err := entryName(header, top)
		if err != nil {
			return bad(nil, "entry %d, %q, %v", entries, header.Name, err)
		}
		if name == "" {
			continue
		}
		err = writeEntry(root, name, files)
		switch {
		case content.N <= 0:
			return bad(nil, "more than %d bytes unpacked", limit)
		case errors.Is(err, fs.ErrExist):
			return bad(nil, "entry %d, %q, is where another was", entries, header.Name)
		case err != nil:
			return bad(err, "unpacking entry %d, %q, into %s", entries, header.Name, dir)
		}
	}
	// The checksum of gzip follows what is left.
	if _, err := io.Copy(io.Discard, content); err != nil {
		return bad(err, "damaged after its last entry")
	}
	if content.N <= 0 {
		return bad(nil, "more than %d bytes unpacked", limit)
	}
	return nil
}

// entryName is where an entry goes below the directory that is unpacked to, or "" if nothing is to be written.
func entryName(h *tar.Header, top string) (string, error) {
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return "", nil
	case tar.TypeReg, tar.TypeDir:
	default:
		return "", errors.New("is a link or a device")
	}
	name := path.Clean(h.Name)
	if !filepath.IsLocal(filepath.FromSlash(name)) || strings.Contains(h.Name, `\`) {
		return "", errors.New("leads out of the directory")
	}
	if h.Typeflag == tar.TypeDir {
		return "", nil // made for the files that are in it
	}
	below, ok := strings.CutPrefix(name, top+"/")
	if !ok {
		return "", fmt.Errorf("is outside %s/", top)
	}
	return filepath.FromSlash(below), nil
}

func writeEntry(root *os.Root, name string, r io.Reader) error {
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// reader reads until its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
