package datasets

import (
	"fmt"
	"strings"
)

// Error is a file of a data set that cannot be used: its text is one line with the path, the place, what was found there
// and expected, and what to do.
type Error struct {
	Path    string
	Offset  int64  // byte of the file, or of its unpacked content; negative where no byte is to blame
	Problem string // what was found and what was expected
	Remedy  string // what the reader can do about it
	Err     error  // the cause, or nil
}

// Error is the text, in one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "datasets: %s: ", e.Path)
	if e.Offset >= 0 {
		fmt.Fprintf(&b, "at byte %d: ", e.Offset)
	}
	b.WriteString(e.Problem)
	if e.Err != nil {
		fmt.Fprintf(&b, " (%s)", oneLine(e.Err.Error()))
	}
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
