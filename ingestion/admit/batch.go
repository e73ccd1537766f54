package admit

import (
	"context"
	"time"

	"foresight/ingestion/decode"
	"foresight/internal/telemetry"
)

// Outcome is what became of one message of a batch: rejected for good, taken into the
// log under Seq, or, with Err, neither: it must be sent again.
type Outcome struct {
	Rejection *decode.Rejection
	IngestID  telemetry.IngestID
	Timestamp time.Time // event time
	Seq       uint64
	Err       error
}

// AdmitAll admits messages that came together and waits until the log has confirmed
// each or ctx ends. The outcomes stand in the order of the messages.
func (a *Admitter) AdmitAll(ctx context.Context, messages []Message) []Outcome {
	tickets := make([]Ticket, len(messages))
	for i := range messages {
		tickets[i] = a.Admit(ctx, messages[i])
	}
	out := make([]Outcome, len(messages))
	for i := range tickets {
		t := &tickets[i]
		out[i] = Outcome{Rejection: t.Rejection, IngestID: t.IngestID, Timestamp: t.Timestamp}
		out[i].Seq, out[i].Err = t.Wait(ctx)
	}
	return out
}
