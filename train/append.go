package train

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Append adds lines, each with its newline, to the end of a file of the directory, such as log.txt. What stands after the
// file's last newline is half a line that a crash or a full disk left, and is cut off.
func (d *Dir) Append(name, lines string) error { return d.appendTable(name, "", lines) }

// appendTable is Append to a table: if nothing is in the file, head goes first.
func (d *Dir) appendTable(name, head, lines string) error {
	f, err := os.OpenFile(d.Path(name), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	end, err := wholeLines(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		if end == 0 {
			lines = head + lines
		}
		_, err = f.WriteAt([]byte(lines), end)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// tornChunk is how many bytes wholeLines reads at a time, from the end.
const tornChunk = 4096

// wholeLines is the length of a file up to its last newline, that included.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buffer := make([]byte, tornChunk)
	for end := info.Size(); end > 0; {
		begin := max(0, end-tornChunk)
		part := buffer[:end-begin]
		if _, err := f.ReadAt(part, begin); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return begin + int64(i) + 1, nil
		}
		end = begin
	}
	return 0, nil
}
