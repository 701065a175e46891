package datasets

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// readIDX reads an IDX file of bytes of the wanted dimensions, path or path.gz, and says which it was. The file begins with
// big-endian numbers, of two bytes 0, a type, 8 for bytes, the number of dimensions in one byte, and the size of each in
// four; then come the bytes, the last dimension changing fastest (LeCun, Cortes and Burges, "The MNIST Database of
// Handwritten Digits").
func readIDX(path string, dims ...int) (content []byte, used string, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		packed := path + ".gz"
		if f, err = os.Open(packed); err == nil {
			path = packed
		}
	}
	if err != nil {
		return nil, "", missing(path, err, fashionRemedy)
	}
	defer f.Close()
	content, err = decodeIDX(path, f, dims...)
	return content, path, err
}

// idxHeader is the length of a header in bytes.
func idxHeader(dims int) int { return 4 + 4*dims }

// decodeIDX decodes an IDX file of bytes of the wanted dimensions; it is packed if its path says so.
func decodeIDX(path string, r io.Reader, dims ...int) ([]byte, error) {
	at := 0 // bytes read, unpacked
	bad := func(err error, format string, args ...any) error {
		return &Error{Path: path, Offset: int64(at), Problem: fmt.Sprintf(format, args...), Err: err, Remedy: fashionRemedy}
	}
	content := io.Reader(bufio.NewReaderSize(r, 1<<16))
	if strings.HasSuffix(path, ".gz") {
		zip, err := gzip.NewReader(content)
		if err != nil {
			return nil, bad(err, "not a gzip file, or damaged")
		}
		content = zip
	}
	read := func(b []byte) error {
		n, err := io.ReadFull(content, b)
		at += n
		return err
	}
	header := make([]byte, idxHeader(len(dims)))
	size := 1
	for _, d := range dims {
		size *= d
	}
	if err := read(header); err != nil {
		return nil, cutShort(bad, err, at, len(header)+size)
	}
	at = 0
	if magic := []byte{0, 0, 8, byte(len(dims))}; !slices.Equal(header[:4], magic) {
		return nil, bad(nil, "begins with % x, expected % x (an IDX file of bytes in %d dimensions)", header[:4], magic, len(dims))
	}
	for i, want := range dims {
		at = 4 + 4*i
		if got := binary.BigEndian.Uint32(header[at:]); got != uint32(want) {
			return nil, bad(nil, "dimension %d of %d is %d, expected %d", i, len(dims), got, want)
		}
	}
	at = len(header)
	values := make([]byte, size)
	if err := read(values); err != nil {
		return nil, cutShort(bad, err, at, len(header)+size)
	}
	// The end has to follow, and with it the checksum of gzip.
	switch n, err := io.ReadFull(content, make([]byte, 1)); {
	case n > 0:
		return nil, bad(nil, "more than the %d bytes that its header tells", len(header)+size)
	case err == io.ErrUnexpectedEOF:
		return nil, bad(nil, "cut short: the checksum of gzip is missing")
	case err != io.EOF:
		return nil, bad(err, "damaged")
	}
	return values, nil
}

// cutShort is the error of a file that ends, or cannot be unpacked, at some byte of those expected.
func cutShort(bad func(err error, format string, args ...any) error, err error, at, want int) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return bad(nil, "cut short: %d bytes, expected %d", at, want)
	}
	return bad(err, "damaged")
}
