package plant

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/sensor"
	"foresight/internal/fault"
	"foresight/internal/id"
)

// SensorSpec is what people say of a sensor.
type SensorSpec struct {
	Asset                id.UUID
	Gateway              *id.UUID // that speaks for it, on the asset's site; nil: it talks to the broker itself
	Code                 string
	Type                 enum.SensorType
	MountLocation        *string
	MQTTTopic            *string // its own; nil: the usual one
	PositionX, PositionY float64 // % of the asset's picture from the left and the top
	InstalledOn          *time.Time
	Calibration          map[string]any // as delivered
	ExpectedIntervalSec  *int
	IsActive             bool // readings of sensors out of use are refused
}

const (
	maxInterval    = 30 * 24 * 3600 // s
	maxCalibration = 16 << 10       // bytes of JSON
)

// CreateSensor adds a sensor to a machine.
func (s *Service) CreateSensor(ctx context.Context, spec SensorSpec) (*ent.Sensor, error) {
	return created(ctx, s, sensorKind, spec)
}

// UpdateSensor changes a sensor of the expected version. Its code stays. A sensor that
// moves to a machine of another site leaves its gateway behind.
func (s *Service) UpdateSensor(ctx context.Context, which id.UUID, expected int, change func(*SensorSpec)) (*ent.Sensor, error) {
	return changed(ctx, s, sensorKind, which, expected, change)
}

// DeleteSensor deletes a sensor and the rules about it.
func (s *Service) DeleteSensor(ctx context.Context, which id.UUID, expected *int) (*ent.Sensor, error) {
	return removed(ctx, s, sensorKind, which, expected)
}

var sensorKind = kind[ent.Sensor, SensorSpec]{
	entity: "Sensor", table: sensor.Table,
	spec: func(e *ent.Sensor) SensorSpec {
		return SensorSpec{Asset: e.AssetID, Gateway: e.GatewayID, Code: e.SensorCode, Type: e.SensorType, MountLocation: e.MountLocation,
			MQTTTopic: e.MqttTopic, PositionX: e.PositionX, PositionY: e.PositionY, InstalledOn: e.InstallationDate,
			Calibration: e.ValidationData, ExpectedIntervalSec: e.ExpectedIntervalSec, IsActive: e.IsActive}
	},
	version: func(e *ent.Sensor) int { return e.Version },
	find: func(ctx context.Context, c *ent.Client, of id.UUID) (*ent.Sensor, error) {
		return c.Sensor.Query().Where(sensor.ID(of)).Only(ctx)
	},
	check: func(ctx context.Context, w work, old *ent.Sensor, spec *SensorSpec) error {
		return spec.check(ctx, w, old)
	},
	create: func(ctx context.Context, c *ent.Client, spec SensorSpec) (*ent.Sensor, error) {
		q := c.Sensor.Create().SetSensorCode(spec.Code)
		spec.write(q.Mutation())
		return q.Save(ctx)
	},
	save: func(ctx context.Context, w work, old *ent.Sensor, spec SensorSpec) (*ent.Sensor, error) {
		q := w.client.Sensor.UpdateOneID(old.ID).Where(sensor.Version(old.Version))
		spec.write(q.Mutation())
		return q.Save(ctx)
	},
	remove: func(ctx context.Context, w work, e *ent.Sensor) error {
		return w.client.Sensor.DeleteOneID(e.ID).Exec(ctx)
	},
	violated: func(constraint string) *fault.Error {
		if strings.Contains(constraint, "topic") {
			return fault.New(fault.Conflict, "error.sensor.topicTaken").At("input.mqttTopic")
		}
		return fault.New(fault.Conflict, "error.sensor.codeTaken").At("input.code")
	},
}

func (s *SensorSpec) check(ctx context.Context, w work, old *ent.Sensor) error {
	var p problems
	p.code(s.Code)
	p.check(slices.Contains(s.Type.Values(), string(s.Type)), "type", "error.sensor.type")
	p.text("mountLocation", s.MountLocation, maxName)
	if s.MQTTTopic != nil {
		p.check(isOwnTopic(*s.MQTTTopic), "mqttTopic", "error.sensor.topic")
	}
	p.between("positionX", &s.PositionX, 0, 100)
	p.between("positionY", &s.PositionY, 0, 100)
	s.InstalledOn = day(s.InstalledOn)
	if s.Calibration == nil {
		s.Calibration = map[string]any{}
	}
	b, err := json.Marshal(s.Calibration)
	p.check(err == nil && len(b) <= maxCalibration, "calibration", "error.sensor.calibration")
	if i := s.ExpectedIntervalSec; i != nil && (*i < 1 || *i > maxInterval) {
		p.add(fault.Invalid("input.expectedIntervalSec", "error.range").With("Min", 1).With("Max", maxInterval))
	}
	if err := s.place(ctx, w, old, &p); err != nil {
		return err
	}
	return p.list.Err()
}

// place checks the machine, and that the gateway stands where it stands.
func (s *SensorSpec) place(ctx context.Context, w work, old *ent.Sensor, p *problems) error {
	if s.Asset == id.Nil {
		p.bad("assetId", "error.required")
		return nil
	}
	site, err := p.refers(ctx, w, reference{"Asset", "assetId", &s.Asset})
	if err != nil || s.Gateway == nil || site == id.Nil {
		return err
	}
	kept := old != nil && same(s.Gateway, old.GatewayID)
	if kept && s.Asset == old.AssetID {
		return nil // as it was
	}
	known := len(p.list)
	at, err := p.refers(ctx, w, reference{"Gateway", "gatewayId", s.Gateway})
	switch {
	case err != nil || len(p.list) > known || at == site:
	case kept: // not named anew: it stays behind
		s.Gateway = nil
	default:
		p.bad("gatewayId", "error.gateway.otherSite")
	}
	return err
}

// usualTopic is the form of topics that name their sensor: a topic of a sensor's own
// goes before it, and must not take another one's readings.
var usualTopic = regexp.MustCompile(`^([^/]+/[^/]+/)?sensors(/[^/]+)?$`)

// isOwnTopic reports whether a topic can be one sensor's alone: MQTT's form of topics
// to publish to, and not the usual form.
func isOwnTopic(topic string) bool {
	return topic != "" && len(topic) <= maxPath && !strings.ContainsAny(topic, "+#\x00") && topic[0] != '$' && topic[0] != '/' && !usualTopic.MatchString(topic)
}

func (s *SensorSpec) write(m *ent.SensorMutation) {
	m.SetAssetID(s.Asset)
	setOrClear(s.Gateway, m.SetGatewayID, m.ClearGatewayID)
	m.SetSensorType(s.Type)
	setOrClear(s.MountLocation, m.SetMountLocation, m.ClearMountLocation)
	setOrClear(s.MQTTTopic, m.SetMqttTopic, m.ClearMqttTopic)
	m.SetPositionX(s.PositionX)
	m.SetPositionY(s.PositionY)
	setOrClear(s.InstalledOn, m.SetInstallationDate, m.ClearInstallationDate)
	m.SetValidationData(s.Calibration)
	setOrClear(s.ExpectedIntervalSec, m.SetExpectedIntervalSec, m.ClearExpectedIntervalSec)
	m.SetIsActive(s.IsActive)
}
