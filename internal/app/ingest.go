package app

import (
	"context"
	"errors"

	"foresight/ingestion/admit"
	"foresight/ingestion/mqtt"
	"foresight/ingestion/registry"
	"foresight/internal/auth"
	"foresight/internal/bus"
)

// ingest is the way from a device to the log.
type ingest struct {
	registry *registry.Registry
	admitter *admit.Admitter
	letters  *admit.Letters
}

func (a *App) startIngest(ctx context.Context) error {
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
	i.admitter = admit.New(admit.Options{Snapshot: i.registry.Snapshot, Log: admit.BusLog(a.bus.log), Partition: bus.Partition,
		DeadLetters: i.letters, Metrics: a.metrics})
	if a.cfg.MQTTAddr != "" {
		hasher := auth.NewHasher(auth.DefaultParams)
		broker := mqtt.NewBroker(mqtt.Options{Addr: a.cfg.MQTTAddr, Admitter: i.admitter, Snapshot: i.registry.Snapshot,
			PasswordHash: i.registry.PasswordHash, MaxPacket: a.cfg.MQTT.MaxPayload + packetOverhead,
			Verify: func(hash, password string) bool {
				ok, err := hasher.Verify(context.WithoutCancel(ctx), hash, password)
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
	if a.cfg.MQTT.BrokerURL != "" {
		return a.start(ctx, mqtt.NewBridge(mqtt.BridgeOptions{URL: a.cfg.MQTT.BrokerURL, Username: a.cfg.MQTT.BrokerUser,
			Password: a.cfg.MQTT.BrokerPassword, ClientID: a.cfg.MQTT.ClientID, Topics: a.cfg.MQTT.Topics,
			Credential: admit.Credential{AnyTenant: true}, Admitter: i.admitter, Metrics: a.metrics, Log: a.log}))
	}
	return nil
}

// packetOverhead is what a PUBLISH has besides its payload: topic and header.
const packetOverhead = 1024
