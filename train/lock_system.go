//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows

package train

import "os"

// lockFile opens a file and locks it, alone or together with others that only look; a file that is only looked at must
// exist. The system undoes the lock when the file is closed or the process ends. It does not wait: the error is ErrLocked.
func lockFile(path string, alone bool) (*os.File, error) {
	flags := os.O_RDONLY
	if alone {
		flags = os.O_RDWR | os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, err
	}
	if err := systemLock(f, alone); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// unlockFile gives up the lock.
func unlockFile(f *os.File) error { return f.Close() }

// lockHint says what else helps if a directory seems to be in use.
func lockHint(string) string { return "" }
