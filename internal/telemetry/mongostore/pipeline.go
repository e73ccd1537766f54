package mongostore

import (
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"foresight/internal/id"
)

// found is the field in which lookup puts what it finds.
const found = "found"

var (
	unwind      = bson.D{{Key: "$unwind", Value: "$" + found}}
	replaceRoot = bson.D{{Key: "$replaceRoot", Value: bson.D{{Key: "newRoot", Value: "$" + found}}}}
)

// lookup is the stage that finds, for each document, at most n of the collection whose
// field is equal to the document's local one and that match, the first by order. The
// equality goes before the match, so that the index (tenant, field, time descending, …)
// gives them in their order, and no more of them are read.
func lookup(from, local, foreign string, n int, match, order, leaveOut bson.D) bson.D {
	inner := mongo.Pipeline{
		{{Key: "$match", Value: match}},
		{{Key: "$sort", Value: order}},
		{{Key: "$limit", Value: n}},
	}
	if leaveOut != nil {
		inner = append(inner, bson.D{{Key: "$project", Value: leaveOut}})
	}
	return bson.D{{Key: "$lookup", Value: bson.D{
		{Key: "from", Value: from},
		{Key: "localField", Value: local},
		{Key: "foreignField", Value: foreign},
		{Key: "pipeline", Value: inner},
		{Key: "as", Value: found},
	}}}
}

// forEach is the pipeline that makes the lookup for each of the ids, once. It needs no
// collection to begin with.
func forEach(ids []id.UUID, lookup bson.D) mongo.Pipeline {
	docs := make(bson.A, 0, len(ids))
	for _, u := range distinct(ids) {
		docs = append(docs, bson.D{{Key: fieldID, Value: uuid(u)}})
	}
	return mongo.Pipeline{{{Key: "$documents", Value: docs}}, lookup, unwind, replaceRoot}
}
