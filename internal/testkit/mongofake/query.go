package mongofake

import (
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// find answers filter, hint, sort, limit and projection.
func (m *Memory) find(at *collection, cmd bson.D) ([]bson.D, error) {
	filter, _ := Get(cmd, "filter").(bson.D)
	order, _ := Get(cmd, "sort").(bson.D)
	if hint, ok := Get(cmd, "hint").(bson.D); ok {
		i := at.index(hint)
		if i < 0 {
			return nil, fail(2, "hint provided does not correspond to an existing index: %v", hint)
		}
		if partial, ok := Get(at.indexes[i], "partialFilterExpression").(bson.D); ok {
			for _, e := range partial {
				if compare(Get(filter, e.Key), e.Value) != 0 {
					return nil, fail(2, "the filter does not imply that of the partial index %v", hint)
				}
			}
		}
		if len(order) > 0 && !gives(Get(at.indexes[i], "key").(bson.D), filter, order) {
			m.sorts = append(m.sorts, Sort{at.name, filter, order})
		}
	}
	var out []bson.D
	for _, d := range at.docs {
		ok, err := matches(d, filter)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, d)
		}
	}
	if len(order) == 0 {
		order = bson.D{{Key: "_id", Value: int32(1)}} // some order that is the same every time
	}
	sortBy(out, order)
	if n, ok := number(Get(cmd, "limit")); ok && n > 0 {
		out = out[:min(int(n), len(out))]
	}
	if p, ok := Get(cmd, "projection").(bson.D); ok {
		for i := range out {
			out[i] = project(out[i], p)
		}
	}
	return out, nil
}

func project(d, p bson.D) (out bson.D) {
	wanted := func(name string) bool {
		n, named := number(Get(p, name))
		if first, _ := number(p[0].Value); first == 0 {
			return !named
		}
		return named && n == 1 || name == "_id"
	}
	for _, e := range d {
		if wanted(e.Key) {
			out = append(out, e)
		}
	}
	return out
}

// gives reports whether an index gives the order: its keys, without those that the
// filter holds to one value, begin with it, all in its direction or all against it.
func gives(keys, filter, order bson.D) bool {
	fixed := func(name string) bool {
		v := Get(filter, name)
		_, operators := v.(bson.D)
		return v != nil && !operators
	}
	few := func(name string) bool { // a list of values: the server merges what it finds for each
		operators, _ := Get(filter, name).(bson.D)
		return len(operators) == 1 && operators[0].Key == "$in"
	}
	at, turned := 0, int64(0)
	for _, o := range order {
		if fixed(o.Key) {
			continue
		}
		for at < len(keys) && keys[at].Key != o.Key && (fixed(keys[at].Key) || few(keys[at].Key)) {
			at++
		}
		if at == len(keys) || keys[at].Key != o.Key {
			return false
		}
		have, _ := number(keys[at].Value)
		want, _ := number(o.Value)
		if turned != 0 && have*want != turned {
			return false
		}
		turned = have * want
		at++
	}
	return true
}

func sortBy(docs []bson.D, order bson.D) {
	slices.SortStableFunc(docs, func(a, b bson.D) int {
		for _, o := range order {
			if c := compare(Get(a, o.Key), Get(b, o.Key)); c != 0 {
				n, _ := number(o.Value)
				return c * int(n)
			}
		}
		return 0
	})
}

func (m *Memory) pipeline(database string, at *collection, stages bson.A) (docs []bson.D, err error) {
	if at != nil {
		for _, d := range at.docs {
			docs = append(docs, d)
		}
		sortBy(docs, bson.D{{Key: "_id", Value: int32(1)}})
	}
	for _, stage := range stages {
		e := stage.(bson.D)[0]
		switch e.Key {
		case "$documents":
			for _, d := range e.Value.(bson.A) {
				docs = append(docs, d.(bson.D))
			}
		case "$match":
			var kept []bson.D
			for _, d := range docs {
				ok, err := matches(d, e.Value.(bson.D))
				if err != nil {
					return nil, err
				}
				if ok {
					kept = append(kept, d)
				}
			}
			docs = kept
		case "$sort":
			sortBy(docs, e.Value.(bson.D))
		case "$limit":
			n, _ := number(e.Value)
			docs = docs[:min(int(n), len(docs))]
		case "$project":
			for i := range docs {
				docs[i] = project(docs[i], e.Value.(bson.D))
			}
		case "$group":
			docs = group(docs, e.Value.(bson.D))
		case "$unwind":
			docs = unwind(docs, path(e.Value))
		case "$replaceRoot":
			for i := range docs {
				docs[i] = Get(docs[i], path(Get(e.Value.(bson.D), "newRoot"))).(bson.D)
			}
		case "$lookup":
			if docs, err = m.lookup(database, docs, e.Value.(bson.D)); err != nil {
				return nil, err
			}
		default:
			return nil, fail(40324, "Unrecognized pipeline stage name: '%s'", e.Key)
		}
	}
	return docs, nil
}

