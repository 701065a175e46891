package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// plain is a file with a header, padded, and data.
func plain(header, data string) []byte {
	for len(header)%8 != 0 {
		header += " "
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+data...)
}

var hostile = []struct{ name, header, data, say string }{
	{"empty header", ``, "", "brace"},
	{"array", `[]`, "", "brace"},
	{"leading space", ` {}`, "", "brace"},
	{"not JSON", `{"a":nul}`, "", "JSON"},
	{"cut", `{"a":{"dtype":"U8"`, "", "ends within"},
	{"two objects", `{}{}`, "", "after the header's end"},
	{"trailing comma", `{"a":{"dtype":"U8","shape":[1,],"data_offsets":[0,1]}}`, "x", "JSON"},
	{"trailing comma in object", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}`, "x", "JSON"},
	{"not UTF-8", "{\"\xff\":{}}", "", "UTF-8"},
	{"tensor is no object", `{"a":1}`, "", "object"},
	{"twice", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "xy", "twice"},
	{"twice, escaped", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "xy", "twice"},
	{"key twice", `{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "x", "twice"},
	{"metadata twice", `{"__metadata__":{"a":"b","a":"b"}}`, "", "twice"},
	{"two metadata", `{"__metadata__":{},"__metadata__":{}}`, "", "twice"},
	{"metadata is no object", `{"__metadata__":[]}`, "", "object"},
	{"metadata is no string", `{"__metadata__":{"a":1}}`, "", "string"},
	{"metadata nested", `{"__metadata__":{"a":{"b":"c"}}}`, "", "string"},
	{"unknown type", `{"a":{"dtype":"U9","shape":[1],"data_offsets":[0,1]}}`, "x", "unknown element type"},
	{"type is no string", `{"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}}`, "x", "string"},
	{"unknown key", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}`, "x", "unknown key"},
	{"no shape", `{"a":{"dtype":"U8","data_offsets":[0,1]}}`, "x", "missing"},
	{"no offsets", `{"a":{"dtype":"U8","shape":[1]}}`, "x", "missing"},
	{"shape is no array", `{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}`, "x", "array"},
	{"negative axis", `{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, "x", "no integer"},
	{"fraction", `{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}`, "x", "no integer"},
	{"exponent", `{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}`, "x", "no integer"},
	{"text", `{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}`, "x", "no integer"},
	{"null", `{"a":{"dtype":"U8","shape":[null],"data_offsets":[0,1]}}`, "x", "no integer"},
	{"huge axis", `{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}}`, "x", "no integer"},
	{"overflow", `{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, "", "shape"},
	{"overflow to size", `{"a":{"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]}}`, "12345678", "shape"},
	{"overflow times zero", `{"a":{"dtype":"F64","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}`, "", "shape"},
	{"wrong size", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}`, "xyz", "shape"},
	{"one offset", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[1]}}`, "x", "not 2"},
	{"three offsets", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}`, "x", "more than 2"},
	{"negative offset", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}`, "x", "no integer"},
	{"backwards", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, "x", "no range"},
	{"out of range", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "x", "cut short"},
	{"far out of range", `{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}`, "x", "cut short"},
	{"gap at the start", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "xy", "gap"},
	{"gap", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, "xyz", "gap"},
	{"overlap", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, "xyz", "inside"},
	{"same bytes", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "x", "inside"},
	{"empty inside", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}`, "xy", "inside"},
	{"rest", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "xy", "after the last"},
	{"rest alone", `{}`, "x", "after the last"},
	{"promised checksum", `{"__metadata__":{"checksum":"sha256"}}`, "", "promises"},
	{"wrong checksum", `{"__metadata__":{"sha256":"00"}}`, "", "SHA-256"},
	{"rank", `{"a":{"dtype":"U8","shape":[` + strings.Repeat("0,", 64) + `0],"data_offsets":[0,0]}}`, "", "more than 64"},
	{"depth", `{"a":` + strings.Repeat("[", 100000), "", "object"},
	{"depth of a shape", `{"a":{"shape":` + strings.Repeat("[", 100000), "", "no integer"},
}

func TestHostile(t *testing.T) {
	for _, c := range hostile {
		_, err := read(plain(c.header, c.data))
		var damage *Error
		if !errors.Is(err, ErrCorrupt) || !errors.As(err, &damage) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: error %v", c.name, err)
			continue
		}
		if len(err.Error()) > 400 {
			t.Errorf("%s: an error of %d bytes", c.name, len(err.Error()))
		}
		if damage.Offset < 8 || damage.Offset > int64(8+len(c.header)+8+len(c.data)) {
			t.Errorf("%s: offset %d", c.name, damage.Offset)
		}
	}
}

func TestHeaderLength(t *testing.T) {
	for _, n := range []uint64{3, MaxHeader + 1, 1 << 63, 1<<64 - 1, 1<<64 - 8} {
		b := append(binary.LittleEndian.AppendUint64(nil, n), "{}"...)
		if _, err := read(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("header length %d: error %v", n, err)
		}
	}
}

// TestMemory reads files that claim more than they hold, and asks how much was allocated on the way.
func TestMemory(t *testing.T) {
	many := `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
	for i := range 2000 {
		many += fmt.Sprintf(`,"%d":{"dtype":"U8","shape":[0,0,0,0,0,0,0],"data_offsets":[0,0]}`, i)
	}
	for name, b := range map[string][]byte{
		"header": append(binary.LittleEndian.AppendUint64(nil, MaxHeader), "{}"...),
		"tensor": plain(`{"a":{"dtype":"U8","shape":[4000000000],"data_offsets":[0,4000000000]}}`, "x"),
		"axes":   plain(`{"a":{"dtype":"U8","shape":[`+strings.Repeat("0,", 1<<17), ""),
		"many":   plain(many+"}", ""),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Read(bytes.NewReader(b), int64(len(b)))
		runtime.ReadMemStats(&after)
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(40*len(b)+1<<18); !(got <= limit) {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, got, len(b))
		}
	}
}

// FuzzRead asks that what is read can be written and read again, and that anything else is an *Error.
func FuzzRead(f *testing.F) {
	f.Add(written(f, sample()))
	f.Add(written(f, File{}))
	for _, c := range hostile {
		if len(c.header) < 1000 {
			f.Add(plain(c.header, c.data))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := read(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("error %v", err)
			}
			return
		}
		total := 0
		for _, x := range file.Tensors {
			if err := x.check(); err != nil {
				t.Fatal(err)
			}
			total += len(x.Data)
		}
		if total > len(b) {
			t.Fatalf("%d bytes of tensors in a file of %d", total, len(b))
		}
		delete(file.Metadata, checksumKey)
		again := written(t, file)
		second, err := read(again)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written(t, second), again) {
			t.Fatal("a file read and written again differs")
		}
	})
}
