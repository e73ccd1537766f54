package decode

import (
	"fmt"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"foresight/internal/telemetry"
)

// message is the walk through one payload.
type message struct {
	*Decoder
	cat   *Catalogue
	out   *Payload
	any   bool // a parameter was found
	base  int  // of the mount points below motor_data (0) or pump_data (2)
	mount int  // the mount point whose quantities are read
}

func reject(r Reason, format string, args ...any) *Rejection {
	return &Rejection{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// object reads an object and calls field with every key, whose value field must
// consume. The key is valid until the next read.
func (m *message) object(field func(key []byte) *Rejection) *Rejection {
	t, err := m.json.ReadToken()
	if err != nil {
		return broken(err)
	}
	if t.Kind() != '{' {
		return reject(BadJSON, "%s instead of an object at %s", t.Kind(), where(m.json))
	}
	if m.json.StackDepth() > m.limits.MaxDepth {
		return m.tooDeep()
	}
	for m.json.PeekKind() == '"' {
		key, r := m.string()
		if r != nil {
			return r
		}
		if r := field(key); r != nil {
			return r
		}
	}
	if _, err := m.json.ReadToken(); err != nil {
		return broken(err)
	}
	return nil
}

// string reads a string or a key; the bytes are valid until the next call.
func (m *message) string() ([]byte, *Rejection) {
	v, err := m.json.ReadValue()
	if err != nil {
		return nil, broken(err)
	}
	if m.text, err = jsontext.AppendUnquote(m.text[:0], v); err != nil {
		return nil, broken(err)
	}
	return m.text, nil
}

// field is a key of the outermost object.
func (m *message) field(key []byte) *Rejection {
	switch string(key) {
	case "timestamp":
		return m.timestamp()
	case "sensor_code":
		return m.name("sensor_code", &m.out.SensorCode)
	case "ingest_id":
		return m.name("ingest_id", &m.out.IngestID)
	case "motor_data":
		m.base = 0
		return m.object(m.machineField)
	case "pump_data":
		m.base = 2
		return m.object(m.machineField)
	case "parameters":
		return m.object(m.parameter)
	}
	return m.parameter(key)
}

// machineField is a key of motor_data or pump_data.
func (m *message) machineField(key []byte) *Rejection {
	switch string(key) {
	case "DE":
		m.mount = m.base
	case "NDE":
		m.mount = m.base + 1
	default:
		return m.skip()
	}
	return m.object(m.quantity)
}

// quantity is a key of a mount point.
func (m *message) quantity(key []byte) *Rejection {
	for q, name := range telemetry.QuantityNames {
		if string(key) == name {
			return m.value(m.cat.channels[telemetry.At(m.mount, q)])
		}
	}
	return m.skip()
}

// parameter is a key that may name a parameter of the catalogue.
func (m *message) parameter(key []byte) *Rejection {
	if s, ok := m.cat.byName[string(key)]; ok {
		return m.value(s)
	}
	return m.skip()
}

// value reads the number of a parameter.
func (m *message) value(s *slot) *Rejection {
	t, err := m.json.ReadToken()
	if err != nil {
		return broken(err)
	}
	if t.Kind() != '0' {
		return reject(NotANumber, "%s is %s", s.Name, t.Kind())
	}
	v, err := t.Float()
	if err != nil || math.IsInf(v, 0) {
		return reject(NotANumber, "%s is beyond what a 64-bit number holds", s.Name)
	}
	if !s.plausible(v) {
		return reject(Implausible, "%s is %g %s, plausible is %g to %g", s.Name, v, s.Unit, s.Min, s.Max)
	}
	m.any = true
	if !s.process {
		if old := m.out.Channels[s.channel]; old == old {
			return reject(DuplicateKey, "%s is given twice", s.Name)
		}
		m.out.Channels[s.channel] = v
		return nil
	}
	for _, old := range m.out.Values {
		if old.Name == s.Name {
			return reject(DuplicateKey, "%s is given twice", s.Name)
		}
	}
	m.out.Values = append(m.out.Values, telemetry.Value{Name: s.Name, Value: v})
	return nil
}

// maxName bounds sensor_code and ingest_id, in bytes.
const maxName = 100

// name reads a short text that must not be empty.
func (m *message) name(key string, into *string) *Rejection {
	if m.json.PeekKind() != '"' {
		return reject(BadField, "%s is no text", key)
	}
	v, r := m.string()
	if r != nil {
		return r
	}
	if len(v) == 0 || len(v) > maxName {
		return reject(BadField, "%s has %d bytes, 1 to %d are taken", key, len(v), maxName)
	}
	*into = string(v)
	return nil
}

// skip passes over the value of an unknown key; its form and depth are still
// checked, as it is stored with the message.
func (m *message) skip() *Rejection {
	depth := m.json.StackDepth()
	for {
		if _, err := m.json.ReadToken(); err != nil {
			return broken(err)
		}
		switch now := m.json.StackDepth(); {
		case now > m.limits.MaxDepth:
			return m.tooDeep()
		case now == depth:
			return nil
		}
	}
}

func (m *message) tooDeep() *Rejection {
	return reject(TooDeep, "nested deeper than %d levels", m.limits.MaxDepth)
}

func where(d *jsontext.Decoder) string {
	if p := string(d.StackPointer()); p != "" {
		return cut(p)
	}
	return "the top"
}
