package safetensors

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// ReadFile reads a file and verifies its checksum, if it has one. See Read.
func ReadFile(path string) (File, error) {
	r, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("safetensors: %w", err)
	}
	defer r.Close()
	stat, err := r.Stat()
	if err != nil {
		return File{}, fmt.Errorf("safetensors: %w", err)
	}
	f, err := Read(r, stat.Size())
	var damage *Error
	if errors.As(err, &damage) {
		damage.Path = path
	} else if err != nil {
		err = fmt.Errorf("%w (reading %s)", err, path)
	}
	return f, err
}

// Read reads a file of size bytes and verifies its checksum, if it has one. The tensors' bytes share one allocation. A
// file that is damaged, cut short or malformed gives an *Error.
func Read(r io.ReaderAt, size int64) (File, error) {
	h, err := ReadHeader(r, size)
	if err != nil {
		return File{}, err
	}
	f := File{Metadata: h.Metadata}
	if len(h.Tensors) > 0 {
		start := h.Tensors[0].Begin
		data := make([]byte, size-start)
		if err := readFull(r, data, start); err != nil {
			return File{}, err
		}
		f.Tensors = make([]Tensor, len(h.Tensors))
		for i, t := range h.Tensors {
			from, to := t.Begin-start, t.End-start
			f.Tensors[i] = Tensor{Name: t.Name, DType: t.DType, Shape: t.Shape, Data: data[from:to:to]}
		}
	}
	if err := f.verify(); err != nil {
		return File{}, err
	}
	return f, nil
}

// verify compares the checksum with the content, and removes it from the metadata.
func (f *File) verify() error {
	want, found := f.Metadata[digestKey]
	if !found && f.Metadata[checksumKey] == digestKey {
		return corrupt(8, "the metadata promises a checksum and has none")
	}
	if !found {
		return nil
	}
	rest := maps.Clone(f.Metadata)
	delete(rest, digestKey)
	if got := checksum(slices.Clone(f.Tensors), rest); got != want {
		return corrupt(8, "the SHA-256 of the content is %s, and should be %.80s", got, want)
	}
	delete(rest, checksumKey)
	if len(rest) == 0 {
		rest = nil
	}
	f.Metadata = rest
	return nil
}
