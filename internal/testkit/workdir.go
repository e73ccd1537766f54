package testkit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

const dirPrefix = "foresight-test-"

// workdir is a directory of this test binary below the system's temporary one. Its
// lock lasts as long as the process, so that others see whether it is in use.
type workdir struct {
	path string
	lock *os.File
}

// newWorkdir makes one that any user may pass through (the server may run as
// another), after removing those of dead processes.
func newWorkdir() (workdir, error) {
	// One at a time: a directory just made is not locked yet.
	gate, err := lockFile(filepath.Join(os.TempDir(), dirPrefix+strconv.Itoa(os.Getuid())+".lock"), syscall.LOCK_EX)
	if err != nil {
		return workdir{}, err
	}
	defer gate.Close()
	if err := removeDead(); err != nil {
		return workdir{}, err
	}
	dir, err := os.MkdirTemp("", dirPrefix+strconv.Itoa(os.Getuid())+"-")
	if err != nil {
		return workdir{}, err
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return workdir{}, err
	}
	lock, err := lockFile(filepath.Join(dir, "lock"), syscall.LOCK_EX)
	return workdir{dir, lock}, err
}

func (w workdir) remove() error {
	return errors.Join(os.RemoveAll(w.path), w.lock.Close())
}

func removeDead() error {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+strconv.Itoa(os.Getuid())+"-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		lock, err := lockFile(filepath.Join(dir, "lock"), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue // alive
		}
		if err == nil {
			defer lock.Close()
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove the leavings of a killed run: %w", err)
		}
	}
	return nil
}

func lockFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}
