package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// metaKey is the header's entry that is no tensor.
const metaKey = "__metadata__"

// Header is what a file says about its tensors.
type Header struct {
	Tensors  []Info            // in the order of their bytes
	Metadata map[string]string // the entries of the checksum included; nil if there is none
}

// Info says what a tensor is and where its bytes stand.
type Info struct {
	Name       string
	DType      DType
	Shape      []int
	Begin, End int64 // bytes of the file

	at int64 // byte of the file where the header speaks of it
}

// ReadHeader reads the header of a file of size bytes and checks that its tensors fill the rest of the file exactly. It
// reads no tensor, so the checksum is not verified.
func ReadHeader(r io.ReaderAt, size int64) (Header, error) {
	var length [8]byte
	if size < 8 {
		return Header{}, corrupt(size, "%d bytes are too few for the header's length", size)
	}
	if err := readFull(r, length[:], 0); err != nil {
		return Header{}, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > MaxHeader {
		return Header{}, corrupt(0, "a header of %d bytes; at most %d are allowed", n, MaxHeader)
	}
	if size > math.MaxInt {
		return Header{}, fmt.Errorf("safetensors: a file of %d bytes is too large for this machine", size)
	}
	if int64(n) > size-8 {
		return Header{}, corrupt(0, "a header of %d bytes in a file of %d", n, size)
	}
	text := make([]byte, n)
	if err := readFull(r, text, 8); err != nil {
		return Header{}, err
	}
	h, err := parse(text)
	if err != nil {
		return Header{}, err
	}
	if err := h.place(8+int64(n), size); err != nil {
		return Header{}, err
	}
	return h, nil
}

// readFull fills b from the given byte of the file on.
func readFull(r io.ReaderAt, b []byte, offset int64) error {
	n, err := io.ReadFull(io.NewSectionReader(r, offset, int64(len(b))), b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return corrupt(offset+int64(n), "the file ends too early")
	}
	if err != nil {
		return fmt.Errorf("safetensors: at byte %d: %w", offset+int64(n), err)
	}
	return nil
}

// place turns the tensors' ranges, which count from the first byte after the header, into bytes of the file, orders the
// tensors by them, and checks that they fill the file without overlap, gap or rest.
func (h *Header) place(start, size int64) error {
	for i := range h.Tensors {
		t := &h.Tensors[i]
		n, ok := byteLen(t.DType, t.Shape)
		switch {
		case t.Begin < 0 || t.End < t.Begin:
			return corrupt(t.at, "tensor %.80q: bytes %d to %d are no range", t.Name, t.Begin, t.End)
		case t.End > size-start:
			return corrupt(t.at, "tensor %.80q ends at byte %d of %d; the file may be cut short", t.Name, t.End, size-start)
		case !ok || n != t.End-t.Begin:
			return corrupt(t.at, "tensor %.80q: shape %v of %s in %d bytes", t.Name, t.Shape, t.DType, t.End-t.Begin)
		}
		t.Begin += start
		t.End += start
	}
	slices.SortFunc(h.Tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End), cmp.Compare(a.Name, b.Name))
	})
	end := start
	for _, t := range h.Tensors {
		if t.Begin < end {
			return corrupt(t.at, "tensor %.80q begins at byte %d, inside the one before, which ends at %d", t.Name, t.Begin, end)
		}
		if t.Begin > end {
			return corrupt(t.at, "tensor %.80q begins at byte %d, and nothing fills the gap from %d on", t.Name, t.Begin, end)
		}
		end = t.End
	}
	if end != size {
		return corrupt(end, "%d bytes after the last tensor", size-end)
	}
	return nil
}

// parse reads the JSON header. The ranges of the tensors that it returns count from the first byte after the header.
func parse(text []byte) (Header, error) {
	p := parser{json: json.NewDecoder(bytes.NewReader(text)), keys: map[string]bool{}}
	p.json.UseNumber()
	switch {
	case len(text) == 0 || text[0] != '{':
		return Header{}, corrupt(8, "the header does not begin with a brace")
	case !utf8.Valid(text):
		return Header{}, corrupt(8, "the header is not valid UTF-8")
	}
	p.object(map[string]bool{}, p.entry)
	if rest := bytes.TrimLeft(text[p.json.InputOffset():], " "); p.err == nil && len(rest) > 0 {
		p.fail("%d bytes after the header's end", len(rest))
	}
	return p.header, p.err
}

