package loadtest

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"
)

// Report is what a run has shown. Latencies are in milliseconds, CPU in microseconds
// of one message.
type Report struct {
	Begun       int64   `json:"begun_unix_ms"`
	Sensors     int     `json:"sensors"`
	Connections int     `json:"connections"`
	Client      Client  `json:"client"`
	PayloadSize int     `json:"payload_bytes"`
	OfferedRate float64 `json:"offered_per_second"` // 0: as fast as acknowledged
	Published   int64   `json:"published"`
	Acked       int64   `json:"acknowledged"`
	AckedRate   float64 `json:"acknowledged_per_second"`
	// StoredRate counts from the first message to the commit of the last.
	StoredRate float64 `json:"stored_per_second,omitempty"`
	// Backlog is what was acknowledged and not yet processed when the last
	// acknowledgement came, Drain the seconds until it was.
	Backlog int64   `json:"backlog"`
	Drain   float64 `json:"drain_seconds"`
	Stalled bool    `json:"stalled,omitempty"` // not all was processed within the patience

	ToAck   *Latency `json:"publish_to_puback_ms,omitempty"`
	ToFrame *Latency `json:"publish_to_frame_ms,omitempty"`
	ToAlarm *Latency `json:"publish_to_alarm_ms,omitempty"`
	Frames  *Frames  `json:"frames,omitempty"`

	Server  *Server  `json:"server,omitempty"`
	Verdict *Verdict `json:"verification,omitempty"`

	CPU         map[string]float64 `json:"cpu_us_per_message,omitempty"` // by part, of this process
	DatabaseCPU float64            `json:"database_cpu_us_per_message,omitempty"`
}

// Frames are what the subscriber got.
type Frames struct {
	Readings   int64  `json:"readings"`
	Gaps       int64  `json:"gaps_told"`
	Disordered int64  `json:"disordered"`
	Alarms     int64  `json:"alarms_opened"`
	Raised     int64  `json:"alarms_expected"`
	Ended      string `json:"ended,omitempty"` // why the connection ended, if it did
}

// Server is what the product counted meanwhile.
type Server struct {
	Stored      int64              `json:"stored"`
	Late        int64              `json:"late"`
	Repeated    int64              `json:"repeated"`
	Rejected    int64              `json:"rejected"`
	OverQuota   int64              `json:"over_quota"` // their senders had to wait: not the product's speed is measured, but what the tenant may
	Predictions int64              `json:"predictions"`
	Batch       float64            `json:"messages_per_batch"`
	Commit      Latency            `json:"arrival_to_commit_ms"` // from a histogram of buckets; without maximum
	Stages      map[string]float64 `json:"stage_us_per_message"` // time on the clock, waiting included
	CPU         float64            `json:"cpu_us_per_message"`   // of its process
	Memory      int64              `json:"resident_bytes"`
}

// report begins one with what the generator knows.
func (r *run) report(begun time.Time) *Report {
	if r.plan.interval > 0 {
		begun = r.plan.start
	}
	took := time.Unix(0, r.lastAck.Load()).Sub(begun).Seconds()
	acked := r.ackedN.Load()
	return &Report{
		Begun: begun.UnixMilli(), Sensors: len(r.fleet.Sensors), Connections: r.opt.Connections, Client: r.opt.Client, PayloadSize: len(r.words.calm[0].body),
		OfferedRate: r.opt.Rate, Published: int64(r.plan.total), Acked: acked, AckedRate: math.Round(float64(acked) / took), ToAck: r.toAck.summary(),
	}
}

func (r *run) addFrames(rep *Report, w *watcher) {
	f := &Frames{Raised: int64(r.raised())}
	var err error
	if f.Readings, f.Gaps, f.Disordered, f.Alarms, err = w.state(); err != nil {
		f.Ended = err.Error()
	}
	rep.Frames, rep.ToFrame, rep.ToAlarm = f, r.toFrame.summary(), r.toAlarm.summary()
}

// keepingUp is the backlog, in seconds of the rate, that a product has which keeps up.
const keepingUp = 2

// Sustained reports whether the product kept up with the rate that was offered.
func (r *Report) Sustained() bool {
	return !r.Stalled && r.OfferedRate > 0 && r.AckedRate >= 0.97*r.OfferedRate && float64(r.Backlog) < keepingUp*r.OfferedRate
}

// OK reports whether nothing was lost, doubled or put out of order, as far as it was looked at.
func (r *Report) OK() bool {
	return !r.Stalled && r.Acked == r.Published && (r.Verdict == nil || r.Verdict.OK()) &&
		(r.Frames == nil || r.Frames.Ended == "" && r.Frames.Disordered == 0 && r.Frames.Alarms == r.Frames.Raised)
}

// Text writes the report for people.
func (r *Report) Text(w io.Writer) error {
	p := &printer{w: w}
	offered := "as fast as acknowledged"
	if r.OfferedRate > 0 {
		offered = fmt.Sprintf("%.0f/s offered", r.OfferedRate)
	}
	p.line("%d messages of %d bytes, %d sensors, %d connections (%s), %s", r.Published, r.PayloadSize, r.Sensors, r.Connections, r.Client, offered)
	p.line("acknowledged   %d, %.0f/s", r.Acked, r.AckedRate)
	if s := r.Server; s != nil {
		p.line("stored         %d, %.0f/s; backlog at the end %d, drained in %.2f s", s.Stored+s.Late, r.StoredRate, r.Backlog, r.Drain)
		p.line("               late %d, repeated %d, rejected %d, over quota %d, predictions %d, %.0f messages a batch", s.Late, s.Repeated, s.Rejected, s.OverQuota, s.Predictions, s.Batch)
	}
	p.latency("publish to PUBACK", r.ToAck)
	if s := r.Server; s != nil {
		p.line("arrival to commit  p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f ms (server's buckets)", s.Commit.P50, s.Commit.P90, s.Commit.P99, s.Commit.P999)
	}
	p.latency("publish to frame", r.ToFrame)
	p.latency("publish to alarm", r.ToAlarm)
	if f := r.Frames; f != nil {
		p.line("frames         %d readings, %d gaps told, %d disordered; alarms %d of %d %s", f.Readings, f.Gaps, f.Disordered, f.Alarms, f.Raised, f.Ended)
	}
	if v := r.Verdict; v != nil {
		p.line("read back      %d sensors: %d of %d found, lost %d, duplicated %d, unexpected %d, disordered %d",
			v.Sensors, v.Found, v.Expected, v.Lost, v.Duplicated, v.Unexpected, v.Disordered)
	}
	p.costs("CPU of this process", r.CPU)
	if r.DatabaseCPU > 0 {
		p.line("CPU of PostgreSQL  %.1f µs a message", r.DatabaseCPU)
	}
	if s := r.Server; s != nil {
		p.costs("time of stages, waiting included", s.Stages)
		p.line("CPU of the product's process  %.1f µs a message, %d MB resident", s.CPU, s.Memory>>20)
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) latency(name string, l *Latency) {
	if l != nil {
		p.line("%-18s p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f ms (n=%d)", name, l.P50, l.P90, l.P99, l.P999, l.Max, l.Count)
	}
}

func (p *printer) costs(name string, by map[string]float64) {
	if len(by) == 0 {
		return
	}
	p.line("%s, µs a message:", name)
	total := 0.0
	for _, k := range slices.SortedFunc(maps.Keys(by), func(a, b string) int { return cmp.Or(cmp.Compare(by[b], by[a]), cmp.Compare(a, b)) }) {
		p.line("  %-22s %7.1f", k, by[k])
		total += by[k]
	}
	p.line("  %-22s %7.1f", "all", total)
}
