package pipeline

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// seen knows when the sensors of a partition last spoke.
type seen struct {
	judged time.Time // when silence was last judged
	by     map[id.UUID]map[id.UUID]*spoke
}

type spoke struct {
	telemetry.Seen
	online bool
}

// loadSeen reads the states of the partition's sensors, whichever tenant's.
func loadSeen(ctx context.Context, pool *pgxpool.Pool, partition int) (*seen, error) {
	s := &seen{by: map[id.UUID]map[id.UUID]*spoke{}}
	rows, err := pool.Query(ctx, `SELECT tenant_id, site_id, asset_id, sensor_id, last_seen_at, is_online
		FROM sensor_states WHERE partition = $1`, partition)
	if err != nil {
		return nil, wrap("load sensor states", err)
	}
	var x spoke
	_, err = pgx.ForEachRow(rows, []any{&x.Tenant, &x.Site, &x.Asset, &x.Sensor, &x.At, &x.online}, func() error {
		s.put(x)
		return nil
	})
	return s, wrap("load sensor states", err)
}

func (s *seen) put(x spoke) {
	x.At = x.At.UTC()
	of := s.by[x.Tenant]
	if of == nil {
		of = map[id.UUID]*spoke{}
		s.by[x.Tenant] = of
	}
	if old := of[x.Sensor]; old == nil {
		of[x.Sensor] = &x
	} else {
		if x.At.Before(old.At) {
			x.At = old.At
		}
		*old = x
	}
}

// note takes in a committed batch.
func (s *seen) note(b *batch) {
	for i := range b.raws {
		if b.own[i] {
			s.put(spoke{telemetry.Seen{Key: b.raws[i].Key, At: b.raws[i].ReceivedAt}, true})
		}
	}
}

func (s *seen) tenants() []id.UUID { return slices.Collect(maps.Keys(s.by)) }

// of lists a tenant's sensors.
func (s *seen) of(tenant id.UUID) []telemetry.Seen {
	out := make([]telemetry.Seen, 0, len(s.by[tenant]))
	for _, x := range s.by[tenant] {
		out = append(out, x.Seen)
	}
	return out
}

// offline lists by tenant the sensors that count as online and have not spoken since.
func (s *seen) offline(since time.Time) map[id.UUID][]id.UUID {
	out := map[id.UUID][]id.UUID{}
	for tenant, of := range s.by {
		for sensor, x := range of {
			if x.online && x.At.Before(since) {
				out[tenant] = append(out[tenant], sensor)
			}
		}
	}
	return out
}

// settle remembers which sensors were set offline.
func (s *seen) settle(offline map[id.UUID][]id.UUID) {
	for tenant, sensors := range offline {
		for _, sensor := range sensors {
			s.by[tenant][sensor].online = false
		}
	}
}
