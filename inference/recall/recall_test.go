package recall

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"foresight/inference/features"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/pgstore"
	"foresight/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func newStore(t testing.TB) (*pgstore.Store, testkit.Plant) {
	t.Helper()
	db := testkit.NewDB(t)
	acme, _ := testkit.TwoTenants(t, db)
	worker, err := postgres.Open(t.Context(), db.WorkerDSN, postgres.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(worker.Close)
	return pgstore.New(worker, worker), acme
}

// Whatever comes late or at one time, the window is the one that the pipeline had.
func TestTheWindowIsTheOneThatWasJudged(t *testing.T) {
	store, acme := newStore(t)
	r := rand.New(rand.NewPCG(1, 9))
	begin := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	var live [2]telemetry.Window // of two sensors, whose readings come mixed
	type judged struct {
		telemetry.FaultPrediction
		x features.Vector
	}
	var all []judged
	var raws []telemetry.Raw
	at := begin
	for seq := range uint64(80) {
		sensor := r.IntN(2)
		at = at.Add(time.Duration(r.IntN(3)) * time.Second) // of one time now and then
		raw := telemetry.Raw{Reading: telemetry.Reading{Key: acme.Key(sensor), Timestamp: at, Channels: telemetry.NoChannels()}, LogSeq: seq + 1, ReceivedAt: at, Payload: []byte("{}")}
		if r.IntN(6) == 0 {
			raw.Timestamp = at.Add(-time.Minute)
		}
		binary.BigEndian.PutUint64(raw.IngestID[:], r.Uint64())
		for c := range raw.Channels {
			if r.IntN(10) > 0 {
				raw.Channels[c] = float64(float32(r.Float64()))
			}
		}
		w := &live[sensor]
		raw.Late = !w.Add(raw.Timestamp, &raw.Channels)
		if !raw.Late && w.Full() {
			j := judged{FaultPrediction: telemetry.FaultPrediction{Key: raw.Key, Timestamp: raw.Timestamp, IngestID: raw.IngestID}}
			features.Extract(w, &j.x)
			all = append(all, j)
		}
		raws = append(raws, raw)
	}
	if _, err := store.WriteReadings(t.Context(), raws); err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d full windows", len(all))
	}
	for i := range all {
		got, err := Features(t.Context(), store, &all[i].FaultPrediction)
		if err != nil {
			t.Fatalf("window %d: %v", i, err)
		}
		for k, v := range all[i].x {
			if got[k] != v && (got[k] == got[k] || v == v) {
				t.Fatalf("window %d: %s is %v, was %v", i, features.Name(k), got[k], v)
			}
		}
	}
}

func TestWhatIsForgottenIsTold(t *testing.T) {
	store, acme := newStore(t)
	at := time.Now().UTC().Truncate(time.Second)
	var raws []telemetry.Raw
	for i := range 13 {
		raws = append(raws, telemetry.Raw{Reading: telemetry.Reading{Key: acme.Key(0), Timestamp: at.Add(time.Duration(i) * time.Second), Channels: telemetry.NoChannels()},
			IngestID: telemetry.IngestID{byte(i + 1)}, LogSeq: uint64(i + 1), ReceivedAt: at, Payload: []byte("{}")})
	}
	if _, err := store.WriteReadings(t.Context(), raws); err != nil {
		t.Fatal(err)
	}
	last := &raws[12]
	p := telemetry.FaultPrediction{Key: last.Key, Timestamp: last.Timestamp, IngestID: last.IngestID}
	if _, err := Window(t.Context(), store, &p); !errors.Is(err, ErrForgotten) {
		t.Errorf("13 readings: %v", err)
	}
	p.IngestID[7]++
	if _, err := Window(t.Context(), store, &p); !errors.Is(err, ErrForgotten) {
		t.Errorf("without its reading: %v", err)
	}
	p.Tenant = id.New(id.Tenant)
	if _, err := Window(t.Context(), store, &p); !errors.Is(err, ErrForgotten) {
		t.Errorf("another tenant's: %v", err)
	}
}
