package mongostore

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// entry is an encoded document with its place in the caller's list.
type entry struct {
	at   int
	key  []byte // its _id
	body []byte
}

// inKeyOrder sorts by key and then by place, so that documents go where their
// neighbours are and equal ones stand together, the caller's first in front. first is
// the entries without the later ones of equal keys.
func inKeyOrder(entries []entry) (first []entry) {
	slices.SortFunc(entries, func(a, b entry) int {
		if c := bytes.Compare(a.key, b.key); c != 0 {
			return c
		}
		return a.at - b.at
	})
	return slices.CompactFunc(slices.Clone(entries), func(a, b entry) bool { return bytes.Equal(a.key, b.key) })
}

// insert writes the documents in one unordered insert and returns those that were
// there already.
func insert(ctx context.Context, c *mongo.Collection, entries []entry) (there []entry, err error) {
	docs := make([]bson.Raw, len(entries))
	for i := range entries {
		docs[i] = entries[i].body
	}
	_, err = c.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	dup, err := duplicates(err)
	if err != nil {
		return nil, err
	}
	for _, i := range dup {
		there = append(there, entries[i])
	}
	return there, nil
}

// arena holds the bytes of many documents. Slices of it are cut when all is written,
// for it moves while it grows.
type arena struct {
	bytes []byte
	ends  []int // of key, body, key, body, …
}

// maxDocument is what MongoDB takes at most.
const maxDocument = 16 << 20

// add appends a key and the document that write appends for it.
func (a *arena) add(key []byte, write func([]byte) ([]byte, error)) error {
	a.bytes = append(a.bytes, key...)
	begin := len(a.bytes)
	b, err := write(a.bytes)
	if err != nil {
		return err
	}
	if len(b)-begin > maxDocument {
		return fmt.Errorf("%w: %d bytes", errRefused, len(b)-begin)
	}
	a.bytes = b
	a.ends = append(a.ends, begin, len(b))
	return nil
}

func newArena(documents, size int) arena {
	return arena{bytes: make([]byte, 0, documents*size), ends: make([]int, 0, 2*documents)}
}

// entries cuts the arena.
func (a *arena) entries() []entry {
	out := make([]entry, len(a.ends)/2)
	begin := 0
	for i := range out {
		k, b := a.ends[2*i], a.ends[2*i+1]
		out[i] = entry{at: i, key: a.bytes[begin:k:k], body: a.bytes[k:b:b]}
		begin = b
	}
	return out
}
