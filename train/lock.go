package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// lockName is the file of a run's directory that the process using it has locked. It holds the process's number.
const lockName = ".lock"

// ErrLocked is what errors.Is finds if another process uses the directory of a run.
var ErrLocked = errors.New("in use")

// A process that only asks whether a directory is in use holds the lock for an instant, so taking it is tried more than once.
const (
	lockTries = 5
	lockPause = 20 * time.Millisecond
)

// takeLock locks the run's directory for this process, until the file is closed.
func takeLock(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	for try := 1; ; try++ {
		f, err := lockFile(path, true)
		if err == nil {
			return f, sign(f)
		}
		if !errors.Is(err, ErrLocked) {
			return nil, fmt.Errorf("train: %s cannot be used: %w", dir, err)
		}
		if try == lockTries {
			holder := ""
			if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
				holder = " by " + strings.TrimSpace(string(b))
			}
			return nil, fmt.Errorf("train: %s is %w%s; wait for it or end it%s", dir, ErrLocked, holder, lockHint(path))
		}
		time.Sleep(lockPause)
	}
}

// sign writes who holds the lock.
func sign(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine" // the name only helps a person
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "process %d on %s\n", os.Getpid(), host), 0)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// InUse reports whether a process uses the run's directory.
func InUse(dir string) bool {
	f, err := lockFile(filepath.Join(dir, lockName), false)
	if err == nil {
		f.Close()
	}
	return errors.Is(err, ErrLocked)
}
