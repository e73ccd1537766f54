package sparkplug

import (
	"foresight/ingestion/decode"
	"foresight/ingestion/decode/sparkplug/spb"
)

// Bounds of what is remembered of one node.
const (
	maxDevices     = 1000
	maxDefinitions = 20000 // metrics of the node and all its devices
)

// bdSeqName is the metric that ties a death to its birth: the broker sends the death,
// which was left with it at the connect, and may do so after the node has come again.
const bdSeqName = "bdSeq"

// Session is what is remembered of an edge node. The zero value knows nothing: every
// message but a birth then asks for a rebirth. One goroutine uses it at a time.
type Session struct {
	group    string
	born     bool
	stale    bool // a message is missing: numbers may mean something else by now
	seq      uint8
	bdSeq    *uint64
	node     definitions
	devices  map[string]definitions
	metrics  int // definitions of all
	metricsN map[string]int
}

// definitions are the metrics of a node or device as its birth has told them.
type definitions struct {
	byAlias map[uint64]definition
	signed  map[string]uint32 // the types of those whose sign depends on it
}

type definition struct {
	name     string
	datatype uint32
}

// Outcome is what a message means.
type Outcome struct {
	Values     []Value
	Born, Died bool // the node has come, or gone
	// Rebirth says that the node must be asked for its births.
	Rebirth bool
	// Rejection is why the message was not understood; Values is then empty.
	Rejection *decode.Rejection
}

// Born reports whether the node has come and not gone.
func (s *Session) Born() bool { return s.born }

// Size returns the number of metrics that are remembered.
func (s *Session) Size() int { return s.metrics }

// Take follows a message of a node; repeated says that its sender marks it as sent
// before, as a broker does that did not see it acknowledged.
//
// A message that is missing makes the rest unintelligible: it may have been a birth
// that gave the numbers other meanings. Until the next birth, only messages that name
// all their metrics are understood.
func (s *Session) Take(t Topic, p *Payload, repeated bool) Outcome {
	switch t.Kind {
	case NodeBirth:
		return s.nodeBirth(t, p)
	case NodeDeath:
		return s.nodeDeath(p)
	}
	if p.Seq == nil {
		return Outcome{Rejection: reject(decode.BadSparkplug, "%s has no seq", t.Kind)}
	}
	s.follow(t, uint8(p.GetSeq()), repeated)
	switch t.Kind {
	case DeviceBirth:
		return s.deviceBirth(t, p)
	case DeviceDeath:
		s.forget(t.Device)
		return Outcome{Rebirth: !s.sound()}
	case DeviceData:
		return s.data(t, p, s.devices[t.Device])
	}
	return s.data(t, p, s.node)
}

// sound reports whether numbers mean what they were said to mean.
func (s *Session) sound() bool { return s.born && !s.stale }

// follow checks the number of a message. One that comes again is no gap, and what
// follows on it is not one either.
func (s *Session) follow(t Topic, seq uint8, repeated bool) {
	switch {
	case !s.born:
	case t.Group != s.group:
		s.stale = true
	case seq == s.seq+1 || repeated:
		s.seq = seq
	case seq != s.seq:
		s.stale = true
	}
}

func (s *Session) nodeBirth(t Topic, p *Payload) Outcome {
	if p.Seq == nil {
		return Outcome{Rejection: reject(decode.BadSparkplug, "the birth has no seq")}
	}
	d, rejection := define(p)
	if rejection != nil {
		return Outcome{Rejection: rejection}
	}
	*s = Session{group: t.Group, born: true, seq: uint8(p.GetSeq()), bdSeq: bdSeqOf(p), node: d, metrics: len(p.GetMetrics())}
	out := s.data(t, p, d)
	out.Born = true
	return out
}

func (s *Session) nodeDeath(p *Payload) Outcome {
	if of := bdSeqOf(p); s.born && of != nil && s.bdSeq != nil && *of != *s.bdSeq {
		return Outcome{} // of an earlier connection
	}
	*s = Session{}
	return Outcome{Died: true}
}

