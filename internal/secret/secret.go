// Package secret seals what is stored and must be read again, such as keys of
// signatures and passwords of foreign systems: AES-256-GCM with a random nonce, under
// keys from a file that the database's backups do not hold.
//
// What was sealed is bound to its purpose (a table and a row): moved to another place
// it does not open. The file holds one key a line in base64, the newest first; all of
// them open, the first one seals.
package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	keySize = 32
	// mark begins every sealed text: the form, then which key sealed it.
	form     = 1
	markSize = 1 + 4
)

// ErrUnreadable says that a sealed text is damaged, was moved, or its key is gone.
var ErrUnreadable = errors.New("secret: it cannot be opened")

// Box seals and opens. It is safe for concurrent use.
type Box struct {
	first []byte // mark of the key that seals
	keys  map[string]cipher.AEAD
}

// Open reads the keys of the file, and makes it with one fresh key when there is
// none. The file is readable by its owner only.
func Open(file string) (*Box, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := generate(file); err != nil {
			return nil, fmt.Errorf("secret: make a key: %w", err)
		}
		b, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("secret: read keys: %w", err)
	}
	box := &Box{keys: map[string]cipher.AEAD{}}
	for _, line := range strings.Fields(string(b)) {
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(key) != keySize {
			return nil, fmt.Errorf("secret: %s: a line is no key of %d bytes in base64", file, keySize)
		}
		if err := box.add(key); err != nil {
			return nil, err
		}
	}
	if box.first == nil {
		return nil, fmt.Errorf("secret: %s has no key", file)
	}
	return box, nil
}

// generate writes a file with one key. Of processes that start together one makes it.
func generate(file string) error {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*") // readable by its owner only
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (b *Box) add(key []byte) error {
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return err
	}
	fingerprint := sha256.Sum256(key)
	mark := append([]byte{form}, fingerprint[:markSize-1]...)
	b.keys[string(mark)] = aead
	if b.first == nil {
		b.first = mark
	}
	return nil
}

// Seal returns the text sealed for the purpose; both may be empty.
func (b *Box) Seal(plain []byte, purpose string) []byte {
	return b.keys[string(b.first)].Seal(bytes.Clone(b.first), nil, plain, []byte(purpose))
}

// Open returns what was sealed for the purpose, or ErrUnreadable.
func (b *Box) Open(sealed []byte, purpose string) ([]byte, error) {
	if len(sealed) < markSize {
		return nil, ErrUnreadable
	}
	aead := b.keys[string(sealed[:markSize])]
	if aead == nil {
		return nil, ErrUnreadable
	}
	plain, err := aead.Open(nil, nil, sealed[markSize:], []byte(purpose))
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}
