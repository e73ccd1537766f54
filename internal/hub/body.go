package hub

import (
	"encoding/binary"
	"fmt"
	"math"

	"foresight/internal/event"
	"foresight/internal/telemetry"
)

// appendReading writes what live views need: not the payload and not the topic.
//
//	8 Timestamp  16 IngestID  8 LogSeq  8 ReceivedAt  1 Late
//	4 mask of the channels present, then 8 for each
//	  Values: count, then name and 8 for each
func appendReading(b []byte, r *telemetry.Raw) ([]byte, error) {
	b = appendTime(b, r.Timestamp)
	b = append(b, r.IngestID[:]...)
	b = binary.BigEndian.AppendUint64(b, r.LogSeq)
	b = appendTime(b, r.ReceivedAt)
	b = appendBool(b, r.Late)
	var mask uint32
	for i, v := range r.Channels {
		if !math.IsNaN(v) {
			mask |= 1 << i
		}
	}
	b = binary.BigEndian.AppendUint32(b, mask)
	for _, v := range r.Channels {
		if !math.IsNaN(v) {
			b = appendFloat(b, v)
		}
	}
	if len(r.Values) > maxItems {
		return nil, fmt.Errorf("hub: reading with %d values", len(r.Values))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Values)))
	var err error
	for _, v := range r.Values {
		if b, err = appendString(b, v.Name); err != nil {
			return nil, err
		}
		b = appendFloat(b, v.Value)
	}
	return b, nil
}

func (d *decoder) reading(k telemetry.Key) *telemetry.Raw {
	r := &telemetry.Raw{Reading: telemetry.Reading{Key: k, Channels: telemetry.NoChannels()}}
	r.Timestamp = d.time()
	copy(r.IngestID[:], d.take(16))
	r.LogSeq = d.uint64()
	r.ReceivedAt = d.time()
	r.Late = d.bool()
	mask := d.uint32()
	if mask>>telemetry.Channels != 0 {
		d.fail(errCodec)
	}
	for i := range r.Channels {
		if mask&(1<<i) != 0 {
			r.Channels[i] = d.float()
		}
	}
	if n := d.count(maxItems); n > 0 {
		r.Values = make([]telemetry.Value, 0, min(n, len(d.b)/9)) // each takes 9 bytes at least
		for range n {
			if d.err != nil {
				break
			}
			r.Values = append(r.Values, telemetry.Value{Name: d.string(), Value: d.float()})
		}
	}
	return r
}

// appendPrediction writes
//
//	16 ID  8 Timestamp  16 IngestID  8 Probability  16 VersionID  1 OutOfDistribution
//	   Label  VersionLabel  Role
//	   Top: count, then label and 8 for each
func appendPrediction(b []byte, p *telemetry.FaultPrediction) ([]byte, error) {
	b = append(b, p.ID[:]...)
	b = appendTime(b, p.Timestamp)
	b = append(b, p.IngestID[:]...)
	b = appendFloat(b, p.Probability)
	b = append(b, p.VersionID[:]...)
	b = appendBool(b, p.OutOfDistribution)
	var err error
	for _, s := range [...]string{p.Label, p.VersionLabel, string(p.Role)} {
		if b, err = appendString(b, s); err != nil {
			return nil, err
		}
	}
	if len(p.Top) > maxItems {
		return nil, fmt.Errorf("hub: prediction with %d classes", len(p.Top))
	}
	b = binary.AppendUvarint(b, uint64(len(p.Top)))
	for _, c := range p.Top {
		if b, err = appendString(b, c.Label); err != nil {
			return nil, err
		}
		b = appendFloat(b, c.Probability)
	}
	return b, nil
}

func (d *decoder) prediction(k telemetry.Key) *telemetry.FaultPrediction {
	p := &telemetry.FaultPrediction{Key: k, ID: d.id(), Timestamp: d.time()}
	copy(p.IngestID[:], d.take(16))
	p.Probability = d.float()
	p.VersionID = d.id()
	p.OutOfDistribution = d.bool()
	p.Label, p.VersionLabel, p.Role = d.string(), d.string(), telemetry.Role(d.string())
	if n := d.count(maxItems); n > 0 {
		p.Top = make([]telemetry.LabelProbability, 0, min(n, len(d.b)/9))
		for range n {
			if d.err != nil {
				break
			}
			p.Top = append(p.Top, telemetry.LabelProbability{Label: d.string(), Probability: d.float()})
		}
	}
	return p
}

// appendJob writes
//
//	16 ID  8 Done  8 Total
//	   Status  Phase
func appendJob(b []byte, j *event.JobProgress) ([]byte, error) {
	b = append(b, j.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(j.Done))
	b = binary.BigEndian.AppendUint64(b, uint64(j.Total))
	b, err := appendString(b, j.Status)
	if err != nil {
		return nil, err
	}
	return appendString(b, j.Phase)
}

func (d *decoder) job() *event.JobProgress {
	return &event.JobProgress{ID: d.id(), Done: int64(d.uint64()), Total: int64(d.uint64()), Status: d.string(), Phase: d.string()}
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func (d *decoder) bool() bool { return d.byte() != 0 }

func (d *decoder) uint32() uint32 {
	if p := d.take(4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

// appendGateway writes
//
//	16 ID  1 IsOnline  8 LastSeenAt  8 ConnectedAt
func appendGateway(b []byte, g *event.GatewayChange) []byte {
	b = appendBool(append(b, g.ID[:]...), g.IsOnline)
	return appendTime(appendTime(b, g.LastSeenAt), g.ConnectedAt)
}

func (d *decoder) gateway() *event.GatewayChange {
	return &event.GatewayChange{ID: d.id(), IsOnline: d.bool(), LastSeenAt: d.time(), ConnectedAt: d.time()}
}

// appendHealth writes
//
//	8 CalculatedAt  8 Score
//	16 Failure.ID  16 Failure.Version  3 x 8 Within7  3 x 8 Within30
//	   Status  Method  Failure.Risk
func appendHealth(b []byte, h *event.HealthChange) ([]byte, error) {
	b = appendFloat(appendTime(b, h.CalculatedAt), h.Score)
	f := &h.Failure
	b = append(append(b, f.ID[:]...), f.Version[:]...)
	for i := range f.Within7 {
		b = appendFloat(b, f.Within7[i])
	}
	for i := range f.Within30 {
		b = appendFloat(b, f.Within30[i])
	}
	var err error
	for _, s := range [...]string{h.Status, h.Method, f.Risk} {
		if b, err = appendString(b, s); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (d *decoder) health() *event.HealthChange {
	h := &event.HealthChange{CalculatedAt: d.time(), Score: d.float()}
	f := &h.Failure
	f.ID, f.Version = d.id(), d.id()
	for i := range f.Within7 {
		f.Within7[i] = d.float()
	}
	for i := range f.Within30 {
		f.Within30[i] = d.float()
	}
	h.Status, h.Method, f.Risk = d.string(), d.string(), d.string()
	return h
}
