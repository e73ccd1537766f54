package loadtest

import (
	"context"
	"fmt"
	"time"

	"foresight/internal/id"
)

// Archive is where stored readings are read back: the graph, or a store.
type Archive interface {
	// Each calls f with every stored reading of the sensor in [from, to).
	Each(ctx context.Context, sensor id.UUID, from, to time.Time, f func(at time.Time, late bool)) error
}

// Verdict is what became of the messages, one by one.
type Verdict struct {
	Sensors    int `json:"sensors"`    // that were read back
	Expected   int `json:"expected"`   // acknowledged messages of these
	Found      int `json:"found"`      // of those
	Lost       int `json:"lost"`       // acknowledged and not stored
	Duplicated int `json:"duplicated"` // stored more than once
	Unexpected int `json:"unexpected"` // stored and never sent
	Disordered int `json:"disordered"` // processed behind a newer reading of the sensor
}

// OK reports whether nothing is wrong.
func (v *Verdict) OK() bool {
	return v.Lost == 0 && v.Duplicated == 0 && v.Unexpected == 0 && v.Disordered == 0
}

// verify reads the sensors back; most bounds their number, spread over the fleet.
func (r *run) verify(ctx context.Context, from Archive, most int) (*Verdict, error) {
	n := len(r.fleet.Sensors)
	most = min(most, n)
	v := &Verdict{Sensors: most}
	seen := make([]uint8, (r.plan.total+n-1)/n) // by the sensor's own number of the message
	begin, end := r.plan.span()
	for k := range most {
		sensor := k * n / most
		clear(seen)
		err := from.Each(ctx, r.fleet.Sensors[sensor].ID, begin, end, func(at time.Time, late bool) {
			i, ok := r.plan.find(sensor, at)
			if !ok {
				v.Unexpected++
				return
			}
			if late {
				v.Disordered++
			}
			if seen[i/n]++; seen[i/n] == 2 {
				v.Duplicated++
			}
		})
		if err != nil {
			return nil, fmt.Errorf("loadtest: read back: %w", err)
		}
		for i := sensor; i < r.plan.total; i += n {
			if !r.acked[i].Load() {
				continue
			}
			v.Expected++
			if seen[i/n] > 0 {
				v.Found++
			} else {
				v.Lost++
			}
		}
	}
	return v, nil
}

// GraphArchive reads back over the graph, a hundred readings at a time.
type GraphArchive struct{ *Graph }

// Each implements Archive.
func (a GraphArchive) Each(ctx context.Context, sensor id.UUID, from, to time.Time, f func(at time.Time, late bool)) error {
	var after *string
	for {
		var d struct {
			Telemetry struct {
				Nodes []struct {
					Timestamp time.Time
					Late      bool
				}
				PageInfo struct {
					HasNextPage bool
					EndCursor   *string
				}
			}
		}
		if err := a.ask(ctx, `query($n: Int!, $a: String, $s: UUID!, $from: Time!, $to: Time!) {
			telemetry(first: $n, after: $a, scope: {sensorId: $s}, from: $from, to: $to) { nodes { timestamp late } pageInfo { hasNextPage endCursor } } }`,
			vars{"n": pageSize, "a": after, "s": sensor, "from": from, "to": to}, &d); err != nil {
			return err
		}
		for _, n := range d.Telemetry.Nodes {
			f(n.Timestamp, n.Late)
		}
		if !d.Telemetry.PageInfo.HasNextPage {
			return nil
		}
		after = d.Telemetry.PageInfo.EndCursor
	}
}