func (s *Session) deviceBirth(t Topic, p *Payload) Outcome {
	d, rejection := define(p)
	if rejection != nil {
		return Outcome{Rejection: rejection}
	}
	if s.sound() {
		s.forget(t.Device)
		if len(s.devices) >= maxDevices || s.metrics+len(p.GetMetrics()) > maxDefinitions {
			return Outcome{Rejection: reject(decode.BadSparkplug, "the node has too many devices or metrics")}
		}
		if s.devices == nil {
			s.devices, s.metricsN = map[string]definitions{}, map[string]int{}
		}
		s.devices[t.Device], s.metricsN[t.Device] = d, len(p.GetMetrics())
		s.metrics += len(p.GetMetrics())
	}
	return s.data(t, p, d)
}

func (s *Session) forget(device string) {
	s.metrics -= s.metricsN[device]
	delete(s.devices, device)
	delete(s.metricsN, device)
}

// define reads the metrics of a birth.
func define(p *Payload) (definitions, *decode.Rejection) {
	d := definitions{byAlias: map[uint64]definition{}, signed: map[string]uint32{}}
	for _, m := range p.GetMetrics() {
		if m.GetName() == "" {
			return d, reject(decode.BadSparkplug, "a metric of a birth has no name")
		}
		if m.Alias != nil {
			if other, ok := d.byAlias[m.GetAlias()]; ok && other.name != m.GetName() {
				return d, reject(decode.BadSparkplug, "alias %d stands for %.64q and %.64q", m.GetAlias(), other.name, m.GetName())
			}
			d.byAlias[m.GetAlias()] = definition{m.GetName(), m.GetDatatype()}
		}
		if signed(m.GetDatatype()) {
			d.signed[m.GetName()] = m.GetDatatype()
		}
	}
	return d, nil
}

// data reads the values of a message whose metrics d defines.
func (s *Session) data(t Topic, p *Payload, d definitions) Outcome {
	out := Outcome{Rebirth: !s.sound(), Values: make([]Value, 0, len(p.GetMetrics()))}
	if t.Kind == DeviceData && s.sound() {
		_, known := s.devices[t.Device]
		out.Rebirth = !known
	}
	for _, m := range p.GetMetrics() {
		name, datatype, rejection := s.nameOf(m, d)
		if rejection != nil {
			return Outcome{Rebirth: true, Rejection: rejection}
		}
		if m.GetIsNull() {
			continue
		}
		at := m.GetTimestamp()
		if at == 0 {
			at = p.GetTimestamp()
		}
		out.Values = append(out.Values, Value{Name: name, Time: int64(at), Historical: m.GetIsHistorical(), Number: numberOf(m, datatype)})
	}
	return out
}

// nameOf returns the name and the data type of a metric.
func (s *Session) nameOf(m *spb.Metric, d definitions) (string, uint32, *decode.Rejection) {
	if name := m.GetName(); name != "" {
		if m.Datatype != nil {
			return name, m.GetDatatype(), nil
		}
		return name, d.signed[name], nil
	}
	if m.Alias == nil {
		return "", 0, reject(decode.BadSparkplug, "a metric has neither name nor alias")
	}
	switch {
	case !s.born:
		return "", 0, reject(decode.NoBirth, "the birth of the node is not known")
	case s.stale:
		return "", 0, reject(decode.OutOfSequence, "a message of the node is missing")
	}
	def, ok := d.byAlias[m.GetAlias()]
	if !ok {
		return "", 0, reject(decode.NoBirth, "no birth has told of alias %d", m.GetAlias())
	}
	if m.Datatype != nil {
		def.datatype = m.GetDatatype()
	}
	return def.name, def.datatype, nil
}

func bdSeqOf(p *Payload) *uint64 {
	for _, m := range p.GetMetrics() {
		if m.GetName() != bdSeqName {
			continue
		}
		switch v := m.GetValue().(type) {
		case *spb.Metric_LongValue:
			return &v.LongValue
		case *spb.Metric_IntValue:
			n := uint64(v.IntValue)
			return &n
		}
	}
	return nil
}
