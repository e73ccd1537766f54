package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"foresight/internal/loadtest"
)

// page writes Markdown; the first failure sticks.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (r *results) write(w io.Writer) error {
	p := &page{w: w}
	m := r.machine
	p.line("# Benchmarks\n\nWritten by `make bench`. Every figure is the median of its runs; nothing is rounded up, and what else ran on the machine shows in the load averages.\n")
	p.line("| | |\n|---|---|\n| processor | %s, %d cores |\n| memory | %s |\n| system | %s, %s |\n| PostgreSQL | %s, private, synchronous commits |\n| bare broker | %s |\n",
		m.processor, m.processors, m.memory, m.system, m.goVersion, m.postgres, m.mosquitto)
	p.part(wholeWay, r.before, len(r.loads) > 0, func() {
		p.line("%s\n\nThe generator, the product and its PostgreSQL share the machine. Latencies count from the time at which a message was due (open loop). Every acknowledged message is read back and looked for: lost, doubled, out of order.\n", r.loadsWhen)
		for i := range r.loads {
			p.load(&r.loads[i])
		}
	})
	p.part(hotPaths, r.before, len(r.paths) > 0, func() {
		p.line("%s\n", r.pathsWhen)
		for _, s := range r.paths {
			p.section(s)
		}
	})
	return p.err
}

// The parts of the page.
const (
	wholeWay = "## The whole way\n"
	hotPaths = "## Hot paths\n"
)

// part writes what was measured, or else keeps the part of the page before.
func (p *page) part(heading, before string, measured bool, write func()) {
	if measured {
		p.line("%s", heading)
		write()
		return
	}
	_, kept, ok := strings.Cut(before, heading)
	if !ok {
		return
	}
	kept, _, _ = strings.Cut(kept, "\n## ")
	p.line("%s%s\n", heading, strings.TrimRight(kept, "\n"))
}

func (p *page) load(l *load) {
	p.line("### %s\n\n%s\n\n```sh\n%s\n```\n", l.name, l.about, l.command)
	p.line("| | median of %d |\n|---|---|", len(l.runs))
	if l.rate > 0 {
		p.line("| offered | %.0f/s |", l.rate)
	}
	p.line("| acknowledged | %.0f/s |", l.median(func(o *outcome) float64 { return o.AckedRate }))
	p.line("| stored | %.0f/s |", l.median(func(o *outcome) float64 { return o.StoredRate }))
	p.line("| backlog when the last was acknowledged | %.0f messages, %.2f s |", l.median(func(o *outcome) float64 { return float64(o.Backlog) }), l.median(func(o *outcome) float64 { return o.Drain }))
	if l.rate > 0 {
		p.line("| kept up | %s |", l.count(func(o *outcome) bool { return o.Sustained }))
	}
	if n := l.median(func(o *outcome) float64 { return float64(o.Server.Predictions) }); n > 0 {
		p.line("| predictions | %.0f |", n)
	}
	p.line("| read back: lost, doubled, unexpected, out of order | %s of %.0f messages |", l.wrong(), l.median(func(o *outcome) float64 {
		if o.Verdict == nil {
			return 0
		}
		return float64(o.Verdict.Expected)
	}))
	p.latency("publish to PUBACK", l.latency(func(o *outcome) *loadtest.Latency { return o.ToAck }))
	p.latency("arrival to commit, by the server's buckets", l.latency(func(o *outcome) *loadtest.Latency { return &o.Server.Commit }))
	p.latency("publish to WebSocket frame", l.latency(func(o *outcome) *loadtest.Latency { return o.ToFrame }))
	p.latency("publish to alarm", l.latency(func(o *outcome) *loadtest.Latency { return o.ToAlarm }))
	for _, name := range slices.Sorted(maps.Keys(l.runs[0].Bare)) {
		bare := l.median(func(o *outcome) float64 { return o.Bare[name] })
		ratio := l.median(func(o *outcome) float64 { return o.StoredRate / o.Bare[name] })
		p.line("| bare %s, paho to paho | %.0f/s; stored/bare in the same run %.2f |", name, bare, ratio)
	}
	p.line("| load averages before the runs | %s |\n", strings.Join(l.around, "; "))
	p.cost(l)
}

func (p *page) latency(name string, x *loadtest.Latency) {
	if x == nil {
		return
	}
	largest := ""
	if x.Max > 0 { // buckets do not know it
		largest = fmt.Sprintf(", max %.1f", x.Max)
	}
	p.line("| %s | p50 %.1f, p90 %.1f, p99 %.1f, p99.9 %.1f%s ms |", name, x.P50, x.P90, x.P99, x.P999, largest)
}

// cost tells where the processor time of a message goes.
func (p *page) cost(l *load) {
	if len(l.runs) == 0 || l.runs[0].CPU == nil {
		return
	}
	p.line("Processor time of a message, by a profile of the process and the clock of PostgreSQL's processes:\n\n| part | µs |\n|---|---|")
	names := slices.SortedFunc(maps.Keys(l.runs[0].CPU), func(a, b string) int { return strings.Compare(a, b) })
	total := 0.0
	for _, name := range names {
		v := l.median(func(o *outcome) float64 { return o.CPU[name] })
		total += v
		p.line("| %s | %.1f |", name, v)
	}
	database := l.median(func(o *outcome) float64 { return o.DatabaseCPU })
	p.line("| PostgreSQL | %.1f |\n| together | %.1f |\n", database, total+database)
}

func (l *load) count(ok func(*outcome) bool) string {
	n := 0
	for i := range l.runs {
		if ok(&l.runs[i]) {
			n++
		}
	}
	return fmt.Sprintf("%d of %d runs", n, len(l.runs))
}

// wrong adds up what was wrong in all runs: here a median would hide something.
func (l *load) wrong() string {
	var v loadtest.Verdict
	for i := range l.runs {
		if x := l.runs[i].Verdict; x != nil {
			v.Lost, v.Duplicated, v.Unexpected, v.Disordered = v.Lost+x.Lost, v.Duplicated+x.Duplicated, v.Unexpected+x.Unexpected, v.Disordered+x.Disordered
		}
	}
	return fmt.Sprintf("%d, %d, %d, %d (of all runs)", v.Lost, v.Duplicated, v.Unexpected, v.Disordered)
}

func (p *page) section(s section) {
	if s.kept != "" {
		p.line("### %s\n\n%s\n", s.name, s.kept)
		return
	}
	build := ""
	if s.tags != "" {
		build = "-tags " + s.tags + " "
	}
	p.line("### %s\n\n`go test %s-run '^$' -bench '%s' -benchmem -benchtime %s %s`\n", s.name, build, s.benchmarks, s.time, s.pkg)
	if s.when != "" {
		p.line("%s\n", s.when)
	}
	if s.failed {
		p.line("**Not all of these could be measured: a benchmark failed.**\n")
	}
	p.line("| benchmark | figures |\n|---|---|")
	for _, r := range s.rows {
		var figures []string
		for _, unit := range r.units {
			figures = append(figures, number(median(r.figures[unit]))+" "+unit)
		}
		p.line("| %s | %s |", strings.ReplaceAll(r.name, "_", " "), strings.Join(figures, ", "))
	}
	p.line("")
}

// number has three digits that mean something, and no exponent.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
