// Package recall finds again what a stored prediction was made of. A prediction does
// not keep its 336 features: they would be most of the store, and follow from the
// readings, which are there for some weeks.
package recall

import (
	"context"
	"errors"
	"fmt"
	"time"

	"foresight/inference/features"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// ErrForgotten says that readings of the window are no longer stored.
var ErrForgotten = errors.New("recall: readings of the window are no longer stored")

// Readings is where readings are stored. A telemetry.Store is one.
type Readings interface {
	Readings(ctx context.Context, q telemetry.RangeQuery) ([]telemetry.Raw, error)
	Window(ctx context.Context, tenant id.UUID, sensors []id.UUID, n int, maxSeq uint64, since time.Time) (map[id.UUID][]telemetry.Raw, error)
}

// Window returns the window that the pipeline judged: the sensor's newest readings as
// the log stood at the prediction's reading. Readings that came later, even with
// earlier times, are not in it. It fails with ErrForgotten or with the store's error.
func Window(ctx context.Context, r Readings, p *telemetry.FaultPrediction) (*telemetry.Window, error) {
	at := p.Timestamp
	// Of one millisecond; a sensor that sends more in one has not sent them to be told apart.
	found, err := r.Readings(ctx, telemetry.RangeQuery{Tenant: p.Tenant, Scope: telemetry.Scope{Sensor: p.Sensor},
		From: at, To: at.Add(time.Millisecond), Limit: telemetry.MaxLimit})
	if err != nil {
		return nil, fmt.Errorf("recall: %w", err)
	}
	var seq uint64
	for i := range found {
		if found[i].IngestID == p.IngestID {
			seq = found[i].LogSeq
		}
	}
	if seq == 0 {
		return nil, ErrForgotten
	}
	rows, err := r.Window(ctx, p.Tenant, []id.UUID{p.Sensor}, telemetry.WindowSize, seq, at.Add(-telemetry.Lookback))
	if err != nil {
		return nil, fmt.Errorf("recall: %w", err)
	}
	w := new(telemetry.Window)
	raws := rows[p.Sensor]
	for i := range raws {
		w.Add(raws[i].Timestamp, &raws[i].Channels)
	}
	if !w.Full() || raws[len(raws)-1].IngestID != p.IngestID {
		return nil, ErrForgotten
	}
	return w, nil
}

// Features returns the features that the model saw.
func Features(ctx context.Context, r Readings, p *telemetry.FaultPrediction) (*features.Vector, error) {
	w, err := Window(ctx, r, p)
	if err != nil {
		return nil, err
	}
	x := new(features.Vector)
	features.Extract(w, x)
	return x, nil
}
