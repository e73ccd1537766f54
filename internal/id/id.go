// Package id makes the identifiers of every entity: UUIDs of version 8 (RFC 9562)
// whose bits are
//
//	48  Unix time in milliseconds   (ids sort by creation time)
//	 4  version (8)
//	12  kind of the entity          (resolvable by node(id) without a look-up table)
//	 2  variant
//	62  random, or a hash for derived ids
//
// To clients an id is opaque.
package id

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// UUID is the type of all ids; an alias so that callers need one import only.
type UUID = uuid.UUID

// Nil is the absent id.
var Nil UUID

// New returns a fresh random id of the kind, stamped with the present time.
// It is safe for concurrent use and panics only when the system has no randomness.
func New(k Kind) UUID {
	var u UUID
	if _, err := rand.Read(u[8:]); err != nil {
		panic("id: no randomness: " + err.Error())
	}
	stamp(&u, k, time.Now())
	return u
}

// Maker returns New bound to a kind, in the form that ent's default functions take.
func Maker(k Kind) func() UUID { return func() UUID { return New(k) } }

// Derive returns the id that the parts determine: the same kind, time (to the
// millisecond) and parts always give the same id. It names what is derived from
// a reading, so that writing it twice writes it once.
func Derive(k Kind, at time.Time, parts ...[]byte) UUID {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	var sum [sha256.Size]byte
	var u UUID
	copy(u[8:], h.Sum(sum[:0]))
	stamp(&u, k, at)
	return u
}

// KindOf returns the kind coded in the id, and false for ids that this package did not make.
func KindOf(u UUID) (Kind, bool) {
	v := binary.BigEndian.Uint16(u[6:8])
	k := Kind(v & 0x0fff)
	if v>>12 != 8 || u[8]>>6 != 2 || !k.known() {
		return 0, false
	}
	return k, true
}

// TimeOf returns the millisecond coded in the id.
func TimeOf(u UUID) time.Time {
	ms := uint64(binary.BigEndian.Uint16(u[0:2]))<<32 | uint64(binary.BigEndian.Uint32(u[2:6]))
	return time.UnixMilli(int64(ms)).UTC()
}

// Parse reads the textual form; the error says nothing of the content.
func Parse(s string) (UUID, error) { return uuid.Parse(s) }

func stamp(u *UUID, k Kind, at time.Time) {
	ms := uint64(at.UnixMilli())
	binary.BigEndian.PutUint16(u[0:2], uint16(ms>>32))
	binary.BigEndian.PutUint32(u[2:6], uint32(ms))
	binary.BigEndian.PutUint16(u[6:8], 0x8000|uint16(k)&0x0fff)
	u[8] = u[8]&0x3f | 0x80
}
