package safetensors

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"espalier/internal/atomicfile"
)

// The entries of the metadata that carry the checksum.
const (
	digestKey   = "sha256"
	checksumKey = "checksum" // its value is digestKey
)

// WriteFile writes a file whole or not at all; see Write.
func WriteFile(path string, f File) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Write(w, f) })
}

// Write writes f with a checksum. Equal content gives equal bytes: the tensors are ordered by the size of their elements,
// the widest first, so that each is aligned to its elements, and by name where that is equal; the header is padded with
// spaces to a multiple of eight bytes. It fails, before it writes anything, if a name is not valid UTF-8, reserved or used
// twice, or if a tensor's type, shape and bytes disagree. f is not changed.
func Write(w io.Writer, f File) error {
	tensors := slices.Clone(f.Tensors)
	metadata := maps.Clone(f.Metadata)
	if metadata == nil {
		metadata = map[string]string{}
	}
	if err := checkContent(tensors, metadata); err != nil {
		return err
	}
	metadata[checksumKey] = digestKey
	digest := checksum(tensors, metadata)
	metadata[digestKey] = digest
	if err := writePlain(w, tensors, metadata); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}

func checkContent(tensors []Tensor, metadata map[string]string) error {
	seen := map[string]bool{metaKey: true}
	for _, t := range tensors {
		if err := t.check(); err != nil {
			return err
		}
		if len(t.Shape) > maxAxes {
			return fmt.Errorf("safetensors: tensor %q has %d axes, more than %d", t.Name, len(t.Shape), maxAxes)
		}
		if !utf8.ValidString(t.Name) {
			return fmt.Errorf("safetensors: the tensor's name %q is not valid UTF-8", t.Name)
		}
		if seen[t.Name] {
			return fmt.Errorf("safetensors: two tensors, or the metadata, are named %q", t.Name)
		}
		seen[t.Name] = true
	}
	for key, value := range metadata {
		if key == digestKey || key == checksumKey {
			return fmt.Errorf("safetensors: the metadata's name %q is reserved for the checksum", key)
		}
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return fmt.Errorf("safetensors: metadata %q is not valid UTF-8", key)
		}
	}
	return nil
}

// checksum is the SHA-256, in hexadecimal, of the file that holds the tensors and the metadata, which has no digestKey.
func checksum(tensors []Tensor, metadata map[string]string) string {
	h := sha256.New()
	if err := writePlain(h, tensors, metadata); err != nil && !errors.Is(err, errHeader) {
		panic(err) // impossible: a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))
}

var errHeader = errors.New("the header is too long")

// writePlain writes a file as it stands; it sorts tensors.
func writePlain(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.DType.Size(), a.DType.Size()), cmp.Compare(a.Name, b.Name))
	})
	header := appendHeader(make([]byte, 8), tensors, metadata)
	if len(header)-8 > MaxHeader {
		return fmt.Errorf("%w: %d bytes, more than %d", errHeader, len(header)-8, MaxHeader)
	}
	binary.LittleEndian.PutUint64(header, uint64(len(header)-8))
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range tensors {
		if _, err := w.Write(t.Data); err != nil {
			return err
		}
	}
	return nil
}

// appendHeader appends the JSON header and its padding.
func appendHeader(b []byte, tensors []Tensor, metadata map[string]string) []byte {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	text := func(s string) {
		quoted.Reset()
		if err := encoder.Encode(s); err != nil {
			panic(err) // impossible: a string has a JSON form
		}
		b = append(b, bytes.TrimRight(quoted.Bytes(), "\n")...)
	}
	separator := byte('{')
	field := func(key string) {
		b = append(b, separator)
		text(key)
		b = append(b, ':')
		separator = ','
	}
	if len(metadata) > 0 {
		field(metaKey)
		separator = '{'
		for _, key := range slices.Sorted(maps.Keys(metadata)) {
			field(key)
			text(metadata[key])
		}
		b = append(b, '}')
	}
	offset := 0
	for _, t := range tensors {
		field(t.Name)
		b = fmt.Appendf(b, `{"dtype":"%s","shape":[`, t.DType)
		for i, axis := range t.Shape {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(axis), 10)
		}
		b = fmt.Appendf(b, `],"data_offsets":[%d,%d]}`, offset, offset+len(t.Data))
		offset += len(t.Data)
	}
	if separator == '{' {
		b = append(b, '{')
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	return b
}
