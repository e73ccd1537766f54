package chaos

import (
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

func pid(m *member) string { return strconv.Itoa(m.cmd.Process.Pid) }

// moderate is the load under which processes are killed, in readings a second.
const moderate = 300

// settled returns the installation as a test may expect it, whatever became of the one
// before: everything runs, and two workers share the partitions.
func settled(t *testing.T) *installation {
	t.Helper()
	in := shared.get(t)
	if err := in.nats.whole(); err != nil { // what a test before has left broken
		t.Fatal(err)
	}
	if in.ingest.over() {
		in.restartIngest(t)
	}
	in.workers = slices.DeleteFunc(in.workers, (*member).over)
	for len(in.workers) < 2 {
		in.another(t)
	}
	for _, m := range append([]*member{in.api, in.ingest}, in.workers...) {
		m.alive(t)
	}
	in.balanced(t, len(in.workers))
	return in
}

// takeover waits until others own what the worker owned and have gone on with it.
func (in *installation) takeover(t testing.TB, gone *member) time.Duration {
	t.Helper()
	before := in.checkpoints(t)
	busy := in.busy(t)
	return within(t, patience, "others own and work on all partitions", func() bool {
		owners, total := in.owners(t), 0
		for _, n := range owners {
			total += n
		}
		if of(owners, gone) > 0 || total < partitions {
			return false
		}
		for number, sequence := range in.checkpoints(t) {
			if busy[number] && sequence == before[number] {
				return false // nothing has come of it yet
			}
		}
		return true
	})
}

// A worker joins and leaves under load: partitions move to it and back, each reading is
// processed once. Leaving by SIGTERM hands partitions over, without waiting for leases.
func TestWorkersJoinAndLeave(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	l.flows(t, either(150, 5000))
	third := in.another(t)
	begin := time.Now()
	shares := in.balanced(t, 3)
	joined := time.Since(begin)
	if n := of(shares, third); n < partitions/3-1 {
		t.Errorf("the third worker owns %d of %d partitions", n, partitions)
	}
	l.flows(t, either(300, 20000))
	begin = time.Now()
	if err := third.terminate(); err != nil {
		t.Error(err)
	}
	in.balanced(t, 2)
	figure("a third worker: %.1f s until it has its share; %.1f s from SIGTERM until the others have it back", joined.Seconds(), time.Since(begin).Seconds())
	l.flows(t, either(150, 5000))
	l.finish(t)
	l.judge(t, alpha, "a worker joins and leaves")
}

// kill -9 of one of two workers.
func TestKilledWorker(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	for round := range either(1, 5) {
		l.flows(t, either(200, 2000))
		victim := in.workers[0]
		if n := of(in.owners(t), victim); n == 0 {
			t.Fatal("the worker owns nothing")
		}
		if err := victim.kill(); err != nil {
			t.Fatal(err)
		}
		took := in.takeover(t, victim)
		allowed(t, "the partitions of a killed worker are taken over", took, 3*time.Second)
		figure("kill -9 of a worker, round %d: taken over after %.2f s (3 s are allowed)", round+1, took.Seconds())
		l.flows(t, either(150, 2000))
		settled(t)
	}
	l.flows(t, 100)
	l.finish(t)
	l.judge(t, alpha, "kill -9 of a worker")
}

// A worker is paused for longer than its leases and comes back as a zombie, in the
// middle of what it did: the others have its partitions by then, and it changes nothing.
func TestPausedWorker(t *testing.T) {
	in := settled(t)
	l := in.start(t, alpha, moderate, 64)
	for round := range either(1, 10) {
		l.flows(t, either(200, 2000))
		zombie := in.workers[round%2]
		t.Cleanup(func() { _ = zombie.signal(syscall.SIGCONT) }) // when the test fails meanwhile
		if err := zombie.signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		took := in.takeover(t, zombie)
		allowed(t, "the partitions of a paused worker are taken over", took, 3*time.Second)
		l.flows(t, either(100, 1000))
		if err := zombie.signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		figure("a worker paused, round %d: taken over after %.2f s, awake again after its leases were over", round+1, took.Seconds())
		in.balanced(t, 2)
		zombie.alive(t)
	}
	l.flows(t, 100)
	l.finish(t)
	l.judge(t, alpha, "a worker paused beyond its leases")
}
