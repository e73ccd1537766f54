package admit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"

	"foresight/ingestion/decode"
	"foresight/internal/telemetry"
)

var hashes = sync.Pool{New: func() any { return &hasher{Hash: sha256.New()} }}

type hasher struct {
	hash.Hash
	sum [sha256.Size]byte
	n   [8]byte
}

// ingestID names a message: the first half of SHA-256 over tenant, sensor, event
// time and the client's own id, or the payload when it gave none. So a message that
// is sent or replayed again has the same id, and its event time with it.
//
// A message without a timestamp has nothing that tells a repeat from a new reading
// of the same values: its id is random, and it is exactly-once from here on only.
func ingestID(k telemetry.Key, p *decode.Payload, payload []byte) (out telemetry.IngestID) {
	if p.Timestamp.IsZero() {
		rand.Read(out[:]) // never fails
		return out
	}
	h := hashes.Get().(*hasher)
	defer hashes.Put(h)
	h.Reset()
	h.Write(k.Tenant[:])
	h.Write(k.Sensor[:])
	binary.BigEndian.PutUint64(h.n[:], uint64(p.Timestamp.UnixMilli()))
	h.Write(h.n[:])
	if p.IngestID != "" {
		h.Write([]byte{1})
		h.Write([]byte(p.IngestID))
	} else {
		h.Write([]byte{0})
		h.Write(payload)
	}
	copy(out[:], h.Sum(h.sum[:0]))
	return out
}
