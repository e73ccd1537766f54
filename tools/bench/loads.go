package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"foresight/internal/loadtest"
)

// scenario is one load test.
type scenario struct {
	name, about string
	flags       string
	rate        float64 // messages per second; 0: as fast as they are acknowledged
}

// scenarios are run on an empty installation each. The generator, the product and
// PostgreSQL share the machine.
var scenarios = []scenario{
	{"Stored, with rollups and rules", "24-channel readings at 12,000 a second, without a model.", "--client raw --predict=false --provision 600 --warm-up 2", 12000},
	{"Stored, with a prediction for every message", "24-channel readings at 5,000 a second, features and 34 classes for every full window.", "--client raw --provision 600", 5000},
	{"Latency at 1,000 messages a second", "A subscriber of the whole tenant follows readings and alarms; every message is predicted, every fortieth raises an alarm.", "--client paho --provision 200 --raise-every 40 --watch", 1000},
	{"Capacity beside a bare broker", "Closed loop with paho, the window full all the time; then paho to paho through brokers with nothing behind them.", "--client paho --predict=false --provision 600 --warm-up 2 --messages 120000 --bare 120000", 0},
}

// outcome is what the command prints with --json.
type outcome struct {
	loadtest.Report
	Sustained bool
	OK        bool
	Bare      map[string]float64 `json:"bare_brokers_per_second"`
}

// load is a scenario with its runs, and the load average before each.
type load struct {
	scenario
	command string
	runs    []outcome
	around  []string
}

func (r *results) measureLoads(ctx context.Context, bin, dir string, runs int, span time.Duration) error {
	for _, s := range scenarios {
		args := append([]string{"loadtest", "--embedded", "--json", "--rate", strconv.FormatFloat(s.rate, 'f', -1, 64)}, strings.Fields(s.flags)...)
		if s.rate > 0 {
			args = append(args, "--for", span.String())
		}
		l := load{scenario: s, command: "foresight " + strings.Join(args, " ")}
		if dir != "" {
			args = append(args, "--dir", dir)
		}
		for n := range runs {
			progress("%s, run %d", s.name, n+1)
			l.around = append(l.around, loadAverage())
			var out bytes.Buffer
			cmd := exec.CommandContext(ctx, bin, args...)
			cmd.Stdout, cmd.Stderr = &out, os.Stderr
			// A run in which something was lost prints its report as well.
			failed := cmd.Run()
			var o outcome
			if err := json.Unmarshal(out.Bytes(), &o); err != nil {
				return fmt.Errorf("%s: %w, %w", l.command, err, failed)
			}
			l.runs = append(l.runs, o)
		}
		r.loads = append(r.loads, l)
	}
	return nil
}

// median of a figure over the runs.
func (l *load) median(of func(*outcome) float64) float64 {
	var all []float64
	for i := range l.runs {
		all = append(all, of(&l.runs[i]))
	}
	return median(all)
}

// latency is the medians of a latency's figures, nil when it was not measured.
func (l *load) latency(of func(*outcome) *loadtest.Latency) *loadtest.Latency {
	if len(l.runs) == 0 || of(&l.runs[0]) == nil {
		return nil
	}
	at := func(f func(*loadtest.Latency) float64) float64 {
		return l.median(func(o *outcome) float64 {
			if x := of(o); x != nil {
				return f(x)
			}
			return 0
		})
	}
	return &loadtest.Latency{
		P50: at(func(x *loadtest.Latency) float64 { return x.P50 }), P90: at(func(x *loadtest.Latency) float64 { return x.P90 }),
		P99: at(func(x *loadtest.Latency) float64 { return x.P99 }), P999: at(func(x *loadtest.Latency) float64 { return x.P999 }),
		Max: at(func(x *loadtest.Latency) float64 { return x.Max }),
	}
}
