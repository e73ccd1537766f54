package backtest

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"foresight/ent/enum"
	"foresight/internal/bulk"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// part is a part of the history: all that its sensors sent. What is read of it is in
// the order in which it was processed: by event time, those of one time by the log's.
type part struct {
	name string
	read func(ctx context.Context, from, to time.Time) iter.Seq2[*telemetry.Raw, error]
}

// parts lists the history of a backtest's sensors, always in the same order.
func (s *Service) parts(ctx context.Context, b *Backtest, sensors []id.UUID) ([]part, error) {
	if len(sensors) == 0 {
		return nil, nil // to the landing zone, none would be all
	}
	tenant := tenancy.Must(ctx).TenantID
	if b.Source == enum.BacktestLanding {
		return s.landed(ctx, b, tenant, sensors)
	}
	var sites []id.UUID
	if len(b.Sites) > 0 {
		sites = b.Sites
	}
	out := make([]part, len(sensors))
	for i, n := range sensors {
		scope := telemetry.Scope{Sensor: n, Sites: sites}
		out[i] = part{n.String(), func(ctx context.Context, from, to time.Time) iter.Seq2[*telemetry.Raw, error] {
			q := telemetry.RangeQuery{Tenant: tenant, Scope: scope, From: from, To: to, Limit: telemetry.MaxLimit}
			if !b.Predicts {
				return ascending(ctx, s.Store, q)
			}
			return concat(before(ctx, s.Store, q), ascending(ctx, s.Store, q))
		}}
	}
	return out, nil
}

// landed lists the partitions of the landing zone. There a reading does not say whether
// it came late: all are in the order of event time.
func (s *Service) landed(ctx context.Context, b *Backtest, tenant id.UUID, sensors []id.UUID) ([]part, error) {
	if s.History == nil {
		return nil, fault.New(fault.Unavailable, "error.backtest.off")
	}
	of := bulk.Stretch{Tenant: tenant, From: b.From.Add(-b.warmUp()), To: b.To, Sensors: sensors}
	if len(b.Sites) > 0 {
		of.Sites = b.Sites
	}
	found, err := s.History.Parts(ctx, of)
	if err != nil {
		return nil, err
	}
	out := make([]part, len(found))
	for i, f := range found {
		out[i] = part{f.Name, func(ctx context.Context, from, _ time.Time) iter.Seq2[*telemetry.Raw, error] {
			return f.Read(ctx, from)
		}}
	}
	return out, nil
}

// before gives the readings that fill the window before a stretch, the oldest first.
func before(ctx context.Context, store telemetry.Store, q telemetry.RangeQuery) iter.Seq2[*telemetry.Raw, error] {
	return func(yield func(*telemetry.Raw, error) bool) {
		q.From, q.To, q.Limit = q.From.Add(-telemetry.Lookback), q.From, 4*telemetry.WindowSize // some may be late
		rows, err := store.Readings(ctx, q)
		if err != nil {
			yield(nil, err)
			return
		}
		inOrder(rows)
		for i := range rows {
			if !rows[i].Late && !yield(&rows[i], nil) {
				return
			}
		}
	}
}

func concat(all ...iter.Seq2[*telemetry.Raw, error]) iter.Seq2[*telemetry.Raw, error] {
	return func(yield func(*telemetry.Raw, error) bool) {
		for _, one := range all {
			for raw, err := range one {
				if !yield(raw, err) || err != nil {
					return
				}
			}
		}
	}
}

// The store gives the newest first, so a stretch is read by slices of time, each of
// which is turned round. A slice is made as long as to hold about wantSlice readings, and
// never holds more than maxSlice.
const (
	firstSlice = time.Hour
	wantSlice  = 4 * telemetry.MaxLimit
	maxSlice   = 16 * telemetry.MaxLimit
)

// ascending gives what a store has for a query, without what was late, the oldest first.
func ascending(ctx context.Context, store telemetry.Store, q telemetry.RangeQuery) iter.Seq2[*telemetry.Raw, error] {
	return func(yield func(*telemetry.Raw, error) bool) {
		length := firstSlice
		for from := q.From; from.Before(q.To); {
			to := from.Add(length)
			if to.After(q.To) {
				to = q.To
			}
			rows, whole, err := slice(ctx, store, q, from, to)
			if err != nil {
				yield(nil, err)
				return
			}
			if !whole {
				if length = to.Sub(from) / 4; length < time.Millisecond {
					yield(nil, fmt.Errorf("backtest: more than %d readings of one millisecond", maxSlice))
					return
				}
				length = length.Round(time.Millisecond)
				continue
			}
			for i := range rows {
				if !rows[i].Late && !yield(&rows[i], nil) {
					return
				}
			}
			from, length = to, next(to.Sub(from), len(rows))
		}
	}
}

// next is how long a slice to take after one that held so many readings.
func next(length time.Duration, held int) time.Duration {
	factor := 8.0
	if held > 0 {
		factor = min(factor, float64(wantSlice)/float64(held))
	}
	return max(time.Second, time.Duration(float64(length)*factor)).Round(time.Millisecond)
}

// slice reads [from, to) in the order of processing; whole is false when there is too
// much of it.
func slice(ctx context.Context, store telemetry.Store, q telemetry.RangeQuery, from, to time.Time) (rows []telemetry.Raw, whole bool, err error) {
	q.From, q.To = from, to
	for {
		got, err := store.Readings(ctx, q)
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, got...)
		if len(got) < q.Limit {
			break
		}
		if len(rows) >= maxSlice {
			return nil, false, nil
		}
		last := &got[len(got)-1]
		q.After = telemetry.Cursor{Timestamp: last.Timestamp, IngestID: last.IngestID}
	}
	inOrder(rows)
	return rows, true, nil
}

// inOrder sorts readings of a sensor as they were processed.
func inOrder(rows []telemetry.Raw) {
	slices.SortFunc(rows, func(a, b telemetry.Raw) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.LogSeq, b.LogSeq))
	})
}
