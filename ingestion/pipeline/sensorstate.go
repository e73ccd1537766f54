package pipeline

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"

	"github.com/jackc/pgx/v5"
)

// A late reading was heard now and measured before: it moves last_seen_at alone.
const upsertSensorStates = `INSERT INTO sensor_states AS s (tenant_id, sensor_id, site_id, asset_id, partition,
	last_seen_at, is_online, window_fill, latest_at, latest)
SELECT $1, n.sensor, n.site, n.asset, $2, n.seen, true, n.fill, n.at, n.latest
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::smallint[], $8::timestamptz[], $9::jsonb[])
	AS n (sensor, site, asset, seen, fill, at, latest)
ON CONFLICT (tenant_id, sensor_id) DO UPDATE SET site_id = excluded.site_id, asset_id = excluded.asset_id,
	partition = excluded.partition, last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at), is_online = true,
	window_fill = excluded.window_fill, latest_at = greatest(s.latest_at, excluded.latest_at),
	latest = CASE WHEN excluded.latest_at >= s.latest_at THEN excluded.latest ELSE s.latest END`

// sensorStates are the rows of one tenant, a column each.
type sensorStates struct {
	tenant                 id.UUID
	partition              int
	sensors, sites, assets []id.UUID
	seen, at               []time.Time
	fill                   []int16
	latest                 [][]byte
}

func (s *sensorStates) queue(b *pgx.Batch) {
	b.Queue(setTenant, s.tenant.String())
	b.Queue(upsertSensorStates, s.tenant, s.partition, s.sensors, s.sites, s.assets, s.seen, s.fill, s.at, s.latest)
}

// heard is what a batch says of one sensor.
type heard struct {
	id     sensorID
	newest *telemetry.Raw // by event time
	seen   time.Time      // the last arrival
}

// statesOf returns the states that the batch leaves, tenants and sensors in the order
// of their ids (who locks many rows locks them in one order).
func statesOf(partition int, b *batch, ws *windows) []*sensorStates {
	at := make(map[sensorID]int, len(b.raws))
	var all []heard
	for i := range b.raws {
		if !b.own[i] {
			continue
		}
		r := &b.raws[i]
		k := sensorID{r.Tenant, r.Sensor}
		n, ok := at[k]
		if !ok {
			at[k] = len(all)
			all = append(all, heard{id: k, newest: r, seen: r.ReceivedAt})
			continue
		}
		h := &all[n]
		if !r.Timestamp.Before(h.newest.Timestamp) {
			h.newest = r
		}
		if r.ReceivedAt.After(h.seen) {
			h.seen = r.ReceivedAt
		}
	}
	slices.SortFunc(all, func(a, b heard) int {
		if c := bytes.Compare(a.id.tenant[:], b.id.tenant[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.id.sensor[:], b.id.sensor[:])
	})
	var out []*sensorStates
	for i := range all {
		h := &all[i]
		if n := len(out); n == 0 || out[n-1].tenant != h.id.tenant {
			out = append(out, &sensorStates{tenant: h.id.tenant, partition: partition})
		}
		s := out[len(out)-1]
		s.sensors, s.sites, s.assets = append(s.sensors, h.id.sensor), append(s.sites, h.newest.Site), append(s.assets, h.newest.Asset)
		s.seen, s.at = append(s.seen, h.seen), append(s.at, h.newest.Timestamp)
		s.fill = append(s.fill, int16(ws.by[h.id].Len()))
		s.latest = append(s.latest, latestJSON(&h.newest.Reading))
	}
	return out
}

// latestJSON is what a list of sensors shows of a reading: the process parameters and
// the two that stand for the channels.
func latestJSON(r *telemetry.Reading) []byte {
	b := append(make([]byte, 0, 64+24*len(r.Values)), '{')
	put := func(name string, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = appendJSONString(b, name)
		b = strconv.AppendFloat(append(b, ':'), v, 'g', -1, 64)
	}
	for _, v := range r.Values {
		put(v.Name, v.Value)
	}
	for _, name := range [...]string{telemetry.VibrationRMS, telemetry.BearingTemp} {
		if _, sent := find(r.Values, name); sent {
			continue
		}
		if v, ok := r.Parameter(name); ok {
			put(name, v)
		}
	}
	return append(b, '}')
}

func find(values []telemetry.Value, name string) (float64, bool) {
	for _, v := range values {
		if v.Name == name {
			return v.Value, true
		}
	}
	return 0, false
}

// appendJSONString quotes a text; parameter names need no escapes.
func appendJSONString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
