// Package demo fills an installation with two tenants of simulated machines, so
// that the whole product can be tried in one command. Its passwords are public:
// nothing else imports it than the command `foresight demo`.
package demo

import (
	"fmt"

	"foresight/ent/enum"
	"foresight/internal/simulate"
)

// The public secrets of the demo.
const (
	Password        = "foresight-demo"
	ClientSecret    = "dev-secret-123"
	GatewayPassword = "demo-gateway"
)

// tenant is a customer of the demo.
type tenant struct {
	code, name, zone, currency, locale string
	sites                              []site
}

type site struct {
	code, name, location string
	latitude, longitude  float64
	gateway              string
	machines             []machine
}

// machine is an asset with one sensor of 24 channels.
type machine struct {
	code, name   string
	kind         enum.AssetType
	criticality  enum.Criticality
	maker, model string
	kw, rpm      float64
	fault        string // that it shows from the start, "" for none
	severity     float64
}

func (m machine) sensor() string { return m.code + "-s1" }

// group is ISO 20816-3's machine group, 0 below 15 kW.
func (m machine) group() int {
	switch {
	case m.kw > 300:
		return 1
	case m.kw >= 15:
		return 2
	}
	return 0
}

func (m machine) profile() simulate.Profile {
	return simulate.Profile{RatedKW: m.kw, NominalRPM: m.rpm, Mount: simulate.Rigid, Complete: true}
}

// kind of machines of a site: how they are named and what they are.
type batch struct {
	prefix, name string
	kind         enum.AssetType
	n            int
	maker, model string
	kw, rpm      float64
}

// faults that are there from the start, by asset code.
var faults = map[string]struct {
	code     string
	severity float64
}{
	"pump-a03":  {"cavitation", 0.8},
	"motor-a02": {"bearing_outer_race_defect", 0.75},
	"fan-b04":   {"rotor_unbalance", 0.8},
	"comp-c01":  {"angular_misalignment", 0.8},
	"pump-d02":  {"impeller_wear", 0.8},
	"motor-d05": {"broken_rotor_bar", 0.8},
	"comp-e03":  {"mechanical_looseness", 0.8},
	"fan-f01":   {"bearing_lubricant_starvation", 0.8},
}

func machines(letter string, batches ...batch) []machine {
	var out []machine
	criticalities := enum.Criticality("").Values()
	for _, b := range batches {
		for i := 1; i <= b.n; i++ {
			m := machine{
				code: fmt.Sprintf("%s-%s%02d", b.prefix, letter, i), name: fmt.Sprintf("%s %s%02d", b.name, upper(letter), i),
				kind: b.kind, criticality: enum.Criticality(criticalities[(i+len(b.prefix))%len(criticalities)]),
				maker: b.maker, model: b.model, kw: b.kw, rpm: b.rpm,
			}
			m.fault, m.severity = faults[m.code].code, faults[m.code].severity
			out = append(out, m)
		}
	}
	return out
}

func upper(letter string) string { return string(letter[0] - 'a' + 'A') }

// tenants of the demo: about 50 machines each, over several sites.
func tenants() []tenant {
	return []tenant{
		{"alpha-grid", "Alpha Grid Power", "Europe/Berlin", "EUR", "en", []site{
			{"north-station", "North power station", "Hamburg", 53.55, 9.99, "gw-north", machines("a",
				batch{"pump", "Feed pump", enum.AssetPump, 8, "KSB", "HGC 5", 90, 2980},
				batch{"motor", "Feed motor", enum.AssetMotor, 8, "Siemens", "1LE1", 110, 1490},
				batch{"fan", "Cooling fan", enum.AssetFan, 4, "Howden", "VAX", 55, 990})},
			{"river-works", "River water works", "Dresden", 51.05, 13.74, "gw-river", machines("b",
				batch{"pump", "Booster pump", enum.AssetPump, 8, "Grundfos", "CR 95", 45, 2950},
				batch{"fan", "Aeration fan", enum.AssetFan, 6, "Aerzen", "TB 50", 75, 1480})},
			{"gas-hub", "Gas hub", "Leer", 53.23, 7.46, "gw-gas", machines("c",
				batch{"comp", "Compressor", enum.AssetCompressor, 8, "Atlas Copco", "ZH 450", 400, 2970},
				batch{"motor", "Drive motor", enum.AssetMotor, 8, "ABB", "M3BP", 315, 1485})},
		}},
		{"beta-process", "Beta Process Chemicals", "Asia/Riyadh", "SAR", "ar", []site{
			{"jubail-plant", "Jubail plant", "Jubail", 27.01, 49.66, "gw-jubail", machines("d",
				batch{"pump", "Process pump", enum.AssetPump, 12, "Flowserve", "Mark 3", 75, 2960},
				batch{"motor", "Process motor", enum.AssetMotor, 10, "WEG", "W22", 90, 1485})},
			{"yanbu-plant", "Yanbu plant", "Yanbu", 24.09, 38.06, "gw-yanbu", machines("e",
				batch{"comp", "Air compressor", enum.AssetCompressor, 8, "Ingersoll Rand", "R110", 132, 2975},
				batch{"pump", "Brine pump", enum.AssetPump, 8, "Sulzer", "AHLSTAR", 160, 1488})},
			{"tank-farm", "Tank farm", "Ras Tanura", 26.64, 50.16, "gw-tanks", machines("f",
				batch{"fan", "Extraction fan", enum.AssetFan, 6, "Twin City", "BAE", 37, 1475},
				batch{"motor", "Transfer motor", enum.AssetMotor, 6, "Siemens", "1LE5", 55, 2965})},
		}},
	}
}
