// Package dirlock keeps two processes off one directory by a lock of the kernel,
// which ends with the process however it ends and is not inherited by children.
package dirlock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrHeld says that another process (or another holder in this one) has the lock.
var ErrHeld = errors.New("directory is in use by another process")

// Lock is a held lock.
type Lock struct{ file *os.File }

// Try takes the lock of the directory, which exists, or returns ErrHeld at once.
func Try(dir string) (*Lock, error) { return take(dir, syscall.LOCK_EX|syscall.LOCK_NB) }

// Wait takes the lock of the directory as soon as it is free.
func Wait(dir string) (*Lock, error) { return take(dir, syscall.LOCK_EX) }

func take(dir string, how int) (*Lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return &Lock{f}, nil
	}
	_ = f.Close() // nothing was written
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: %w", dir, ErrHeld)
	}
	return nil, fmt.Errorf("lock %s: %w", dir, err)
}

// Release gives the lock back.
func (l *Lock) Release() error { return l.file.Close() }
