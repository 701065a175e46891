package train

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile opens a file and locks it, alone or together with others that only look; a file that is only looked at must
// exist. The system undoes the lock when the file is closed or the process ends. It does not wait: the error is ErrLocked.
func lockFile(path string, alone bool) (*os.File, error) {
	flags, how := os.O_RDONLY, uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if alone {
		flags, how = os.O_RDWR|os.O_CREATE, how|windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, err
	}
	// One byte far behind the content is locked: others cannot read what is locked.
	err = windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return nil, ErrLocked
	}
	return nil, &os.PathError{Op: "lock", Path: path, Err: err}
}

// unlockFile gives up the lock.
func unlockFile(f *os.File) error { return f.Close() }

// lockHint says what else helps if a directory seems to be in use.
func lockHint(string) string { return "" }