// parser reads a header token by token. After the first error, in err, it reads no more.
type parser struct {
	json   *json.Decoder
	header Header
	name   string          // the tensor or metaKey that is being read, empty outside
	field  string          // and the key within
	keys   map[string]bool // seen within
	err    error
}

func (p *parser) fail(format string, args ...any) {
	if p.err != nil {
		return
	}
	what := "header"
	switch {
	case p.name == metaKey:
		what = "metadata"
	case p.name != "":
		what = fmt.Sprintf("tensor %.80q", p.name)
	}
	if p.field != "" {
		what = fmt.Sprintf("%s: %.80q", what, p.field)
	}
	p.err = corrupt(8+p.json.InputOffset(), "%s: %s", what, fmt.Sprintf(format, args...))
}

// token is the next token, nil after an error.
func (p *parser) token() json.Token {
	if p.err != nil {
		return nil
	}
	token, err := p.json.Token()
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			p.fail("the header ends within its JSON")
		} else {
			p.fail("the header is not JSON: %v", err)
		}
		return nil
	}
	return token
}

// object reads an object whose keys differ, calling value for the value of each key. It notes the keys in seen.
func (p *parser) object(seen map[string]bool, value func(key string)) {
	if p.token() != json.Delim('{') {
		p.fail("a JSON object is missing")
		return
	}
	clear(seen)
	for {
		key, ok := p.token().(string)
		if !ok {
			return // the closing brace, or an error: JSON allows nothing else
		}
		if seen[key] {
			p.fail("the key %.80q appears twice", key)
			return
		}
		seen[key] = true
		value(key)
	}
}

// array appends the integers ≥ 0 of an array, at most limit of them, to values.
func (p *parser) array(values []int64, limit int) []int64 {
	if p.token() != json.Delim('[') {
		p.fail("a JSON array is missing")
	}
	for p.err == nil {
		token := p.token()
		if token == json.Delim(']') {
			break
		}
		number, ok := token.(json.Number)
		v, err := strconv.ParseUint(string(number), 10, 63)
		if !ok || err != nil {
			p.fail("%.40v is no integer from 0 to %d", token, int64(math.MaxInt64))
		}
		if len(values) == limit {
			p.fail("more than %d numbers", limit)
		}
		values = append(values, int64(v))
	}
	return values
}

func (p *parser) text() string {
	s, ok := p.token().(string)
	if !ok {
		p.fail("a JSON string is missing")
	}
	return s
}

// entry reads the value of a key of the header.
func (p *parser) entry(key string) {
	p.name = key
	if key == metaKey {
		p.header.Metadata = map[string]string{}
		p.object(p.keys, func(field string) {
			p.field = field
			p.header.Metadata[field] = p.text()
			p.field = ""
		})
	} else {
		p.header.Tensors = append(p.header.Tensors, p.tensor(key))
	}
	p.name = ""
}

func (p *parser) tensor(name string) Info {
	t := Info{Name: name, at: 8 + p.json.InputOffset()}
	var numbers [maxAxes]int64
	p.object(p.keys, func(field string) {
		p.field = field
		switch field {
		case "dtype":
			t.DType = DType(p.text())
			if t.DType.Size() == 0 {
				p.fail("unknown element type %.80q", t.DType)
			}
		case "shape":
			axes := p.array(numbers[:0], maxAxes)
			t.Shape = make([]int, len(axes))
			for i, axis := range axes {
				if axis > math.MaxInt {
					p.fail("an axis of %d elements", axis)
				}
				t.Shape[i] = int(axis)
			}
		case "data_offsets":
			offsets := p.array(numbers[:0], 2)
			if len(offsets) != 2 {
				p.fail("%d numbers, not 2", len(offsets))
				return
			}
			t.Begin, t.End = offsets[0], offsets[1]
		default:
			p.fail("unknown key")
		}
		p.field = ""
	})
	if len(p.keys) != 3 {
		p.fail("dtype, shape or data_offsets is missing")
	}
	return t
}
