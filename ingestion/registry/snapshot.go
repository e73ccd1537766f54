package registry

import (
	"time"

	"foresight/ingestion/decode"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Sensor is a sensor that is not deleted, as admission and the worker see it.
type Sensor struct {
	telemetry.Key
	Code      string
	SiteCode  string
	AssetType string // the asset's, `pump`
	Topic     string // its own MQTT topic, "" when it uses the usual form
	Active    bool   // so are its asset and its site
}

// Gateway is a device that brings the messages of sensors. The hash of its password is
// not kept in memory, see Registry.PasswordHash.
type Gateway struct {
	ID, Tenant, Site id.UUID
	Code             string // unique within the tenant
	Username         string // of MQTT, globally unique; "" when it has no credential
	Version          int    // of its row: another one may mean another password
	Active           bool   // so are its tenant and its site
}

// Tenant is what is known of one tenant. All of it is immutable.
type Tenant struct {
	ID        id.UUID
	Code      string
	Active    bool
	Retention time.Duration // of raw readings; older messages are rejected
	Rate      float64       // messages per second that its senders may sustain
	Burst     int           // messages that they may send at once
	Catalogue *decode.Catalogue

	byID    map[id.UUID]*Sensor
	byCode  map[string]*Sensor
	byTopic map[string]*Sensor

	gateways map[string]*Gateway // by code
}

// Sensor finds a sensor by its code, which is unique within the tenant.
func (t *Tenant) Sensor(code string) (*Sensor, bool) {
	s, ok := t.byCode[code]
	return s, ok
}

// SensorByID finds a sensor by its id.
func (t *Tenant) SensorByID(sensor id.UUID) (*Sensor, bool) {
	s, ok := t.byID[sensor]
	return s, ok
}

// SensorByTopic finds the sensor that has this topic as its own.
func (t *Tenant) SensorByTopic(topic string) (*Sensor, bool) {
	s, ok := t.byTopic[topic]
	return s, ok
}

// Gateway finds a gateway by its code, which is unique within the tenant.
func (t *Tenant) Gateway(code string) (*Gateway, bool) {
	g, ok := t.gateways[code]
	return g, ok
}

// Sensors returns the number of sensors.
func (t *Tenant) Sensors() int { return len(t.byID) }

// Snapshot is the state of all tenants at one time. It is immutable: hold one for
// the time of one message or batch, so that its answers agree with each other.
// Look-ups do not allocate.
type Snapshot struct {
	byID     map[id.UUID]*Tenant
	byCode   map[string]*Tenant
	gateways map[string]*Gateway
}

// Tenant finds a tenant by id.
func (s *Snapshot) Tenant(tenant id.UUID) (*Tenant, bool) {
	t, ok := s.byID[tenant]
	return t, ok
}

// TenantByCode finds a tenant by its globally unique code.
func (s *Snapshot) TenantByCode(code string) (*Tenant, bool) {
	t, ok := s.byCode[code]
	return t, ok
}

// Sensor finds a sensor of a tenant by id.
func (s *Snapshot) Sensor(tenant, sensor id.UUID) (*Sensor, bool) {
	t, ok := s.byID[tenant]
	if !ok {
		return nil, false
	}
	return t.SensorByID(sensor)
}

// Gateway finds a gateway by its globally unique MQTT user name.
func (s *Snapshot) Gateway(username string) (*Gateway, bool) {
	g, ok := s.gateways[username]
	return g, ok
}

// Gateways returns the ids of the gateways of all tenants, in a set of the caller's own.
func (s *Snapshot) Gateways() map[id.UUID]struct{} {
	out := make(map[id.UUID]struct{}, len(s.gateways))
	for _, t := range s.byID {
		for _, g := range t.gateways {
			out[g.ID] = struct{}{}
		}
	}
	return out
}

// Sensors returns the number of sensors of all tenants.
func (s *Snapshot) Sensors() int {
	n := 0
	for _, t := range s.byID {
		n += t.Sensors()
	}
	return n
}

// Tenants returns the number of tenants.
func (s *Snapshot) Tenants() int { return len(s.byID) }

func newSnapshot(tenants []*Tenant) *Snapshot {
	s := &Snapshot{
		byID:     make(map[id.UUID]*Tenant, len(tenants)),
		byCode:   make(map[string]*Tenant, len(tenants)),
		gateways: make(map[string]*Gateway),
	}
	for _, t := range tenants {
		s.byID[t.ID] = t
		s.byCode[t.Code] = t
		for _, g := range t.gateways {
			if g.Username != "" {
				s.gateways[g.Username] = g
			}
		}
	}
	return s
}

// with returns a snapshot in which one tenant is replaced; a nil t removes it.
func (s *Snapshot) with(tenant id.UUID, t *Tenant) *Snapshot {
	tenants := make([]*Tenant, 0, len(s.byID)+1)
	for k, old := range s.byID {
		if k != tenant {
			tenants = append(tenants, old)
		}
	}
	if t != nil {
		tenants = append(tenants, t)
	}
	return newSnapshot(tenants)
}
