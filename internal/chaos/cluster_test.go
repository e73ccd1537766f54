package chaos

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// The leader of the log is killed, and a follower after it, again and again: a leader is
// elected anew, every acknowledged reading is stored once and in order. A server that
// comes back becomes current before the next one goes. A slow gateway has messages on
// their way to a leader that is gone while the next one begins to take others: they must
// not overtake each other.
func TestKilledLogServers(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	slow := in.start(t, beta, 4, 64)
	for round := range either(1, 12) {
		leader := in.nats.leader(t)
		for _, i := range []int{leader, (leader + 1) % 3} {
			leads := i == in.nats.leader(t)
			l.flows(t, either(200, 1500))
			begin := time.Now()
			if err := in.nats.kill(i); err != nil {
				t.Fatal(err)
			}
			if leads {
				lost := in.watchElection(t, l, begin)
				l.flows(t, 300)
				lost.silence = l.ledger.silence(begin, time.Now())
				figure("kill -9 of NATS server n%d, the leader of the log, round %d: %s", i, round+1, lost)
				allowed(t, "acknowledgements go on without the log's leader", lost.silence, 7*time.Second)
			} else {
				l.flows(t, 300)
				figure("kill -9 of NATS server n%d, a follower of the log, round %d: longest silence of acknowledgements %.2f s",
					i, round+1, l.ledger.silence(begin, time.Now()).Seconds())
			}
			if err := in.nats.up(i); err != nil {
				t.Fatal(err)
			}
			in.nats.leader(t) // current again
		}
	}
	l.finish(t)
	slow.finish(t)
	l.judge(t, alpha, "kill -9 of NATS servers")
	slow.judge(t, beta, "kill -9 of NATS servers, a slow gateway")
	settled(t)
}

// election is what became of the time after the log's leader was killed.
type election struct {
	elected, acknowledged, processed time.Duration // since the kill
	silence                          time.Duration // the longest between two acknowledgements
}

// String is for figures.
func (e election) String() string {
	return fmt.Sprintf("another one leads after %.2f s, the first acknowledgement %.2f s later, the first batch processed %.2f s later; longest silence of acknowledgements %.2f s (7 s are allowed)",
		e.elected.Seconds(), (e.acknowledged - e.elected).Seconds(), (e.processed - e.elected).Seconds(), e.silence.Seconds())
}

// watchElection waits until the log has a leader again, takes readings and is worked on.
func (in *installation) watchElection(t testing.TB, l *load, killed time.Time) (e election) {
	t.Helper()
	conn, js := in.nats.connect(t)
	defer conn.Close()
	within(t, patience, "the log has a leader", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		s, err := js.Stream(ctx, "READINGS")
		return err == nil && s.CachedInfo().Cluster.Leader != ""
	})
	e.elected = time.Since(killed)
	within(t, patience, "the log takes readings", func() bool { return l.ledger.latest().After(killed.Add(e.elected)) })
	e.acknowledged = l.ledger.after(killed.Add(e.elected)).Sub(killed)
	before := in.worked(t)
	within(t, patience, "the log is worked on", func() bool { return in.worked(t) > before })
	e.processed = time.Since(killed)
	return e
}

// worked adds up the checkpoints.
func (in *installation) worked(t testing.TB) (sum int64) {
	t.Helper()
	for _, sequence := range in.checkpoints(t) {
		sum += sequence
	}
	return sum
}

// Two of three servers are gone: the log has no leader. Nothing is acknowledged that is
// not kept, the API still reads, and when the servers are back everything goes on.
func TestNoLogLeader(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	l.flows(t, either(200, 3000))
	leader := in.nats.leader(t)
	down := []int{leader, (leader + 1) % 3}
	begin := time.Now()
	for _, i := range down {
		if err := in.nats.kill(i); err != nil {
			t.Fatal(err)
		}
	}
	lasting(t, either(3*time.Second, time.Minute))
	in.says(t, in.api, "log", "down", http.StatusOK) // it still reads
	in.says(t, in.ingest, "log", "down", http.StatusServiceUnavailable)
	if s := in.status(t); s.LogFailure == "" || len(s.Partitions) != partitions || s.Partitions[0].LagMessages != nil {
		t.Errorf("the status without a log: %+v", s)
	}
	within(t, patience, "acknowledgements stop without a majority", func() bool { return time.Since(l.ledger.latest()) > time.Second })
	token, err := in.login(t.Context(), alpha, "viewer") // PostgreSQL is there
	if err != nil {
		t.Errorf("sign-in without a log: %v", err)
	} else if d, err := ask[struct{ Assets struct{ TotalCount int } }](t.Context(), in.api, token, `{ assets(first: 1) { totalCount } }`, nil); err != nil || d.Assets.TotalCount == 0 {
		t.Errorf("reading without a log: %+v %v", d, err)
	}
	for _, i := range down {
		if err := in.nats.up(i); err != nil {
			t.Fatal(err)
		}
	}
	back := time.Now()
	l.flows(t, 300)
	figure("two of three NATS servers gone for %.1f s: acknowledgements go on within %.1f s after they are back", back.Sub(begin).Seconds(), time.Since(back).Seconds())
	in.nats.leader(t)
	in.says(t, in.api, "log", "up", http.StatusOK)
	in.says(t, in.ingest, "log", "up", http.StatusOK)
	l.finish(t)
	l.judge(t, alpha, "no log leader")
	settled(t)
}
