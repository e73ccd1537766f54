package secret

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/chacha20poly1305"
)

// file is the key file. To rotate, add a key with the next id and start again: what is
// sealed from then on is with the greatest id. A key that is taken out makes
// unreadable what was sealed with it.
type file struct {
	Keys map[uint32][]byte `json:"keys"` // 32 bytes each, base64
}

// Open reads the key file, and makes one where there is none. Only its owner may read
// the file.
func Open(path string) (*Box, error) {
	b, err := Kept(path, func() ([]byte, error) {
		return json.Marshal(file{map[uint32][]byte{1: Random(chacha20poly1305.KeySize)}})
	})
	if err != nil {
		return nil, err
	}
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("secret: %s is no key file", path) // the error may quote a key
	}
	return New(f.Keys)
}

// New returns a box with the keys, 32 bytes each, by id.
func New(keys map[uint32][]byte) (*Box, error) {
	if len(keys) == 0 {
		return nil, errors.New("secret: no key")
	}
	out := &Box{keys: make(map[uint32]cipher.AEAD, len(keys))}
	for n, k := range keys {
		a, err := chacha20poly1305.NewX(k)
		if err != nil {
			return nil, fmt.Errorf("secret: key %d: %w", n, err)
		}
		out.keys[n], out.newest = a, max(out.newest, n)
	}
	return out, nil
}

// Random returns n bytes that nobody can guess.
func Random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// Text returns n bytes that nobody can guess in URL-safe base64 without padding.
func Text(n int) string { return base64.RawURLEncoding.EncodeToString(Random(n)) }

// Kept reads a file that only its owner may read, and makes it with fresh content where
// there is none. Of processes that start at once all use the first one's.
func Kept(path string, fresh func() ([]byte, error)) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = create(path, fresh)
	}
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	return b, nil
}

func create(path string, fresh func() ([]byte, error)) ([]byte, error) {
	data, err := fresh()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".secrets-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return nil, err
	}
	// A link, unlike a rename, does not replace what another process has just made.
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}
