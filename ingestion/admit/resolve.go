package admit

import (
	"fmt"
	"strings"

	"foresight/ingestion/decode"
	"foresight/ingestion/registry"
)

// place is where a topic points to within its tenant.
type place struct {
	topic decode.Topic
	own   *registry.Sensor // the sensor that has the topic as its own
}

func no(reason decode.Reason, format string, args ...any) *decode.Rejection {
	return &decode.Rejection{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// resolve finds the tenant of a message. A sensor's own topic goes before the usual
// forms. The tenant is set beside a rejection when it may be told of it: it is the
// credential's own, never one that the topic merely claims.
func resolve(s *registry.Snapshot, m Message) (place, *registry.Tenant, *decode.Rejection) {
	if m.Credential.AnyTenant {
		return resolveAny(s, m)
	}
	tenant, ok := s.Tenant(m.Credential.Tenant)
	if !ok {
		return place{}, nil, no(decode.InactiveTenant, "the credential's tenant is unknown or deleted")
	}
	if !tenant.Active {
		return place{}, tenant, no(decode.InactiveTenant, "the tenant is switched off")
	}
	if own, ok := tenant.SensorByTopic(m.Topic); ok {
		return place{own: own}, tenant, nil
	}
	topic, rejection := decode.ParseTopic(m.Topic)
	if rejection != nil {
		return place{}, tenant, rejection
	}
	if topic.Tenant != "" && topic.Tenant != tenant.Code {
		return place{}, tenant, no(decode.WrongTenant, "the topic names tenant %s, the credential belongs to %s", topic.Tenant, tenant.Code)
	}
	return place{topic: topic}, tenant, nil
}

// resolveAny is for a broker that all tenants share: only its topics tell them apart.
// A topic of a sensor's own counts only below its tenant's code: otherwise a tenant
// could draw the messages of another to itself.
func resolveAny(s *registry.Snapshot, m Message) (place, *registry.Tenant, *decode.Rejection) {
	code, _, _ := strings.Cut(m.Topic, "/")
	tenant, known := s.TenantByCode(code)
	if known && tenant.Active {
		if own, ok := tenant.SensorByTopic(m.Topic); ok {
			return place{own: own}, tenant, nil
		}
	}
	topic, rejection := decode.ParseTopic(m.Topic)
	if rejection != nil {
		return place{}, nil, rejection
	}
	switch {
	case topic.Tenant == "":
		return place{}, nil, no(decode.BadTopic, "the topic names no tenant, and the broker serves all")
	case !known:
		return place{}, nil, no(decode.WrongTenant, "there is no tenant %s", topic.Tenant)
	case !tenant.Active:
		return place{}, tenant, no(decode.InactiveTenant, "the tenant is switched off")
	}
	return place{topic: topic}, tenant, nil
}

// sensor finds the sensor of a message whose payload names code, "" when it names
// none, and checks that the credential may speak for it.
func (p place) sensor(t *registry.Tenant, c Credential, code string) (*registry.Sensor, *decode.Rejection) {
	sensor := p.own
	if sensor == nil {
		named := p.topic.Sensor
		if named == "" {
			named = code
		}
		if named == "" {
			return nil, no(decode.BadTopic, "neither the topic nor sensor_code names a sensor")
		}
		var ok bool
		if sensor, ok = t.Sensor(named); !ok {
			return nil, no(decode.UnknownSensor, "there is no sensor %.100q", named)
		}
	}
	switch {
	case code != "" && code != sensor.Code:
		return nil, no(decode.SensorMismatch, "the topic names sensor %s, sensor_code %.100q", sensor.Code, code)
	case p.topic.Site != "" && p.topic.Site != sensor.SiteCode:
		return nil, no(decode.WrongSite, "the topic names site %s, sensor %s stands on another", p.topic.Site, sensor.Code)
	case !c.covers(sensor.Site):
		return nil, no(decode.WrongSite, "the credential may not speak for the site of sensor %s", sensor.Code)
	case !sensor.Active:
		return nil, no(decode.InactiveSensor, "sensor %s or its asset or site is switched off", sensor.Code)
	}
	return sensor, nil
}
