// Package safetensors reads and writes named tensors in the safetensors format: eight bytes of little-endian header
// length, a JSON header that gives each tensor's element type, shape and place, and the tensors' bytes, little-endian and
// row-major, without gaps. The header's __metadata__ entry maps strings to strings.
//
// Files that this package writes carry a checksum. Their metadata has an entry sha256, 64 lower-case hexadecimal digits:
// the SHA-256 of the whole file as it would be written without that entry. A second entry, checksum, names the first, so
// that damage to the name sha256 itself is found too. Both are handled here and do not appear in File.Metadata. A file
// without them, as other programs write it, is read unchecked.
//
// A file may come from anywhere. Whatever is wrong with it is refused with an *Error, never repaired: a header that is too
// long, not JSON, or repeats a key; a tensor of unknown type, with a shape that does not match its bytes, out of range,
// overlapping another or leaving a gap; bytes after the last tensor. The memory for tensors is allocated only once
// the header is found to fit the file; that for the header is a multiple of its length, never of what it claims.
package safetensors

import (
	"errors"
	"fmt"
)

// MaxHeader is the greatest length of a header in bytes: room for a hundred thousand tensors. (The format's reference
// implementation accepts 100 MB.)
const MaxHeader = 16 << 20

// maxAxes bounds a tensor's rank: far more than anyone needs, and little memory in a hostile header.
const maxAxes = 64

// File is the content of a file.
type File struct {
	Tensors  []Tensor          // in the order of their bytes when read; in any order when written
	Metadata map[string]string // nil if there is none
}

// Tensor is a named array.
type Tensor struct {
	Name  string
	DType DType
	Shape []int  // empty for a scalar
	Data  []byte // little-endian, row-major: the last axis runs fastest
}

// Tensor returns the tensor of the given name.
func (f File) Tensor(name string) (Tensor, bool) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return Tensor{}, false
}

// ErrCorrupt is what errors.Is finds in the error about a file that is damaged, cut short, or no safetensors file at all,
// as opposed to one that cannot be opened or read.
var ErrCorrupt = errors.New("safetensors: corrupt file")

// Error says what is wrong with a file, and where. errors.Is(err, ErrCorrupt) is true.
type Error struct {
	Path   string // empty if the file was not read by its path
	Offset int64  // byte of the file
	Reason string
}

// Error begins with the path, if it is known.
func (e *Error) Error() string {
	path := e.Path
	if path == "" {
		path = "file"
	}
	return fmt.Sprintf("safetensors: %s is damaged, or no safetensors file: at byte %d: %s", path, e.Offset, e.Reason)
}

// Is makes ErrCorrupt match.
func (e *Error) Is(target error) bool { return target == ErrCorrupt }

func corrupt(offset int64, format string, args ...any) error {
	return &Error{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}
