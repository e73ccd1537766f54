package admit

import (
	"context"
	"errors"
	"time"

	"foresight/ingestion/decode"
	"foresight/internal/telemetry"
)

// Outcome is what became of one message of a batch: rejected for good, taken into the
// log under Seq, or, with Err, neither: it must be sent again, after the time of a
// QuotaError when it is one.
type Outcome struct {
	Rejection *decode.Rejection
	IngestID  telemetry.IngestID
	Timestamp time.Time // event time
	Seq       uint64
	Err       error
}

// AdmitAll admits messages of one sender that came together and waits until the log has
// confirmed each or ctx ends. The outcomes stand in the order of the messages. When one
// is told that the quota has no room, so are those behind it, each for a time of its
// own: a message must not overtake the one before it.
func (a *Admitter) AdmitAll(ctx context.Context, messages []Message) []Outcome {
	tickets := make([]Ticket, len(messages))
	told, within := 0, ctx
	for i := range messages {
		tickets[i] = a.admit(within, messages[i], told)
		if i == 0 {
			within = a.once(ctx)
		}
		if errors.As(tickets[i].err, new(*QuotaError)) {
			told++
		}
	}
	out := make([]Outcome, len(messages))
	for i := range tickets {
		t := &tickets[i]
		out[i] = Outcome{Rejection: t.Rejection, IngestID: t.IngestID, Timestamp: t.Timestamp}
		out[i].Seq, out[i].Err = t.Wait(ctx)
	}
	return out
}
