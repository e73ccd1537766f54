package rules

import (
	"math"
	"testing"
	"time"

	"foresight/internal/telemetry"
)

func reading(name string, v float64) *telemetry.Reading {
	return &telemetry.Reading{Timestamp: epoch, Channels: telemetry.NoChannels(), Values: []telemetry.Value{{Name: name, Value: v}}}
}

func prediction(at time.Time, label string, p float64) *telemetry.FaultPrediction {
	return &telemetry.FaultPrediction{Timestamp: at, Label: label, Probability: p}
}

func TestSamplesOfReadings(t *testing.T) {
	r := Rule{Parameter: "flow"}
	if s, ok := r.OfReading(reading("flow", 3)); !ok || s != (Sample{At: epoch, Value: 3}) {
		t.Errorf("sample %+v, %v", s, ok)
	}
	for name, in := range map[string]*telemetry.Reading{
		"missing":  reading("speed", 3),
		"NaN":      reading("flow", math.NaN()),
		"infinite": reading("flow", math.Inf(1)),
	} {
		if s, ok := r.OfReading(in); ok {
			t.Errorf("%s gave the sample %+v", name, s)
		}
	}
}

func TestSamplesOfPredictions(t *testing.T) {
	for _, c := range []struct {
		name        string
		codes       []string
		onlyIn      bool
		label       string
		out         bool
		want        bool
		wantForeign bool
	}{
		{"no codes: a fault", nil, false, "cavitation", false, true, false},
		{"no codes: normal is foreign", nil, false, telemetry.Normal, false, true, true},
		{"codes: one of them", []string{"bent_shaft", "cavitation"}, false, "cavitation", false, true, false},
		{"codes: another", []string{"bent_shaft"}, false, "cavitation", false, true, true},
		{"codes may name normal", []string{telemetry.Normal}, false, telemetry.Normal, false, true, false},
		{"out of distribution counts by default", nil, false, "cavitation", true, true, false},
		{"out of distribution is no sample when left out", nil, true, "cavitation", true, false, false},
		{"in distribution", nil, true, "cavitation", false, true, false},
	} {
		r := Rule{Parameter: Confidence, FaultCodes: c.codes, OnlyInDistribution: c.onlyIn}
		p := prediction(epoch, c.label, 0.7)
		p.OutOfDistribution = c.out
		s, ok := r.OfPrediction(p)
		if ok != c.want || ok && (s.Value != 0.7 || s.Foreign != c.wantForeign || !s.At.Equal(epoch)) {
			t.Errorf("%s: %+v, %v", c.name, s, ok)
		}
	}
	r := Rule{Parameter: Confidence}
	if _, ok := r.OfPrediction(prediction(epoch, "cavitation", math.NaN())); ok {
		t.Error("NaN is a sample")
	}
}

func TestAForeignPredictionClearsAndNeverRaises(t *testing.T) {
	r := Rule{Parameter: Confidence, Operator: GT, Threshold: 0.6, Deadband: 0.5, FaultCodes: []string{"cavitation"}, MinConsecutive: 1}
	var s State
	feed := func(sec int, label string, p float64) Outcome {
		in, ok := r.OfPrediction(prediction(epoch.Add(time.Duration(sec)*time.Second), label, p))
		if !ok {
			t.Fatal("no sample")
		}
		return r.Evaluate(&s, in, newEvent)
	}
	if o := feed(0, "bent_shaft", 0.99); o.Happened() {
		t.Fatalf("another fault raised: %+v", o)
	}
	if o := feed(1, "cavitation", 0.7); !o.Raised() {
		t.Fatalf("not raised: %+v", o)
	}
	if o := feed(2, "bent_shaft", 0.99); o.To != Cleared || o.Value != 0.99 {
		t.Fatalf("another fault did not clear, deadband or not: %+v", o)
	}
}

func TestSilence(t *testing.T) {
	r := Rule{Parameter: Silence, Operator: GTE, Threshold: 60, MinConsecutive: 1}
	var s State
	if o := r.Evaluate(&s, r.OfSilence(epoch, 59*time.Second), newEvent); o.Happened() {
		t.Errorf("raised after 59 s: %+v", o)
	}
	if o := r.Evaluate(&s, r.OfSilence(epoch.Add(time.Second), time.Minute), newEvent); !o.Raised() || o.Value != 60 {
		t.Errorf("not raised after 60 s: %+v", o)
	}
	if o := r.Evaluate(&s, r.OfSilence(epoch.Add(2*time.Second), 0), newEvent); o.To != Cleared {
		t.Errorf("the sensor spoke: %+v", o)
	}
}
