package controlplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	temporaryPrefix = "gesso-controlplane-"
	lockName        = "lock"
)

// errLocked says that another open file, here or in another process, has the lock.
var errLocked = errors.New("locked by another process")

// temporary is a folder that lives as long as its owner: the owner removes it, or died
// and gave up its lock, by which a later sweep knows.
type temporary struct {
	path string
	lock *os.File
}

// newTemporary makes one in a folder.
func newTemporary(in string) (*temporary, error) {
	path, err := os.MkdirTemp(in, temporaryPrefix)
	if err != nil {
		return nil, fmt.Errorf("create folder: %w", err)
	}
	// The lock is taken before it gets its name, so that no sweep finds it free.
	unnamed := filepath.Join(path, "unnamed")
	lock, err := os.OpenFile(unnamed, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		if err = tryLock(lock); err == nil {
			err = os.Rename(unnamed, filepath.Join(path, lockName))
		}
		if err != nil {
			lock.Close()
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock folder: %w", err), os.RemoveAll(path))
	}
	return &temporary{path: path, lock: lock}, nil
}

// remove removes the folder and all in it, and gives up the lock.
func (t *temporary) remove() error {
	err := os.RemoveAll(t.path)
	t.lock.Close()
	return err
}

// sweep removes the folders of owners that died without removing them. Those of living
// ones, those of other users, and what it does not recognize, it leaves alone. It is a
// courtesy, so it reports nothing.
func sweep(in string) {
	locks, err := filepath.Glob(filepath.Join(in, temporaryPrefix+"*", lockName))
	if err != nil {
		return
	}
	for _, name := range locks {
		lock, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if tryLock(lock) == nil {
			os.RemoveAll(filepath.Dir(name)) //nolint:errcheck // a courtesy
		}
		lock.Close()
	}
}

// tryLock locks a file for this open file alone. It returns errLocked at once if it is
// locked. The lock ends when the file is closed or its process ends.
func tryLock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errLocked
		default:
			return err
		}
	}
}
