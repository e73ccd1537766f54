package secret_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"foresight/internal/secret"
)

func keys(ns ...uint32) map[uint32][]byte {
	out := map[uint32][]byte{}
	for _, n := range ns {
		out[n] = bytes.Repeat([]byte{byte(n)}, 32)
	}
	return out
}

func box(t testing.TB, ns ...uint32) *secret.Box {
	t.Helper()
	b, err := secret.New(keys(ns...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealedTextsOpenInTheirPlaceOnly(t *testing.T) {
	b := box(t, 1)
	sealed, err := b.Seal([]byte("hush"), "webhooks/1")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("hush")) || len(sealed) != 4+secret.Overhead {
		t.Errorf("sealed %x", sealed)
	}
	if plain, err := b.Open(sealed, "webhooks/1"); err != nil || string(plain) != "hush" {
		t.Errorf("%q, %v", plain, err)
	}
	if again, _ := b.Seal([]byte("hush"), "webhooks/1"); bytes.Equal(again, sealed) {
		t.Error("two seals of one text are the same")
	}
	if _, err := b.Open(sealed, "webhooks/2"); !errors.Is(err, secret.ErrUnreadable) {
		t.Errorf("in another place: %v", err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := b.Open(changed, "webhooks/1"); !errors.Is(err, secret.ErrUnreadable) {
			t.Errorf("with byte %d changed: %v", i, err)
		}
	}
	for n := range sealed {
		if _, err := b.Open(sealed[:n], "webhooks/1"); !errors.Is(err, secret.ErrUnreadable) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
}

func TestRotation(t *testing.T) {
	old, both, fresh := box(t, 1), box(t, 1, 2), box(t, 2)
	before, _ := old.Seal([]byte("a"), "x")
	after, _ := both.Seal([]byte("b"), "x")
	if p, err := both.Open(before, "x"); err != nil || string(p) != "a" {
		t.Errorf("sealed before: %q %v", p, err)
	}
	if p, err := fresh.Open(after, "x"); err != nil || string(p) != "b" {
		t.Errorf("the newest key seals: %q %v", p, err)
	}
	if _, err := fresh.Open(before, "x"); !errors.Is(err, secret.ErrUnreadable) {
		t.Errorf("without its key: %v", err)
	}
}

func TestKeyFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "secrets.json")
	boxes := make([]*secret.Box, 8)
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() {
			var err error
			if boxes[i], err = secret.Open(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	sealed, _ := boxes[0].Seal([]byte("hush"), "x")
	for i, b := range boxes {
		if _, err := b.Open(sealed, "x"); err != nil {
			t.Errorf("process %d has another key", i)
		}
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	for _, bad := range []string{"", "{}", `{"keys":{"1":"c2hvcnQ="}}`, "not json"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Open(path); err == nil {
			t.Errorf("%q is taken for a key file", bad)
		}
	}
}

func FuzzOpen(f *testing.F) {
	b := box(f, 1)
	sealed, _ := b.Seal([]byte("hush"), "x")
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := b.Open(data, "x"); err == nil && !bytes.Equal(data, sealed) {
			t.Fatalf("forged %q", p)
		}
	})
}
