package mongostore

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// state is how a collection is.
type state struct {
	Name    string `bson:"name"`
	Options struct {
		Validator bson.Raw `bson:"validator"`
		Level     string   `bson:"validationLevel"`
		Action    string   `bson:"validationAction"`
	} `bson:"options"`
	indexes []indexState
}

// indexState is how an index is.
type indexState struct {
	Name    string         `bson:"name"`
	Keys    bson.Raw       `bson:"key"`
	Partial bson.Raw       `bson:"partialFilterExpression"`
	Expires *bson.RawValue `bson:"expireAfterSeconds"`
	Unique  bool           `bson:"unique"`
	Sparse  bool           `bson:"sparse"`
}

// change is a difference between how the schema is and how it must be. command mends
// it; it is nil when only a person can, for it would lose something.
type change struct {
	what    string
	command bson.D
}

// String says what is wrong, and the command that mends it.
func (c change) String() string {
	if c.command == nil {
		return c.what
	}
	text, err := bson.MarshalExtJSON(c.command, false, false)
	if err != nil {
		return c.what
	}
	return c.what + "; wanted: " + string(text)
}

// differences compares; have is nil for a collection that is not there.
func (c *collection) differences(have *state) (out []change) {
	rules := bson.D{{Key: "validator", Value: c.validator}, {Key: "validationLevel", Value: "strict"}, {Key: "validationAction", Value: "error"}}
	if have == nil {
		out = append(out, change{"collection " + c.name + " is missing", append(bson.D{{Key: "create", Value: c.name}}, rules...)})
		have = &state{}
	} else if !same(have.Options.Validator, c.validator) || have.Options.Level != "strict" && have.Options.Level != "" ||
		have.Options.Action != "error" && have.Options.Action != "" {
		out = append(out, change{"the validator of " + c.name + " is another", append(bson.D{{Key: "collMod", Value: c.name}}, rules...)})
	}
	var missing bson.A
	what := ""
	for _, want := range c.indexes {
		at := slices.IndexFunc(have.indexes, func(h indexState) bool { return sameKeys(h.Keys, want.keys) && samePartial(h.Partial, want.partial) })
		if at < 0 {
			missing = append(missing, want.definition())
			what += " " + want.name + " " + want.text()
			continue
		}
		if d, ok := c.indexDifference(&want, &have.indexes[at]); ok {
			out = append(out, d)
		}
	}
	if missing != nil {
		out = append(out, change{"indexes of " + c.name + " are missing:" + what,
			bson.D{{Key: "createIndexes", Value: c.name}, {Key: "indexes", Value: missing}}})
	}
	return out
}

func (c *collection) indexDifference(want *index, have *indexState) (change, bool) {
	what := fmt.Sprintf("index %s %s of %s", have.Name, want.text(), c.name)
	if have.Unique || have.Sparse {
		return change{what: what + " is unique or sparse, which it must not be: drop it"}, true
	}
	if want.ttl == 0 {
		if have.Expires != nil {
			return change{what: what + " expires documents, which it must not: drop it"}, true
		}
		return change{}, false
	}
	if have.Expires != nil {
		if s, ok := have.Expires.AsInt64OK(); ok && s == int64(want.ttl/time.Second) {
			return change{}, false
		}
	}
	return change{what + " does not expire documents after " + want.ttl.String(), bson.D{{Key: "collMod", Value: c.name},
		{Key: "index", Value: bson.D{{Key: "keyPattern", Value: want.keys}, {Key: "expireAfterSeconds", Value: int64(want.ttl / time.Second)}}}}}, true
}

func (i *index) definition() bson.D {
	d := bson.D{{Key: "key", Value: i.keys}, {Key: "name", Value: i.name}}
	if i.partial != nil {
		d = append(d, bson.E{Key: "partialFilterExpression", Value: i.partial})
	}
	if i.ttl != 0 {
		d = append(d, bson.E{Key: "expireAfterSeconds", Value: int64(i.ttl / time.Second)})
	}
	return d
}

func (i *index) text() string {
	text, err := bson.MarshalExtJSON(i.keys, false, false)
	if err != nil {
		return fmt.Sprint(i.keys)
	}
	return string(text)
}

// sameKeys compares keys of indexes in order; directions may be of any number type.
func sameKeys(have bson.Raw, want bson.D) bool {
	elements, err := have.Elements()
	if err != nil || len(elements) != len(want) {
		return false
	}
	for i, e := range elements {
		direction, ok := e.Value().AsInt64OK()
		if e.Key() != want[i].Key || !ok || direction != int64(want[i].Value.(int32)) {
			return false
		}
	}
	return true
}

func samePartial(have bson.Raw, want bson.D) bool {
	if len(have) == 0 || want == nil {
		return len(have) == 0 && want == nil
	}
	return same(have, want)
}

// same compares documents: the order of names does not count, nor the type of a number
// that is whole.
func same(have bson.Raw, want bson.D) bool {
	w, err := bson.Marshal(want)
	return err == nil && sameValue(bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: have}, bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: w})
}

func sameValue(a, b bson.RawValue) bool {
	if x, ok := a.AsInt64OK(); ok {
		y, ok := b.AsInt64OK()
		return ok && x == y
	}
	if a.Type != b.Type {
		return false
	}
	switch a.Type {
	case bson.TypeEmbeddedDocument:
		x, errX := bson.Raw(a.Value).Elements()
		y, errY := bson.Raw(b.Value).Elements()
		if errX != nil || errY != nil || len(x) != len(y) {
			return false
		}
		for _, e := range x {
			other, err := bson.Raw(b.Value).LookupErr(e.Key())
			if err != nil || !sameValue(e.Value(), other) {
				return false
			}
		}
		return true
	case bson.TypeArray:
		x, errX := bson.RawArray(a.Value).Values()
		y, errY := bson.RawArray(b.Value).Values()
		return errX == nil && errY == nil && slices.EqualFunc(x, y, sameValue)
	}
	return bytes.Equal(a.Value, b.Value)
}
