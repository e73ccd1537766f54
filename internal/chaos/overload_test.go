package chaos

import (
	"slices"
	"testing"
	"time"
)

// A tenant sends as fast as it can, some ten times what its quota allows: it is slowed
// and nothing of it is lost, and another tenant's readings are acknowledged as soon as
// before.
func TestOverload(t *testing.T) {
	in := settled(t)
	calm := in.start(t, beta, 50, 16)
	calm.flows(t, either(100, 2000))
	before := calm.ledger.latencies(0)
	slowed := in.metric(t, in.ingest, "foresight_ingest_over_quota_total", "tenant", alpha)
	wild := in.start(t, alpha, 0, 256)
	begin := time.Now()
	calm.flows(t, either(150, 4000))
	var over float64
	within(t, patience, "the tenant that overloads is slowed", func() bool { // a busy machine may be too slow for it at first
		over = in.metric(t, in.ingest, "foresight_ingest_over_quota_total", "tenant", alpha) - slowed
		return over > 0
	})
	took := time.Since(begin)
	_, taken := wild.ledger.count()
	during := calm.ledger.latencies(len(before))
	wild.finish(t)
	calm.finish(t)
	slices.Sort(before)
	slices.Sort(during)
	figure("overload: the tenant with a quota of %d/s sends as fast as it can and gets %.0f/s acknowledged, %.0f messages had to wait; acknowledgements of the other tenant after p50/p99 %.1f/%.1f ms before, %.1f/%.1f ms meanwhile",
		quota, float64(taken)/took.Seconds(), over, ms(before, 50), ms(before, 99), ms(during, 50), ms(during, 99))
	allowed(t, "99 of 100 readings of the other tenant are acknowledged", during[(len(during)-1)*99/100], 100*time.Millisecond)
	wild.judge(t, alpha, "overload, the tenant that overloads")
	calm.judge(t, beta, "overload, another tenant")
}

// latencies are the times from readings to their acknowledgements, without the first n.
func (l *ledger) latencies(n int) []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.took[n:])
}

// ms is a percentile of sorted times.
func ms(sorted []time.Duration, percent int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[(len(sorted)-1)*percent/100].Microseconds()) / 1000
}
