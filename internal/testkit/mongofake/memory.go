package mongofake

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Memory keeps documents as MongoDB's manual says that it does, for as many commands
// and operators as the product's store uses; any other fails the command. It holds
// documents to their validators, keys to be unique and hints to indexes that are there
// and can answer. Nothing expires. Its method Handle is a Handler.
type Memory struct {
	mu          sync.Mutex
	collections map[string]*collection // by database.name
	cursors     map[int64]*cursor
	lastCursor  int64
	sorts       []Sort
}

// Sort is an order that was asked for and that no index gives: the server would read
// all that the filter matches before it answers.
type Sort struct {
	Collection    string
	Filter, Order bson.D
}

type collection struct {
	name    string
	options bson.D
	indexes []bson.D
	docs    map[string]bson.D // by the bytes of their _id
}

type cursor struct {
	collection string
	rest       []bson.D
}

// NewMemory returns an empty one.
func NewMemory() *Memory {
	return &Memory{collections: map[string]*collection{}, cursors: map[int64]*cursor{}}
}

// Sorts returns the orders without an index.
func (m *Memory) Sorts() []Sort {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sorts)
}

// failure is an error as the server reports it.
type failure struct {
	code int
	text string
}

func (f failure) Error() string { return f.text }

func fail(code int, format string, args ...any) error {
	return failure{code, fmt.Sprintf(format, args...)}
}

// Handle answers one command.
func (m *Memory) Handle(_ context.Context, c Command) bson.D {
	m.mu.Lock()
	defer m.mu.Unlock()
	reply, err := m.handle(c)
	if err != nil {
		f, ok := err.(failure)
		if !ok {
			f = failure{8, err.Error()}
		}
		return Failure(f.code, "", f.text)
	}
	return reply
}

func (m *Memory) handle(c Command) (bson.D, error) {
	name, _ := c.Doc[0].Value.(string)
	key := c.Database + "." + name
	switch c.Name {
	case "ping":
		return bson.D{}, nil
	case "create":
		if m.collections[key] != nil {
			return nil, fail(48, "collection %s is there already", key)
		}
		m.collections[key] = newCollection(name, pick(c.Doc, "validator", "validationLevel", "validationAction"))
		return bson.D{}, nil
	case "listCollections":
		return m.listCollections(c)
	case "dropDatabase":
		for key := range m.collections {
			if len(key) > len(c.Database) && key[:len(c.Database)+1] == c.Database+"." {
				delete(m.collections, key)
			}
		}
		return bson.D{}, nil
	case "getMore":
		return m.getMore(c)
	case "killCursors":
		for _, id := range Get(c.Doc, "cursors").(bson.A) {
			delete(m.cursors, id.(int64))
		}
		return bson.D{}, nil
	case "aggregate":
		docs, err := m.pipeline(c.Database, m.collections[key], Get(c.Doc, "pipeline").(bson.A))
		if err != nil {
			return nil, err
		}
		return m.open(c, key, docs), nil
	}
	at := m.collections[key]
	if at == nil {
		if c.Name != "insert" && c.Name != "update" {
			return nil, fail(26, "collection %s is not there", key)
		}
		at = newCollection(name, nil)
		m.collections[key] = at
	}
	switch c.Name {
	case "collMod":
		return at.mod(c.Doc)
	case "createIndexes":
		return at.createIndexes(c.Doc)
	case "listIndexes":
		return m.open(c, key, at.indexes), nil
	case "insert":
		return at.insert(c.Doc)
	case "update":
		return at.update(c.Doc)
	case "delete":
		return m.remove(at, c.Doc)
	case "find":
		docs, err := m.find(at, c.Doc)
		if err != nil {
			return nil, err
		}
		return m.open(c, key, docs), nil
	}
	return nil, fail(59, "no such command: %s", c.Name)
}

func newCollection(name string, options bson.D) *collection {
	return &collection{name: name, options: options, docs: map[string]bson.D{},
		indexes: []bson.D{{{Key: "v", Value: int32(2)}, {Key: "key", Value: bson.D{{Key: "_id", Value: int32(1)}}}, {Key: "name", Value: "_id_"}}}}
}

