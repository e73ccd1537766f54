package loadtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"foresight/internal/simulate"
)

// What is rendered before a run: so many machines with so many readings each. A
// sensor goes round the readings of one machine, which is healthy.
const (
	machines = 64
	variants = 16
)

// The parameter by which the load raises alarms, and the two sides of the rule's threshold.
const (
	AlarmParameter = "pressure"
	AlarmThreshold = 1000.0 // bar
	raisedPressure = 2000.0
)

// timeForm is the form of timestamps; it has one length for all times.
const timeForm = "2006-01-02T15:04:05.000Z"

// template is a payload with a place for its timestamp.
type template struct {
	body []byte
	at   int // where the timestamp begins
}

// payloads are rendered readings of all 24 channels beside process parameters.
type payloads struct {
	calm, raised [machines * variants]template
}

// newPayloads measures the machines.
func newPayloads() (*payloads, error) {
	p := &payloads{}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for m := range machines {
		machine := simulate.NewMachine(uint64(m)+1, simulate.Profile{RatedKW: 90, NominalRPM: 2970, Mount: simulate.Rigid, Complete: true, Steady: true, DropoutRate: -1})
		for v := range variants {
			s := machine.Next(begin.Add(time.Duration(v) * time.Second))
			var err error
			if p.calm[m*variants+v], err = render(s); err != nil {
				return nil, err
			}
			s.Pressure = raisedPressure
			if p.raised[m*variants+v], err = render(s); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

func render(s simulate.Sample) (template, error) {
	body, err := s.Payload(simulate.Flat)
	if err != nil {
		return template{}, err
	}
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		return template{}, err
	}
	mark := []byte(s.Timestamp.UTC().Format(timeForm))
	at := bytes.Index(body, mark)
	if at < 0 || doc[AlarmParameter] == nil {
		return template{}, fmt.Errorf("loadtest: a payload without timestamp or %s: %s", AlarmParameter, body)
	}
	return template{body, at}, nil
}

// of returns the n-th message of a sensor as a new slice.
func (p *payloads) of(sensor, n int, raised bool, at time.Time) []byte {
	set := &p.calm
	if raised {
		set = &p.raised
	}
	t := &set[sensor%machines*variants+n%variants]
	b := bytes.Clone(t.body)
	var text [64]byte // formatting uses more room than it fills
	copy(b[t.at:], at.AppendFormat(text[:0], timeForm))
	return b
}
