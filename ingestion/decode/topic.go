package decode

import "strings"

// Topic is what an MQTT topic says of a sensor. Empty parts are not said: without a
// tenant it is the credential's, without a sensor the payload names it. The parts
// share memory with the topic they were read from.
type Topic struct {
	Tenant, Site, Sensor string
}

const (
	sensorsLevel = "sensors"
	maxCode      = 100
	maxTopic     = 512
)

// ParseTopic reads the forms
//
//	{tenant}/{site}/sensors/{sensor}
//	{tenant}/{site}/sensors             sensor_code in the payload
//	sensors/{sensor}                    the credential's tenant
//	sensors                             the credential's tenant, sensor_code in the payload
//
// where every code is `[a-z0-9_-]{1,100}`; anything else is BadTopic. It does not
// allocate unless it rejects.
func ParseTopic(topic string) (Topic, *Rejection) {
	var level [4]string
	n := 0
	for rest, more := topic, len(topic) <= maxTopic; more; n++ {
		if n == len(level) {
			return Topic{}, badTopic(topic)
		}
		level[n], rest, more = strings.Cut(rest, "/")
	}
	var t Topic
	switch {
	case n == 4 && level[2] == sensorsLevel:
		t = Topic{level[0], level[1], level[3]}
	case n == 3 && level[2] == sensorsLevel:
		t = Topic{Tenant: level[0], Site: level[1]}
	case n == 2 && level[0] == sensorsLevel:
		t = Topic{Sensor: level[1]}
	case n == 1 && level[0] == sensorsLevel:
	default:
		return Topic{}, badTopic(topic)
	}
	for i, l := range level[:n] {
		if l == sensorsLevel && (i == 0 || i == 2) {
			continue
		}
		if !IsCode(l) {
			return Topic{}, badTopic(topic)
		}
	}
	return t, nil
}

// IsCode reports whether s has the form of a tenant's, site's or sensor's code.
func IsCode(s string) bool {
	if len(s) == 0 || len(s) > maxCode {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

func badTopic(topic string) *Rejection {
	return reject(BadTopic, "%q has no known form", cut(topic))
}
