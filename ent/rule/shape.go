package rule

import (
	"context"

	"entgo.io/ent"

	"foresight/ent/privacy"
)

// shape refuses two forms of mutation to which the ORM does not apply the
// predicates of a policy.
//
// An update of one row by id that sets no column is not sent; the ORM then reads
// the row by its id alone. (Entities with audit columns always set some.)
//
// Edges that other rows hold the key of (asset.AddSensors) are written by the id
// of those rows alone. Links are made from the row that holds the key.
func shape(_ context.Context, m ent.Mutation) error {
	if m.Op().Is(ent.OpUpdateOne) && len(m.Fields())+len(m.AddedFields())+len(m.ClearedFields()) == 0 {
		return privacy.Denyf("rule: an update of one %s sets no column", m.Type())
	}
	for _, edge := range m.AddedEdges() {
		if _, held := m.Field(edge + "_id"); !held {
			return privacy.Denyf("rule: %s.%s is written from the other side", m.Type(), edge)
		}
	}
	for _, edge := range m.ClearedEdges() {
		if !m.FieldCleared(edge + "_id") {
			return privacy.Denyf("rule: %s.%s is cleared from the other side", m.Type(), edge)
		}
	}
	if removed := m.RemovedEdges(); len(removed) > 0 {
		return privacy.Denyf("rule: %s.%s is removed from the other side", m.Type(), removed[0])
	}
	return privacy.Skip
}