// path reads `$field`.
func path(v any) string { return v.(string)[1:] }

// group knows fields, days of times, and documents of these, as _id, and counting ($sum: 1)
// and means ($avg).
func group(docs []bson.D, spec bson.D) (out []bson.D) {
	at := map[string]int{}
	var sizes []float64 // of the groups
	for _, d := range docs {
		v := member(d, spec[0].Value)
		k := key(v)
		i, seen := at[k]
		if !seen {
			i, at[k] = len(out), len(out)
			out, sizes = append(out, bson.D{{Key: "_id", Value: v}}), append(sizes, 0)
		}
		sizes[i]++
		for _, e := range spec[1:] {
			if of := Get(e.Value.(bson.D), "$avg"); of != nil {
				mean, _ := Get(out[i], e.Key).(float64)
				out[i] = set(out[i], e.Key, mean+(Get(d, path(of)).(float64)-mean)/sizes[i])
				continue
			}
			n, _ := number(Get(out[i], e.Key))
			out[i] = set(out[i], e.Key, int32(n)+Get(e.Value.(bson.D), "$sum").(int32))
		}
	}
	slices.Reverse(out) // the server promises no order
	return out
}

func member(d bson.D, by any) any {
	fields, ok := by.(bson.D)
	if !ok {
		return Get(d, path(by))
	}
	if cut, ok := Get(fields, "$dateTrunc").(bson.D); ok { // to the day
		return bson.NewDateTimeFromTime(Get(d, path(Get(cut, "date"))).(bson.DateTime).Time().UTC().Truncate(24 * time.Hour))
	}
	var v bson.D
	for _, f := range fields {
		v = append(v, bson.E{Key: f.Key, Value: member(d, f.Value)})
	}
	return v
}

func unwind(docs []bson.D, name string) (out []bson.D) {
	for _, d := range docs {
		for _, v := range Get(d, name).(bson.A) {
			out = append(out, set(slices.Clone(d), name, v))
		}
	}
	return out
}

// lookup runs the inner pipeline for each document on what its equality matches, which
// must have an index that gives the order.
func (m *Memory) lookup(database string, docs []bson.D, l bson.D) ([]bson.D, error) {
	from := m.collections[database+"."+Get(l, "from").(string)]
	local, foreign := Get(l, "localField").(string), Get(l, "foreignField").(string)
	inner := Get(l, "pipeline").(bson.A)
	as := Get(l, "as").(string)
	for i, d := range docs {
		var found []bson.D
		if from != nil {
			filter := append(bson.D{{Key: foreign, Value: Get(d, local)}}, Get(inner[0].(bson.D), "$match").(bson.D)...)
			order := Get(inner[1].(bson.D), "$sort").(bson.D)
			if !slices.ContainsFunc(from.indexes, func(i bson.D) bool {
				keys := Get(i, "key").(bson.D)
				return Get(i, "partialFilterExpression") == nil && Get(filter, keys[0].Key) != nil && len(keys) > 2 && Get(filter, keys[1].Key) != nil && gives(keys, filter, order)
			}) {
				m.sorts = append(m.sorts, Sort{from.name, filter, order})
			}
			var err error
			match := bson.D{{Key: "$match", Value: bson.D{{Key: foreign, Value: Get(d, local)}}}}
			if found, err = m.pipeline(database, from, append(bson.A{match}, inner...)); err != nil {
				return nil, err
			}
		}
		docs[i] = set(slices.Clone(d), as, array(found))
	}
	return docs, nil
}
