package pipeline

import (
	"bytes"
	"context"
	"math"
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// sensorID names a sensor across tenants.
type sensorID struct{ tenant, sensor id.UUID }

// window is a sensor's window with what the present batch needs of it.
type window struct {
	telemetry.Window
	used   uint64    // number of the last batch that touched it
	newest time.Time // of the window and the present batch's readings so far
}

// windows keeps the windows of one partition's sensors as of the checkpoint. A window
// that is not there is rebuilt from the store, so that after a failure all are simply
// forgotten, and rare sensors make room.
type windows struct {
	store    telemetry.Store
	lookback time.Duration
	most     int
	batch    uint64
	by       map[sensorID]*window
}

func newWindows(store telemetry.Store, lookback time.Duration, most int) *windows {
	return &windows{store: store, lookback: lookback, most: most, by: map[sensorID]*window{}}
}

// load rebuilds the windows of the readings' sensors that are missing, from what the
// log held up to the checkpoint.
func (ws *windows) load(ctx context.Context, raws []telemetry.Raw, checkpoint uint64) error {
	ws.batch++
	missing := map[id.UUID][]id.UUID{}
	since := map[id.UUID]time.Time{}
	for i := range raws {
		k := sensorID{raws[i].Tenant, raws[i].Sensor}
		w := ws.by[k]
		if w == nil {
			w = &window{used: math.MaxUint64} // not loaded yet
			ws.by[k] = w
			missing[k.tenant] = append(missing[k.tenant], k.sensor)
		}
		if w.used == math.MaxUint64 {
			if at, ok := since[k.tenant]; !ok || raws[i].Timestamp.Before(at) {
				since[k.tenant] = raws[i].Timestamp
			}
			continue
		}
		w.used = ws.batch
		w.newest, _ = w.Newest()
	}
	for tenant, sensors := range missing {
		rows, err := ws.store.Window(ctx, tenant, sensors, telemetry.WindowSize, checkpoint, since[tenant].Add(-ws.lookback))
		if err != nil {
			return err // the attempt clears all
		}
		for _, sensor := range sensors {
			w := ws.by[sensorID{tenant, sensor}]
			for i := range rows[sensor] {
				w.AddWithin(rows[sensor][i].Timestamp, &rows[sensor][i].Channels, ws.lookback)
			}
			w.used = ws.batch
			w.newest, _ = w.Newest()
		}
	}
	return nil
}

// markLate flags the readings that are older than their sensor's newest before them.
func (ws *windows) markLate(raws []telemetry.Raw) {
	for i := range raws {
		r := &raws[i]
		w := ws.by[sensorID{r.Tenant, r.Sensor}]
		r.Late = r.Timestamp.Before(w.newest)
		if !r.Late {
			w.newest = r.Timestamp
		}
	}
}

// add moves the window of a reading that is not late and returns it.
func (ws *windows) add(r *telemetry.Raw) *telemetry.Window {
	w := ws.by[sensorID{r.Tenant, r.Sensor}]
	w.AddWithin(r.Timestamp, &r.Channels, ws.lookback)
	return &w.Window
}

// clear forgets all windows: after a failure they may have moved.
func (ws *windows) clear() { clear(ws.by) }

// settle makes room after a commit: when there are too many windows, a quarter of
// them goes, those not used for the longest.
func (ws *windows) settle() {
	if len(ws.by) <= ws.most {
		return
	}
	type aged struct {
		id   sensorID
		used uint64
	}
	all := make([]aged, 0, len(ws.by))
	for k, w := range ws.by {
		all = append(all, aged{k, w.used})
	}
	slices.SortFunc(all, func(a, b aged) int {
		if a.used != b.used {
			if a.used < b.used {
				return -1
			}
			return 1
		}
		return bytes.Compare(a.id.sensor[:], b.id.sensor[:])
	})
	for _, a := range all[:len(all)-ws.most*3/4] {
		delete(ws.by, a.id)
	}
}
