package secret

import (
	"crypto/cipher"
	"crypto/rand"
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
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = create(path)
	}
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
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

// create makes the file; of processes that start at once all use the first one's.
func create(path string) ([]byte, error) {
	key := make([]byte, chacha20poly1305.KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	data, err := json.Marshal(file{map[uint32][]byte{1: key}})
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
