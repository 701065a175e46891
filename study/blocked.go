package study

import (
	"errors"
	"io/fs"
	"os"

	"espalier/train"
)

// ErrBlocked is in the error of an Execute that knows that nothing was wrong with the run.
var ErrBlocked = errors.New("the run itself is as it was")

// Blocked reports whether an error comes from a directory that another process uses, or in which files cannot be read or
// written: a full disk, missing rights. It says nothing about the run, which goes on once that is put right.
func Blocked(err error) bool {
	if errors.Is(err, ErrBlocked) || errors.Is(err, train.ErrLocked) {
		return true
	}
	path, link := (*fs.PathError)(nil), (*os.LinkError)(nil)
	return (errors.As(err, &path) || errors.As(err, &link)) && !errors.Is(err, fs.ErrNotExist)
}
