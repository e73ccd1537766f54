package secret_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"foresight/internal/secret"
)

func open(t testing.TB, file string) *secret.Box {
	t.Helper()
	b, err := secret.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealAndOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys", "secret.key")
	b := open(t, file)
	sealed := b.Seal([]byte("swordfish"), "webhooks/1")
	if bytes.Contains(sealed, []byte("sword")) || bytes.Equal(sealed, b.Seal([]byte("swordfish"), "webhooks/1")) {
		t.Errorf("sealed as %x", sealed)
	}
	if got, err := open(t, file).Open(sealed, "webhooks/1"); err != nil || string(got) != "swordfish" { // after a restart
		t.Errorf("%q, %v", got, err)
	}
	for name, broken := range map[string][]byte{"none": nil, "short": sealed[:4], "cut": sealed[:len(sealed)-1],
		"flipped": append(bytes.Clone(sealed[:len(sealed)-1]), sealed[len(sealed)-1]^1), "another form": append([]byte{9}, sealed[1:]...)} {
		if _, err := b.Open(broken, "webhooks/1"); !errors.Is(err, secret.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Open(sealed, "webhooks/2"); !errors.Is(err, secret.ErrUnreadable) {
		t.Errorf("opens in another place: %v", err)
	}
	if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", fi.Mode(), err)
	}
}

// A new key goes in front; what the old one sealed still opens.
func TestKeysAreReplaced(t *testing.T) {
	dir := t.TempDir()
	old, fresh := filepath.Join(dir, "old"), filepath.Join(dir, "fresh")
	sealed := open(t, old).Seal([]byte("x"), "p")
	open(t, fresh)
	var both []byte
	for _, f := range []string{fresh, old} {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, b...)
	}
	file := filepath.Join(dir, "both")
	if err := os.WriteFile(file, both, 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, file)
	if got, err := b.Open(sealed, "p"); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := open(t, fresh).Open(b.Seal([]byte("y"), "p"), "p"); err != nil {
		t.Errorf("the first key does not seal: %v", err)
	}
	if _, err := open(t, fresh).Open(sealed, "p"); !errors.Is(err, secret.ErrUnreadable) {
		t.Errorf("without its key: %v", err)
	}
}

func TestNoKeys(t *testing.T) {
	for name, text := range map[string]string{"empty": "\n", "short": "c2hvcnQ=\n", "no base64": "????"} {
		file := filepath.Join(t.TempDir(), "k")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Open(file); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}
