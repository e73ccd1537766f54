package pipeline

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// A late reading was heard now and measured before: it moves last_seen_at alone.
const upsertSensorStates = `INSERT INTO sensor_states AS s (tenant_id, sensor_id, site_id, asset_id, partition,
	last_seen_at, is_online, window_fill, latest_at, latest)
SELECT $1, n.sensor, n.site, n.asset, n.partition, n.seen, true, n.fill, n.at, n.latest
FROM unnest($2::int[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::smallint[], $8::timestamptz[], $9::jsonb[])
	AS n (partition, sensor, site, asset, seen, fill, at, latest)
ON CONFLICT (tenant_id, sensor_id) DO UPDATE SET site_id = excluded.site_id, asset_id = excluded.asset_id,
	partition = excluded.partition, last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at), is_online = true,
	window_fill = excluded.window_fill, latest_at = greatest(s.latest_at, excluded.latest_at),
	latest = CASE WHEN excluded.latest_at >= s.latest_at THEN excluded.latest ELSE s.latest END`

// heard is what a batch says of one sensor.
type heard struct {
	sensorID
	partition int32
	newest    *telemetry.Raw // by event time
	seen      time.Time      // the last arrival
	fill      int16          // readings in the window
	latest    []byte
}

// heardIn lists the sensors that the batch's own readings are of, each once.
func heardIn(partition int, b *batch, ws *windows) []heard {
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
			all = append(all, heard{sensorID: k, partition: int32(partition), newest: r, seen: r.ReceivedAt})
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
	for i := range all {
		h := &all[i]
		h.fill, h.latest = int16(ws.by[h.sensorID].Len()), latestJSON(&h.newest.Reading)
	}
	return all
}

// queueStates adds the statements that write the states, one for each tenant, tenants
// and sensors in the order of their ids (who locks many rows locks them in one order).
func queueStates(b *pgx.Batch, all []heard) {
	slices.SortFunc(all, func(a, b heard) int {
		return cmp.Or(compareIDs(a.tenant, b.tenant), compareIDs(a.sensor, b.sensor))
	})
	for from, to := 0, 0; from < len(all); from = to {
		tenant := all[from].tenant
		var partitions []int32
		var sensors, sites, assets []id.UUID
		var seen, at []time.Time
		var fill []int16
		var latest [][]byte
		for to = from; to < len(all) && all[to].tenant == tenant; to++ {
			h := &all[to]
			partitions, sensors = append(partitions, h.partition), append(sensors, h.sensor)
			sites, assets = append(sites, h.newest.Site), append(assets, h.newest.Asset)
			seen, at = append(seen, h.seen), append(at, h.newest.Timestamp)
			fill, latest = append(fill, h.fill), append(latest, h.latest)
		}
		b.Queue(setTenant, tenant.String())
		b.Queue(upsertSensorStates, tenant, partitions, sensors, sites, assets, seen, fill, at, latest)
	}
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
