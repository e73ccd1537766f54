// Package secret seals what the product must be able to read again but what must not
// be read from the database alone: tokens and keys of other systems.
//
// A sealed text is
//
//	version (1 byte, 1) | key id (4 bytes) | nonce (24 bytes) | XChaCha20-Poly1305
//
// with the place where it is stored as associated data: a text moved to another row
// does not open. Nonces are random; 192 bits make a repetition impossible in practice.
package secret

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrUnreadable is of a text that was not sealed by these keys for this place, or was
// changed.
var ErrUnreadable = errors.New("secret: unreadable")

const (
	version   = 1
	header    = 1 + 4
	nonceSize = chacha20poly1305.NonceSizeX

	// Overhead is how many bytes a sealed text is longer than the plain one.
	Overhead = header + nonceSize + chacha20poly1305.Overhead
)

// Box seals with its newest key and opens with any. It is safe for concurrent use.
type Box struct {
	newest uint32
	keys   map[uint32]cipher.AEAD
}

// Seal encrypts the text for the place, such as "fault_actions/<id>".
func (b *Box) Seal(plain []byte, place string) ([]byte, error) {
	out := make([]byte, header+nonceSize, len(plain)+Overhead)
	out[0] = version
	binary.BigEndian.PutUint32(out[1:], b.newest)
	if _, err := rand.Read(out[header:]); err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	return b.keys[b.newest].Seal(out, out[header:], plain, aad(out[:header], place)), nil
}

// Open decrypts a text that was sealed for the place. The error is ErrUnreadable.
func (b *Box) Open(sealed []byte, place string) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, ErrUnreadable
	}
	k, ok := b.keys[binary.BigEndian.Uint32(sealed[1:])]
	if !ok {
		return nil, ErrUnreadable
	}
	plain, err := k.Open(nil, sealed[header:header+nonceSize], sealed[header+nonceSize:], aad(sealed[:header], place))
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}

// aad binds header and place to the text.
func aad(head []byte, place string) []byte { return append(append([]byte(nil), head...), place...) }
