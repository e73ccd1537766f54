package dirlock

import (
	"errors"
	"strings"
	"testing"
)

func TestOneHolder(t *testing.T) {
	dir := t.TempDir()
	l, err := Try(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Try(dir); !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second holder: %v, want ErrHeld that names the directory", err)
	}
	taken := make(chan error)
	go func() {
		l, err := Wait(dir)
		if err == nil {
			err = l.Release()
		}
		taken <- err
	}()
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Error(err)
	}
	if _, err := Try(t.TempDir() + "/absent"); err == nil || errors.Is(err, ErrHeld) {
		t.Errorf("without the directory: %v", err)
	}
}
