//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package train

import (
	"errors"
	"io/fs"
	"os"
)

// lockFile creates a file that must not exist; unlockFile removes it. To look is to ask whether it exists. There is no lock
// here that the system undoes when a process is killed.
func lockFile(path string, alone bool) (*os.File, error) {
	if !alone {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		f.Close()
		return nil, ErrLocked
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, ErrLocked
	}
	return f, err
}

// unlockFile gives up the lock.
func unlockFile(f *os.File) error {
	err := f.Close()
	return errors.Join(err, os.Remove(f.Name()))
}

// lockHint says what else helps if a directory seems to be in use.
func lockHint(path string) string {
	return "; if it was killed, remove " + path
}
