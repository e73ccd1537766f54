package alarms

import (
	"bytes"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/rules"
)

// Transition is one change of an alarm.
type Transition struct {
	EventID id.UUID
	Seq     uint64       // place in the order of all transitions of the tenant, without gaps
	From    rules.Status // rules.None when the alarm was raised
	To      rules.Status
	By      *id.UUID // nil for the product itself
	Note    *string
	At      time.Time // when it was processed, UTC
}

// transitionRows are the columns of insertTransitions.
type transitionRows struct {
	ids, events []id.UUID
	from        []*string
	to          []string
	by          []*id.UUID
	notes       []*string
	at          []time.Time
}

func (r *transitionRows) add(eventID id.UUID, from, to rules.Status, by *id.UUID, note *string, at time.Time) {
	var was *string
	if from != rules.None {
		s := string(from)
		was = &s
	}
	r.ids, r.events = append(r.ids, id.New(id.AlarmTransition)), append(r.events, eventID)
	r.from, r.to = append(r.from, was), append(r.to, string(to))
	r.by, r.notes, r.at = append(r.by, by), append(r.notes, note), append(r.at, at)
}

// queue adds the insertion; each is called with the seq that each row was given.
func (r *transitionRows) queue(b *pgx.Batch, tenant id.UUID, each func(eventID id.UUID, seq int64)) {
	b.Queue(insertTransitions, tenant, r.ids, r.events, r.from, r.to, r.by, r.notes, r.at).Query(func(rows pgx.Rows) error {
		var eventID id.UUID
		var seq int64
		_, err := pgx.ForEachRow(rows, []any{&eventID, &seq}, func() error {
			each(eventID, seq)
			return nil
		})
		return err
	})
}

func compareKeys(a, b rules.Key) int {
	if c := bytes.Compare(a.Sensor[:], b.Sensor[:]); c != 0 {
		return c
	}
	if c := bytes.Compare(a.Rule[:], b.Rule[:]); c != 0 {
		return c
	}
	return bytes.Compare(a.Asset[:], b.Asset[:])
}
