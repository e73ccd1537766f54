package mongostore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/testkit/mongofake"
)

// Ids and times of the tests of commands are always the same.
func fixed(k id.Kind, n byte) id.UUID {
	return id.Derive(k, time.UnixMilli(1_700_000_000_000), []byte{n})
}

var (
	at   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key1 = telemetry.Key{Tenant: fixed(id.Tenant, 1), Site: fixed(id.Site, 1), Asset: fixed(id.Asset, 1), Sensor: fixed(id.Sensor, 1)}
	key2 = telemetry.Key{Tenant: fixed(id.Tenant, 1), Site: fixed(id.Site, 2), Asset: fixed(id.Asset, 2), Sensor: fixed(id.Sensor, 2)}
)

func fixedReading(k telemetry.Key, after time.Duration, seq uint64) telemetry.Raw {
	r := telemetry.Raw{
		Reading: telemetry.Reading{Key: k, Timestamp: at.Add(after), Channels: telemetry.NoChannels(),
			Values: []telemetry.Value{{Name: "flow", Value: 12.5}}},
		LogSeq: seq, ReceivedAt: at.Add(after + 1500*time.Microsecond), Topic: "acme/north/sensors/p1", Payload: []byte(`{"flow":12.5}`),
	}
	r.Channels[0], r.Channels[5] = 2.5, 61
	copy(r.IngestID[:], fmt.Sprintf("ingest %09d", seq))
	return r
}

func fixedPrediction(r telemetry.Raw, label string) telemetry.FaultPrediction {
	return telemetry.FaultPrediction{Key: r.Key, Timestamp: r.Timestamp, IngestID: r.IngestID,
		ID: id.Derive(id.Prediction, r.Timestamp, r.IngestID[:]), Label: label, Probability: 0.75,
		Top: []telemetry.LabelProbability{{Label: label, Probability: 0.75}}, VersionID: fixed(id.MLModelVersion, 1),
		VersionLabel: "fault_classifier:1.0.0", Role: telemetry.Production}
}

func fixedRollup(k telemetry.Key, readings int) telemetry.Rollup {
	r := telemetry.Rollup{Start: at}
	for i := range readings {
		raw := fixedReading(k, time.Duration(i)*time.Second, uint64(i+1))
		raw.Channels = telemetry.NoChannels()
		r.Add(&raw)
	}
	return r
}

