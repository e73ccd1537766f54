package resolver

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"foresight/graph/gqlerr"
	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Ingester is the gate of the pipeline, the same for all doors. It acts for the actor
// of the context, and for its sites only.
type Ingester interface {
	// Ingest returns what became of each reading, in their order, when the log has
	// confirmed them or the context ends.
	Ingest(ctx context.Context, readings []IngestReading) ([]IngestOutcome, error)
}

// IngestReading is a message of one sensor, its payload in the form of MQTT.
type IngestReading struct {
	Sensor  string // code
	Payload []byte
}

// IngestOutcome is what became of a reading: rejected with a reason, not confirmed
// with Err, else accepted.
type IngestOutcome struct {
	Reason    string
	IngestID  telemetry.IngestID
	Timestamp time.Time
	Err       error
	// RetryAfter is when there is room for the reading, when it was not taken as the
	// tenant is over its quota; else 0.
	RetryAfter time.Duration
}

// Limits of ingestReadings.
const (
	maxIngest = 500
	maxValues = 256 // of one reading
	// ingestWithin bounds the wait for quota and log.
	ingestWithin = 15 * time.Second
)

func (r *Resolver) ingest(ctx context.Context, in model.IngestReadingsInput) (*model.IngestReadingsPayload, error) {
	if err := tenancy.Require(ctx, tenancy.TelemetryWrite); err != nil {
		return nil, err
	}
	readings, err := ingestReadings(in)
	if err == nil && r.Ingester == nil {
		err = fault.New(fault.Unavailable, "error.ingest.unavailable")
	}
	var outcomes []IngestOutcome
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, ingestWithin)
		defer cancel()
		outcomes, err = r.Ingester.Ingest(ctx, readings)
	}
	out := &model.IngestReadingsPayload{Results: []*model.IngestResult{}}
	if out.UserErrors, err = gqlerr.UserErrors(ctx, err); err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		result := ingestResult(ctx, i, o)
		switch result.Status {
		case model.IngestStatusAccepted:
			out.AcceptedCount++
		case model.IngestStatusRejected:
			out.RejectedCount++
		}
		out.Results = append(out.Results, result)
	}
	return out, nil
}

func ingestResult(ctx context.Context, i int, o IngestOutcome) *model.IngestResult {
	switch {
	case o.RetryAfter > 0:
		seconds := int((o.RetryAfter + time.Second - 1) / time.Second)
		message := gqlerr.LocalizerFrom(ctx).Error(fault.New(fault.RateLimited, "error.ingest.overQuota").With("Seconds", seconds))
		return &model.IngestResult{Index: i, Status: model.IngestStatusRateLimited, RetryAfter: &seconds, Message: &message}
	case o.Err != nil:
		f := fault.New(fault.Unavailable, "error.ingest.unconfirmed")
		message := gqlerr.LocalizerFrom(ctx).Error(f)
		return &model.IngestResult{Index: i, Status: model.IngestStatusRetry, Message: &message}
	case o.Reason != "":
		message := wordsOf(ctx).Reason(o.Reason)
		return &model.IngestResult{Index: i, Status: model.IngestStatusRejected, Reason: &o.Reason, Message: &message}
	}
	ingestID := hex.EncodeToString(o.IngestID[:])
	return &model.IngestResult{Index: i, Status: model.IngestStatusAccepted, IngestID: &ingestID, Timestamp: &o.Timestamp}
}

// ingestReadings writes readings in the form of MQTT: what is wrong with one of them
// is for admission to say.
func ingestReadings(in model.IngestReadingsInput) ([]IngestReading, error) {
	switch n := len(in.Readings); {
	case n == 0:
		return nil, fault.Invalid("input.readings", "error.required")
	case n > maxIngest:
		return nil, fault.Invalid("input.readings", "error.tooMany").With("Max", maxIngest)
	}
	out := make([]IngestReading, len(in.Readings))
	for i, reading := range in.Readings {
		if len(reading.Values) > maxValues {
			return nil, fault.Invalid(fmt.Sprintf("input.readings.%d.values", i), "error.tooMany").With("Max", maxValues)
		}
		payload, err := ingestPayload(reading)
		if err != nil {
			return nil, err
		}
		out[i] = IngestReading{reading.SensorCode, payload}
	}
	return out, nil
}

// ingestPayload keeps the values in their order, and one that is given twice twice.
func ingestPayload(in *model.IngestReadingInput) ([]byte, error) {
	b := []byte{'{'}
	if at := in.Timestamp.Value(); at != nil {
		b = append(b, `"timestamp":"`...)
		b = at.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, `",`...)
	}
	if given := in.MessageID.Value(); given != nil {
		quoted, err := json.Marshal(*given)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, `"ingest_id":`...), quoted...), ',')
	}
	b = append(b, `"parameters":{`...)
	for i, v := range in.Values {
		name, err := json.Marshal(v.Parameter)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(v.Value)
		if err != nil { // no number of JSON
			return nil, fault.Invalid("input.readings", "error.input.malformed").Because(err)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}', '}'), nil
}
