//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package train

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile opens a file and locks it, alone or together with others that only look; a file that is only looked at must
// exist. The system undoes the lock when the file is closed or the process ends. It does not wait: the error is ErrLocked.
func lockFile(path string, alone bool) (*os.File, error) {
	flags, how := os.O_RDONLY, unix.LOCK_SH
	if alone {
		flags, how = os.O_RDWR|os.O_CREATE, unix.LOCK_EX
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, ErrLocked
	}
	return nil, &os.PathError{Op: "lock", Path: path, Err: err}
}

// unlockFile gives up the lock.
func unlockFile(f *os.File) error { return f.Close() }

// lockHint says what else helps if a directory seems to be in use.
func lockHint(string) string { return "" }