// pick returns the named fields of a document.
func pick(d bson.D, names ...string) (out bson.D) {
	for _, e := range d {
		if slices.Contains(names, e.Key) {
			out = append(out, e)
		}
	}
	return out
}

func (m *Memory) listCollections(c Command) (bson.D, error) {
	filter, _ := Get(c.Doc, "filter").(bson.D)
	var out []bson.D
	for key, at := range m.collections {
		if key != c.Database+"."+at.name {
			continue
		}
		d := bson.D{{Key: "name", Value: at.name}, {Key: "type", Value: "collection"}, {Key: "options", Value: append(bson.D{}, at.options...)}}
		ok, err := matches(d, filter)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, d)
		}
	}
	return m.open(c, c.Database+".$cmd.listCollections", out), nil
}

func (at *collection) mod(cmd bson.D) (bson.D, error) {
	if change, ok := Get(cmd, "index").(bson.D); ok {
		i := at.index(Get(change, "keyPattern").(bson.D))
		if i < 0 {
			return nil, fail(27, "no such index")
		}
		at.indexes[i] = set(slices.Clone(at.indexes[i]), "expireAfterSeconds", Get(change, "expireAfterSeconds"))
		return bson.D{}, nil
	}
	for _, e := range pick(cmd, "validator", "validationLevel", "validationAction") {
		at.options = set(slices.Clone(at.options), e.Key, e.Value)
	}
	return bson.D{}, nil
}

func (at *collection) createIndexes(cmd bson.D) (bson.D, error) {
	for _, i := range Get(cmd, "indexes").(bson.A) {
		i := i.(bson.D)
		if slices.ContainsFunc(at.indexes, func(have bson.D) bool { return Get(have, "name") == Get(i, "name") }) {
			return nil, fail(86, "an index with the name %v is there", Get(i, "name"))
		}
		if at.index(Get(i, "key").(bson.D)) >= 0 {
			return nil, fail(85, "an index with the keys %v is there", Get(i, "key"))
		}
		at.indexes = append(at.indexes, append(bson.D{{Key: "v", Value: int32(2)}}, i...))
	}
	return bson.D{{Key: "numIndexesAfter", Value: len(at.indexes)}}, nil
}

// index returns the place of the index with the keys, -1 when there is none such.
func (at *collection) index(keys bson.D) int {
	return slices.IndexFunc(at.indexes, func(i bson.D) bool { return compare(Get(i, "key"), keys) == 0 })
}

// set changes or adds a field.
func set(d bson.D, name string, value any) bson.D {
	for i := range d {
		if d[i].Key == name {
			d[i].Value = value
			return d
		}
	}
	return append(d, bson.E{Key: name, Value: value})
}

// firstBatch is what the server sends when nothing is said of the size.
const firstBatch = 101

func (m *Memory) open(c Command, collection string, docs []bson.D) bson.D {
	size := firstBatch
	if options, ok := Get(c.Doc, "cursor").(bson.D); ok {
		size = batchSize(options, size)
	}
	size = batchSize(c.Doc, size)
	id := int64(0)
	first := docs
	if len(docs) > size {
		first = docs[:size]
		m.lastCursor++
		id = m.lastCursor
		m.cursors[id] = &cursor{collection, docs[size:]}
	}
	return bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: collection}, {Key: "firstBatch", Value: array(first)}}}}
}

func batchSize(d bson.D, size int) int {
	if n, ok := number(Get(d, "batchSize")); ok && n > 0 {
		return int(n)
	}
	return size
}

func (m *Memory) getMore(c Command) (bson.D, error) {
	id := c.Doc[0].Value.(int64)
	at := m.cursors[id]
	if at == nil {
		return nil, fail(43, "cursor %d is not there", id)
	}
	n := min(len(at.rest), batchSize(c.Doc, len(at.rest)))
	next := at.rest[:n]
	at.rest = at.rest[n:]
	if len(at.rest) == 0 {
		delete(m.cursors, id)
		id = 0
	}
	return bson.D{{Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: at.collection}, {Key: "nextBatch", Value: array(next)}}}}, nil
}

func array(docs []bson.D) bson.A {
	out := make(bson.A, len(docs))
	for i := range docs {
		out[i] = docs[i]
	}
	return out
}

