package main

import (
	"io"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/inference"
	"foresight/internal/id"
	"foresight/internal/simulate"
	"foresight/internal/telemetry"
)

// start is the time at which the machines of these tests run. Their seeds are far
// from those of the data set: the champion has never seen them.
var start = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func service(t *testing.T) *inference.Service {
	t.Helper()
	reg := prometheus.NewRegistry()
	r, err := inference.NewRegistry(inference.RegistryConfig{}, nil, nil, reg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := inference.NewService(inference.ServiceConfig{}, r, reg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stream feeds a machine's readings to a window, as the pipeline does, and returns
// the prediction at every reading from the first full window on.
func stream(t *testing.T, s *inference.Service, m *simulate.Machine, w *telemetry.Window, from time.Time, n int) (out []telemetry.FaultPrediction) {
	t.Helper()
	key := telemetry.Key{Tenant: id.New(id.Tenant), Asset: id.New(id.Asset), Sensor: id.New(id.Sensor)}
	for i := range n {
		sample := m.Next(from.Add(time.Duration(i) * 2 * time.Second))
		if !w.Add(sample.Timestamp, &sample.Channels) {
			t.Fatal("a reading is late")
		}
		if !w.Full() {
			continue
		}
		p, err := s.Predict(t.Context(), key, w, &telemetry.Raw{Reading: telemetry.Reading{Timestamp: sample.Timestamp}})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestChampionNamesCavitationWithinAWindow(t *testing.T) {
	s := service(t)
	const machines = 20
	named := 0
	for seed := range uint64(machines) {
		m := simulate.NewMachine(seed, simulate.Profile{})
		var w telemetry.Window
		healthy := stream(t, s, m, &w, start, 2*telemetry.WindowSize)
		if p := healthy[len(healthy)-1]; p.Label == "cavitation" {
			t.Errorf("machine %d cavitates in health (%.2f)", seed, p.Probability)
		}
		if err := m.SetFault("cavitation", 0.75); err != nil {
			t.Fatal(err)
		}
		ps := stream(t, s, m, &w, start.Add(time.Minute), telemetry.WindowSize)
		if last := ps[len(ps)-1]; last.Label == "cavitation" && last.Probability > 0.6 {
			named++
		} else {
			t.Logf("machine %d: %s %.2f", seed, last.Label, last.Probability)
		}
	}
	if named < machines-1 {
		t.Errorf("%d of %d machines named with confidence above 0.6", named, machines)
	}
}

func TestChampionLetsHealthyMachinesBe(t *testing.T) {
	s := service(t)
	const machines = 150
	alarmed := 0
	for seed := range uint64(machines) {
		m := simulate.NewMachine(1000+seed, simulate.Profile{})
		var w telemetry.Window
		named := 0
		ps := stream(t, s, m, &w, start, 60)
		for _, p := range ps {
			if p.Label != telemetry.Normal && p.Probability > 0.6 {
				named++
			}
		}
		if named > len(ps)/2 {
			alarmed++
			t.Logf("machine %d: %s %.2f", seed, ps[0].Label, ps[0].Probability)
		}
	}
	if alarmed > machines/50 {
		t.Errorf("%d of %d healthy machines are in alarm", alarmed, machines)
	}
}

func TestChampionNamesEveryFault(t *testing.T) {
	s := service(t)
	const machines = 12
	for _, c := range telemetry.FaultCodes()[1:] {
		named := 0
		for seed := range uint64(machines) {
			m := simulate.NewMachine(5000+seed, simulate.Profile{})
			if err := m.SetFault(c.Code, 0.85); err != nil {
				t.Fatal(err)
			}
			m.Settle()
			var w telemetry.Window
			ps := stream(t, s, m, &w, start, 2*telemetry.WindowSize)
			for _, l := range ps[len(ps)-1].Top {
				if l.Label == c.Code {
					named++
					break
				}
			}
		}
		if named < machines*3/4 {
			t.Errorf("%s is among the first three on %d of %d machines", c.Code, named, machines)
		}
	}
}

// frequent are the faults that begin most often in simulated lives.
var frequent = []string{
	"bearing_outer_race_defect", "bearing_inner_race_defect", "bearing_rolling_element_defect", "bearing_lubricant_starvation", "bearing_contamination",
	"rotor_unbalance", "angular_misalignment", "parallel_misalignment", "mechanical_looseness", "coupling_wear",
	"cavitation", "impeller_wear", "impeller_blockage", "mechanical_seal_leak",
}

// The lives of simulated machines know by a curve how often the classifier names a
// fault. It has to be about right, or the daily features of training and of a plant part.
func TestLivesKnowWhatTheChampionSees(t *testing.T) {
	s := service(t)
	const machines = 24
	for _, severity := range []float64{0.05, 0.12, 0.2, 0.28, 0.35, 0.45, 0.6, 0.8} {
		named, windows := 0.0, 0.0
		for _, code := range frequent {
			for seed := range uint64(machines) {
				m := simulate.NewMachine(9000+seed, simulate.Profile{})
				if err := m.SetFault(code, severity); err != nil {
					t.Fatal(err)
				}
				m.Settle()
				var w telemetry.Window
				for _, p := range stream(t, s, m, &w, start, 2*telemetry.WindowSize) {
					windows++
					if p.Label != telemetry.Normal {
						named++
					}
				}
			}
		}
		got, want := named/windows, simulate.Recognition(severity)
		t.Logf("severity %.2f: named in %.3f of the windows, in lives %.3f", severity, got, want)
		if math.Abs(got-want) > 0.06 {
			t.Errorf("at severity %.2f a fault is named in %.2f of the windows, lives assume %.2f", severity, got, want)
		}
	}
}