// TestCommands compares what is sent for each operation with testdata/commands.
// UPDATE_COMMANDS=1 writes them anew: look at the difference.
func TestCommands(t *testing.T) {
	server := mongofake.Start(t, mongofake.Limits{}, mongofake.NewMemory().Handle)
	s := opened(t, Options{URI: server.URI()})
	sent(t, server, "start: managed, nothing there")
	again := opened(t, Options{URI: server.URI()})
	sent(t, server, "start: managed, all there")
	if err := again.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Commands()

	ctx, tenant := t.Context(), key1.Tenant
	a, b := fixedReading(key1, 0, 1), fixedReading(key2, time.Second, 2)
	readings := func(q telemetry.RangeQuery) func() (any, error) {
		return func() (any, error) {
			q.Tenant, q.Limit = tenant, 10
			return s.Readings(ctx, q)
		}
	}
	predictions := func(q telemetry.PredictionQuery) func() (any, error) {
		return func() (any, error) {
			q.Tenant, q.Limit = tenant, 10
			return s.Predictions(ctx, q)
		}
	}
	rollups := func(q telemetry.RollupQuery) func() (any, error) {
		return func() (any, error) {
			q.Tenant, q.From, q.To, q.Limit = tenant, at, at.Add(time.Hour), 100
			return nil, s.Rollups(ctx, q, func(*telemetry.Rollup) error { return nil })
		}
	}
	forget := func(c telemetry.Class) func() (any, error) {
		return func() (any, error) { return s.Forget(ctx, tenant, c, at.Add(500*time.Millisecond)) }
	}
	for _, c := range []struct {
		name string
		do   func() (any, error)
	}{
		{"ping", func() (any, error) { return nil, s.Ping(ctx) }},
		{"write readings: of unknown sensors", func() (any, error) { return s.WriteReadings(ctx, []telemetry.Raw{b, a}) }},
		{"write readings: of known sensors", func() (any, error) {
			return s.WriteReadings(ctx, []telemetry.Raw{fixedReading(key1, 2*time.Second, 3)})
		}},
		{"write readings: some are there", func() (any, error) {
			again := a
			again.LogSeq = 9
			return s.WriteReadings(ctx, []telemetry.Raw{again, fixedReading(key1, 3*time.Second, 4)})
		}},
		{"write predictions", func() (any, error) {
			return nil, s.WritePredictions(ctx, []telemetry.FaultPrediction{fixedPrediction(a, "cavitation"), fixedPrediction(b, telemetry.Normal)})
		}},
		{"write rollups", func() (any, error) {
			return nil, s.WriteRollups(ctx, telemetry.M5, []telemetry.Rollup{fixedRollup(key1, 2)})
		}},
		{"write rollups: one as full is there", func() (any, error) {
			return nil, s.WriteRollups(ctx, telemetry.M5, []telemetry.Rollup{fixedRollup(key1, 1), fixedRollup(key2, 1)})
		}},
		{"readings: of a tenant", readings(telemetry.RangeQuery{})},
		{"readings: of a tenant, in a range, behind a cursor", readings(telemetry.RangeQuery{From: at, To: at.Add(time.Hour), After: telemetry.Cursor{Timestamp: b.Timestamp, IngestID: b.IngestID}})},
		{"readings: of a site", readings(telemetry.RangeQuery{Scope: telemetry.Scope{Site: key1.Site}})},
		{"readings: of an asset, within the actor's sites", readings(telemetry.RangeQuery{Scope: telemetry.Scope{Asset: key1.Asset, Sites: []id.UUID{key1.Site, key2.Site}}, From: at, To: at.Add(1500 * time.Microsecond)})},
		{"readings: of a sensor, behind a cursor", readings(telemetry.RangeQuery{Scope: telemetry.Scope{Sensor: key1.Sensor}, After: telemetry.Cursor{Timestamp: b.Timestamp, IngestID: b.IngestID}})},
		{"latest", func() (any, error) {
			return s.Latest(ctx, tenant, telemetry.Scope{Asset: key1.Asset, Sites: []id.UUID{key1.Site}}, 50)
		}},
		{"window", func() (any, error) {
			return s.Window(ctx, tenant, []id.UUID{key1.Sensor, key2.Sensor}, telemetry.WindowSize, 1000, at.Add(-time.Hour))
		}},
		{"predictions: of a tenant", predictions(telemetry.PredictionQuery{})},
		{"predictions: of a tenant, in a range, behind a cursor", predictions(telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{From: at, To: at.Add(time.Hour), After: telemetry.Cursor{Timestamp: b.Timestamp, IngestID: b.IngestID}}})},
		{"predictions: abnormal", predictions(telemetry.PredictionQuery{OnlyAbnormal: true, MinProbability: 0.5})},
		{"predictions: of labels", predictions(telemetry.PredictionQuery{Labels: []string{"cavitation", "soft_foot"}, Roles: []telemetry.Role{telemetry.Canary, telemetry.Shadow}})},
		{"predictions: of an asset", predictions(telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Scope: telemetry.Scope{Asset: key1.Asset}}})},
		{"predictions: of a sensor", predictions(telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Scope: telemetry.Scope{Sensor: key1.Sensor}}})},
		{"prediction", func() (any, error) { return s.Prediction(ctx, tenant, fixedPrediction(a, "").ID) }},
		{"predictions by id", func() (any, error) {
			return s.PredictionsByID(ctx, tenant, []id.UUID{fixedPrediction(a, "").ID, fixedPrediction(b, "").ID})
		}},
		{"latest predictions", func() (any, error) {
			return s.LatestPredictions(ctx, tenant, []id.UUID{key1.Asset, key2.Asset}, at.Add(-time.Hour))
		}},
		{"prediction counts", func() (any, error) { return s.PredictionCounts(ctx, tenant, at, at.Add(time.Hour)) }},
		{"version counts: of a tenant", func() (any, error) {
			return s.VersionCounts(ctx, telemetry.VersionQuery{Tenant: tenant, Version: fixed(id.MLModelVersion, 1), From: at, To: at.Add(time.Hour)})
		}},
		{"version counts: within the actor's sites", func() (any, error) {
			return s.VersionCounts(ctx, telemetry.VersionQuery{Tenant: tenant, Version: fixed(id.MLModelVersion, 1), From: at, To: at.Add(time.Hour),
				Scope: telemetry.Scope{Sites: []id.UUID{key1.Site, key2.Site}}})
		}},
		{"rollups at", func() (any, error) {
			return s.RollupsAt(ctx, tenant, []telemetry.BucketID{{Sensor: key1.Sensor, Start: at}, {Sensor: key2.Sensor, Start: at, Lane: 1}})
		}},
		{"rollups: of a tenant", rollups(telemetry.RollupQuery{})},
		{"rollups: of sensors, by the hour", rollups(telemetry.RollupQuery{Sensors: []id.UUID{key1.Sensor, key2.Sensor}, Resolution: telemetry.H1})},
		{"rollups: of an asset, by the day", rollups(telemetry.RollupQuery{Scope: telemetry.Scope{Asset: key1.Asset}, Resolution: telemetry.D1})},
		{"forget readings", forget(telemetry.ClassReadings)},
		{"forget predictions", forget(telemetry.ClassPredictions)},
		{"forget rollups", forget(telemetry.ClassRollupsM5)},
		{"forget tenant", func() (any, error) { return s.ForgetTenant(ctx, tenant) }},
	} {
		if _, err := c.do(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		sent(t, server, c.name)
	}
}

// sent compares the commands since the last call with the file.
func sent(t *testing.T, server *mongofake.Server, name string) {
	t.Helper()
	var out bytes.Buffer
	for _, c := range server.Commands() {
		doc, err := bson.MarshalExtJSON(steady(t, c), false, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Indent(&out, doc, "", "  "); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	file := filepath.Join("testdata", "commands", slug(name)+".json")
	if os.Getenv("UPDATE_COMMANDS") != "" {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("%s sent\n%s\nwant (%s)\n%s", name, out.Bytes(), file, want)
	}
}

// steady takes out what differs from run to run, and sees that writes tell the server
// how long they may take. (For what opens a cursor the driver keeps the time itself.)
func steady(t *testing.T, c mongofake.Command) bson.D {
	t.Helper()
	if slices.Contains([]string{"insert", "update", "delete", "ping"}, c.Name) && mongofake.Get(c.Doc, "maxTimeMS") == nil {
		t.Errorf("%s has no maxTimeMS", c.Name)
	}
	return slices.DeleteFunc(slices.Clone(c.Doc), func(e bson.E) bool {
		return slices.Contains([]string{"lsid", "maxTimeMS", "txnNumber", "$clusterTime"}, e.Key)
	})
}

func slug(name string) string {
	out := []byte(name)
	for i, c := range out {
		if c == ' ' {
			out[i] = '_'
		}
	}
	return string(bytes.ReplaceAll(bytes.ReplaceAll(bytes.ReplaceAll(out, []byte(":"), nil), []byte(","), nil), []byte("'"), nil))
}
