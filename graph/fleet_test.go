package graph_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/event"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

// machine is an asset of the fleet with what there is about it.
type machine struct {
	telemetry.Key
	alarm, prediction id.UUID
}

// machine adds an asset with a sensor, a reading, a prediction and an alarm that was
// seen by the operator. seq numbers the tenant's machines from 1.
func (r *rig) machine(p testkit.Plant, seq int) machine {
	r.Helper()
	m := machine{Key: telemetry.Key{Tenant: p.TenantID, Site: p.SiteID, Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}, alarm: id.New(id.AlarmEvent)}
	code := fmt.Sprintf("m-%03d", seq)
	r.sql(`INSERT INTO assets (id, tenant_id, site_id, asset_code, name, asset_type, parent_id) VALUES ($1, $2, $3, $4, $4, 'pump', $5)`,
		m.Asset, m.Tenant, m.Site, code, p.AssetID)
	r.sql(`INSERT INTO sensors (id, tenant_id, asset_id, gateway_id, sensor_code, validation_data) VALUES ($1, $2, $3, $4, $5, '{}')`,
		m.Sensor, m.Tenant, m.Asset, p.GatewayID, code+"-s1")
	doc := reading(m.Key, time.Now().Add(-time.Minute), float64(seq))
	r.write(doc)
	said := prediction(doc, "cavitation")
	m.prediction = said.ID
	r.ok(r.store.WritePredictions(r.Context(), []telemetry.FaultPrediction{said}))
	r.sql(`INSERT INTO sensor_states (tenant_id, sensor_id, site_id, asset_id, partition, last_seen_at, is_online, window_fill, latest_at, latest)
		VALUES ($1, $2, $3, $4, 0, now(), true, 1, now(), '{}')`, m.Tenant, m.Sensor, m.Site, m.Asset)
	r.sql(`INSERT INTO rejected_readings (tenant_id, id, reason, detail, topic, payload, at) VALUES ($1, $2, 'unknown_sensor', '', 't', $3, now())`,
		m.Tenant, id.New(id.RejectedReading), []byte{'{', 0xff})
	rule, operator := id.New(id.AlarmRule), p.Users[tenancy.Operator]
	r.sql(`INSERT INTO alarm_rules (id, tenant_id, name, parameter, operator, threshold, severity, site_id) VALUES ($1, $2, $3, 'flow', 'gt', 1, 'high', $4)`,
		rule, m.Tenant, code, m.Site)
	r.sql(`INSERT INTO alarm_events (id, tenant_id, site_id, asset_id, sensor_id, rule_id, prediction_id, fault_code, severity, status, triggered_value, triggered_at, last_triggered_at, acknowledged_by, acknowledged_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'cavitation', 'high', 'acknowledged', 2, now(), now(), $8, now())`,
		m.alarm, m.Tenant, m.Site, m.Asset, m.Sensor, rule, m.prediction, operator)
	r.transition(m, "", "open", nil)
	r.transition(m, "open", "acknowledged", &operator)
	model, version := id.New(id.MLModel), id.New(id.MLModelVersion)
	r.sql(`INSERT INTO ml_models (id, tenant_id, name, type, feature_schema) VALUES ($1, $2, $3, 'fault_classification', 'f')`, model, m.Tenant, code)
	r.sql(`INSERT INTO ml_model_versions (id, tenant_id, model_id, semantic_version, full_version_label, artifact_path, dataset_hash, feature_schema_hash, metrics, classes)
		VALUES ($1, $2, $3, '1.0.0', $4, 'a', 'd', 'f', '{"f1": 0.9}', '["normal"]')`, version, m.Tenant, model, code+":1.0.0")
	r.sql(`INSERT INTO ml_model_deployments (id, tenant_id, model_id, model_version_id) VALUES ($1, $2, $3, $4)`, id.New(id.MLModelDeployment), m.Tenant, model, version)
	return m
}

// transition writes the next change of the machine's alarm.
func (r *rig) transition(m machine, from, to string, by *id.UUID) {
	r.Helper()
	r.sql(`WITH n AS (INSERT INTO alarm_sequences AS s (tenant_id, seq) VALUES ($1, 1) ON CONFLICT (tenant_id) DO UPDATE SET seq = s.seq + 1 RETURNING seq)
		INSERT INTO alarm_transitions (id, tenant_id, event_id, seq, from_status, to_status, by, at) SELECT $2, $1, $3, n.seq, nullif($4, ''), $5, $6, now() FROM n`,
		m.Tenant, id.New(id.AlarmTransition), m.alarm, from, to, by)
}

func reading(k telemetry.Key, at time.Time, flow float64) telemetry.Raw {
	at = at.UTC().Truncate(time.Microsecond)
	d := telemetry.Raw{Reading: telemetry.Reading{Key: k, Timestamp: at, Channels: telemetry.NoChannels()}, LogSeq: uint64(at.UnixMicro()),
		ReceivedAt: at, Topic: "t", Payload: []byte("{}")}
	d.Channels[0] = 1.5
	d.Values = []telemetry.Value{{Name: "flow", Value: flow}}
	sum := sha256.Sum256(fmt.Appendf(nil, "%v %v", k, at))
	copy(d.IngestID[:], sum[:])
	return d
}

func prediction(d telemetry.Raw, label string) telemetry.FaultPrediction {
	return telemetry.FaultPrediction{Key: d.Key, Timestamp: d.Timestamp, IngestID: d.IngestID, ID: id.Derive(id.Prediction, d.Timestamp, d.IngestID[:]),
		Label: label, Probability: 0.75, Top: []telemetry.LabelProbability{{Label: label, Probability: 0.75}, {Label: "normal", Probability: 0.25}},
		VersionID: id.New(id.MLModelVersion), VersionLabel: "fault_classifier:1.0.0", Role: telemetry.Production}
}

func (r *rig) write(docs ...telemetry.Raw) {
	r.Helper()
	_, err := r.store.WriteReadings(r.Context(), docs)
	r.ok(err)
}

// publish tells of readings as the worker does: after they are stored.
func (r *rig) publish(docs ...telemetry.Raw) {
	r.Helper()
	for _, d := range docs {
		r.ok(r.hub.Publish(context.WithoutCancel(r.Context()), event.Event{Kind: event.Telemetry, Key: d.Key, At: time.Now().UTC(), Reading: &d}))
	}
}

// statements collects what a pool is asked; setting the tenant does not count.
type statements struct {
	mu    sync.Mutex
	all   []string // since they were last taken
	every []string
}

func (s *statements) add(sql string) {
	if strings.Contains(sql, "set_config") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all, s.every = append(s.all, sql), append(s.every, sql)
}

// count is how many there were so far, and since returns those after the first n.
func (s *statements) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.every)
}

func (s *statements) since(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.every[n:])
}

// taken returns what was collected and begins anew.
func (s *statements) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.add(d.SQL)
	return ctx
}
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (s *statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	s.add(d.SQL)
}
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// earlier is one of many times, each a second earlier.
func (m machine) earlier(n int) time.Time {
	return time.Now().Add(-time.Duration(2*60+n) * time.Second)
}