func (at *collection) insert(cmd bson.D) (bson.D, error) {
	var failures bson.A
	n := 0
	for i, d := range Get(cmd, "documents").(bson.A) {
		if err := at.add(d.(bson.D)); err != nil {
			failures = append(failures, WriteError(i, err.(failure).code, err.Error()))
			if Get(cmd, "ordered") != false {
				break
			}
			continue
		}
		n++
	}
	return written(n, failures), nil
}

func written(n int, failures bson.A) bson.D {
	d := bson.D{{Key: "n", Value: n}}
	if failures != nil {
		d = append(d, bson.E{Key: "writeErrors", Value: failures})
	}
	return d
}

func key(id any) string {
	_, b, err := bson.MarshalValue(id)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (at *collection) add(d bson.D) error {
	k := key(Get(d, "_id"))
	if at.docs[k] != nil {
		return fail(11000, "E11000 duplicate key error collection: %s index: _id_ dup key", at.name)
	}
	return at.put(k, d)
}

func (at *collection) put(k string, d bson.D) error {
	if v, ok := Get(at.options, "validator").(bson.D); ok {
		if why := violates(d, Get(v, "$jsonSchema").(bson.D), ""); why != "" {
			return fail(121, "Document failed validation: %s", why)
		}
	}
	at.docs[k] = d
	return nil
}

func (at *collection) update(cmd bson.D) (bson.D, error) {
	var failures, upserted bson.A
	n, modified := 0, 0
	for i, u := range Get(cmd, "updates").(bson.A) {
		u := u.(bson.D)
		inserted, err := at.updateOne(Get(u, "q").(bson.D), Get(u, "u").(bson.D), Get(u, "upsert") == true)
		switch f, ok := err.(failure); {
		case err == nil && inserted != nil:
			n++
			upserted = append(upserted, bson.D{{Key: "index", Value: i}, {Key: "_id", Value: inserted}})
		case err == nil:
			n++
			modified++
		case ok:
			failures = append(failures, WriteError(i, f.code, f.text))
		default:
			return nil, err
		}
	}
	d := append(written(n, failures), bson.E{Key: "nModified", Value: modified})
	if upserted != nil {
		d = append(d, bson.E{Key: "upserted", Value: upserted})
	}
	return d, nil
}

func (at *collection) updateOne(q, u bson.D, upsert bool) (inserted any, err error) {
	for k, d := range at.docs {
		ok, err := matches(d, q)
		if err != nil {
			return nil, err
		}
		if ok {
			return nil, at.put(k, apply(d, u, false))
		}
	}
	if !upsert {
		return nil, nil
	}
	var d bson.D
	for _, e := range q {
		if _, operators := e.Value.(bson.D); !operators {
			d = append(d, e)
		}
	}
	d = apply(d, u, true)
	return Get(d, "_id"), at.add(d)
}

// apply changes a document by operators, or replaces all but its _id.
func apply(d, u bson.D, inserting bool) bson.D {
	if len(u) == 0 || u[0].Key[0] != '$' {
		out := bson.D{{Key: "_id", Value: Get(d, "_id")}}
		for _, e := range u {
			out = set(out, e.Key, e.Value)
		}
		return out
	}
	d = slices.Clone(d)
	for _, op := range u {
		for _, e := range op.Value.(bson.D) {
			switch {
			case op.Key == "$set" || op.Key == "$setOnInsert" && inserting:
				d = set(d, e.Key, e.Value)
			case op.Key == "$currentDate":
				d = set(d, e.Key, bson.NewDateTimeFromTime(time.Now()))
			case op.Key != "$setOnInsert":
				panic("mongofake: " + op.Key)
			}
		}
	}
	return d
}

func (m *Memory) remove(at *collection, cmd bson.D) (bson.D, error) {
	n := 0
	for _, one := range Get(cmd, "deletes").(bson.A) {
		one := one.(bson.D)
		found, err := m.find(at, bson.D{{Key: "filter", Value: Get(one, "q")}, {Key: "hint", Value: Get(one, "hint")}})
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			delete(at.docs, key(Get(d, "_id")))
			n++
		}
	}
	return written(n, nil), nil
}
