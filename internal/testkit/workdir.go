package testkit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"foresight/internal/embedded/dirlock"
)

const dirPrefix = "foresight-test-"

// workdir is a directory of this test binary below the system's temporary one. Its
// lock lasts as long as the process, so that others see whether it is in use.
type workdir struct {
	path string
	lock *dirlock.Lock
}

// newWorkdir makes one that any user may pass through (the server may run as
// another), after removing those of dead processes.
func newWorkdir() (workdir, error) {
	// One at a time: a directory just made is not locked yet.
	gateDir := filepath.Join(os.TempDir(), dirPrefix+"gate-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(gateDir, 0o700); err != nil {
		return workdir{}, err
	}
	gate, err := dirlock.Wait(gateDir)
	if err != nil {
		return workdir{}, err
	}
	defer gate.Release()
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
	lock, err := dirlock.Try(dir)
	return workdir{dir, lock}, err
}

func (w workdir) remove() error {
	return errors.Join(os.RemoveAll(w.path), w.lock.Release())
}

func removeDead() error {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+strconv.Itoa(os.Getuid())+"-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		lock, err := dirlock.Try(dir)
		if errors.Is(err, dirlock.ErrHeld) {
			continue // alive
		}
		if err != nil {
			return err
		}
		if err := errors.Join(os.RemoveAll(dir), lock.Release()); err != nil {
			return fmt.Errorf("remove the leavings of a killed run: %w", err)
		}
	}
	return nil
}
