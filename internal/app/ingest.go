package app

import (
	"context"
	"errors"

	"foresight/graph/resolver"
	"foresight/ingestion/admit"
	"foresight/ingestion/decode"
	"foresight/ingestion/mqtt"
	"foresight/ingestion/presence"
	"foresight/ingestion/registry"
	"foresight/internal/auth"
	"foresight/internal/bus"
	"foresight/internal/config"
	"foresight/internal/tenancy"
)

// ingest is the way from a device to the log.
type ingest struct {
	registry *registry.Registry
	admitter *admit.Admitter
	letters  *admit.Letters
	presence *presence.Recorder // nil in processes without doors of devices
	deferred *bus.Log           // of messages over quota; nil when no broker is shared
}

// startAdmission starts the gate that all doors of devices share.
func (a *App) startAdmission(ctx context.Context) error {
	i := &a.ingest
	i.registry = registry.New(registry.Options{Pool: a.db.worker, Listen: a.listen, Refresh: a.cfg.Pipeline.RegistryRefresh,
		Limits:  registry.Limits{Retention: a.cfg.Pipeline.Retention, Rate: a.cfg.Pipeline.QuotaPerSecond, Burst: a.cfg.Pipeline.QuotaBurst},
		Metrics: a.metrics, Log: a.log})
	if err := a.start(ctx, i.registry); err != nil {
		return err
	}
	i.letters = admit.NewLetters(admit.LettersOptions{Pool: a.db.worker, Metrics: a.metrics, Log: a.log})
	if err := a.start(ctx, i.letters); err != nil {
		return err
	}
	o := admit.Options{Snapshot: i.registry.Snapshot, Log: admit.BusLog(a.bus.log), Partition: bus.Partition,
		DeadLetters: i.letters, DeferredMost: a.cfg.Pipeline.DeferredPerTenant, Tracer: a.tracer, Metrics: a.metrics}
	if a.landing.backfill != nil {
		o.History = admit.BusLog(a.landing.backfill)
	}
	if a.cfg.Runs(config.RoleIngest) {
		who := presence.New(presence.Options{Pool: a.db.worker, Events: a.bus.hub, Log: a.log})
		if err := a.start(ctx, who); err != nil {
			return err
		}
		i.presence, o.Presence = who, who
	}
	if a.sharesBroker() {
		var err error
		i.deferred, err = bus.OpenLog(ctx, a.bus.conn, bus.LogOptions{Name: "DEFERRED", Prefix: "deferred", Partitions: 1,
			Replicas: a.cfg.NATS.Replicas, MaxBytes: a.cfg.Pipeline.DeferredMaxBytes})
		if err != nil {
			return err
		}
		o.Deferred = admit.BusLog(i.deferred)
	}
	i.admitter = admit.New(o)
	return a.start(ctx, admit.NewTally(admit.TallyOptions{Pool: a.db.worker, Counters: i.admitter.Counters(), Log: a.log}))
}

// sharesBroker reports whether messages of all tenants come by one connection.
func (a *App) sharesBroker() bool {
	return a.cfg.Runs(config.RoleIngest) && a.cfg.MQTT.BrokerURL != ""
}

// startIngest starts the doors of devices that speak MQTT.
func (a *App) startIngest(ctx context.Context) error {
	i := &a.ingest
	if a.cfg.MQTTAddr != "" {
		broker := mqtt.NewBroker(mqtt.Options{Addr: a.cfg.MQTTAddr, Admitter: i.admitter, Snapshot: i.registry.Snapshot,
			PasswordHash: i.registry.PasswordHash, Changes: i.registry.Changes(), Presence: i.presence, MaxPacket: a.cfg.MQTT.MaxPayload + packetOverhead,
			Verify: func(hash, password string) bool {
				ok, err := a.hasher.Verify(context.WithoutCancel(ctx), hash, password)
				if err != nil && !errors.Is(err, auth.ErrHash) {
					a.log.Warn("gateway password not checked", "error", err)
				}
				return ok
			}, Metrics: a.metrics, Log: a.log})
		if err := a.start(ctx, broker); err != nil {
			return err
		}
		a.MQTTAddr = broker.Addr().String()
	}
	if a.sharesBroker() {
		deferral := admit.NewDeferral(admit.DeferralOptions{Pool: a.db.worker, From: i.deferred, Admitter: i.admitter, Metrics: a.metrics, Log: a.log})
		if err := a.start(ctx, deferral); err != nil {
			return err
		}
		return a.start(ctx, mqtt.NewBridge(mqtt.BridgeOptions{URL: a.cfg.MQTT.BrokerURL, Username: a.cfg.MQTT.BrokerUser,
			Password: a.cfg.MQTT.BrokerPassword, ClientID: a.cfg.MQTT.ClientID, Topics: a.cfg.MQTT.Topics,
			Credential: admit.Credential{AnyTenant: true}, Admitter: i.admitter, Metrics: a.metrics, Log: a.log}))
	}
	return nil
}

// httpDoor is the gate for readings that come over the graph.
type httpDoor struct{ admitter *admit.Admitter }

// Ingest implements resolver.Ingester. A sensor on a site that the actor does not see
// is as unknown as one that nobody has.
func (d httpDoor) Ingest(ctx context.Context, readings []resolver.IngestReading) ([]resolver.IngestOutcome, error) {
	actor := tenancy.Must(ctx)
	messages := make([]admit.Message, len(readings))
	for i, r := range readings {
		messages[i] = admit.Message{Credential: admit.Credential{Tenant: actor.TenantID, Sites: actor.SiteIDs},
			Topic: "sensors/" + r.Sensor, Payload: r.Payload, OverQuota: admit.Tell}
	}
	out := make([]resolver.IngestOutcome, len(readings))
	for i, o := range d.admitter.AdmitAll(ctx, messages) {
		out[i] = resolver.IngestOutcome{IngestID: o.IngestID, Timestamp: o.Timestamp, Err: o.Err}
		if over := (*admit.QuotaError)(nil); errors.As(o.Err, &over) {
			out[i].RetryAfter = over.RetryAfter
		}
		if o.Rejection != nil {
			out[i].Reason = string(o.Rejection.Reason)
			if o.Rejection.Reason == decode.WrongSite {
				out[i].Reason = string(decode.UnknownSensor)
			}
		}
	}
	return out, nil
}

// packetOverhead is what a PUBLISH has besides its payload: topic and header.
const packetOverhead = 1024
