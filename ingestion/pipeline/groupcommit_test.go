package pipeline

import (
	"errors"
	"testing"

	"foresight/internal/bus"
	"foresight/internal/telemetry"
)

// idle returns the worker's partitions, on which nothing works.
func (r *rig) idle(partitions int) (*Worker, []*partition) {
	r.Helper()
	w := New(r.parts(r.store), quick("w"))
	if err := w.leases.prepare(r.Context(), partitions); err != nil {
		r.Fatal(err)
	}
	held, err := w.leases.acquire(r.Context(), partitions, partitions)
	if err != nil || len(held) != partitions {
		r.Fatal(held, err)
	}
	out := make([]*partition, partitions)
	for _, x := range held {
		p := w.newPartition(x, "stream")
		if p.seen, err = loadSeen(r.Context(), w.parts.Pool, x.number); err != nil {
			r.Fatal(err)
		}
		out[x.number] = p
	}
	return w, out
}

func (r *rig) entries(raws ...telemetry.Raw) []bus.Entry {
	out := make([]bus.Entry, len(raws))
	for i := range raws {
		out[i] = bus.Entry{Seq: uint64(i + 1), Data: telemetry.AppendEnvelope(nil, &raws[i])}
	}
	return out
}

// The connection may be lost after the commit and before its answer: the batch is done
// again, and nothing is judged twice.
func TestACommitWhoseAnswerWasLostCountsOnce(t *testing.T) {
	r := newRig(t, 1)
	r.rule(telemetry.VibrationRMS, "gt", 100)
	r.startRules()
	_, ps := r.idle(1)
	p, k := ps[0], r.a.Key(0)
	entries := r.entries(r.reading(k, 0, 100), r.reading(k, 1, 100), r.reading(k, 2, 100))
	if err := p.attempt(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	p.lease.sequence = 0 // all that a worker knows without the answer
	p.windows.clear()
	p.rollups.clear()
	if err := p.attempt(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	if n := r.ask(`SELECT sum(occurrences) FROM alarm_events`); n != 3 {
		t.Errorf("the alarm counts %d occurrences of 3", n)
	}
	if p.lease.sequence != 3 {
		t.Errorf("the checkpoint is %d", p.lease.sequence)
	}
}

func TestWhoLostItsLeaseIsLeftOutOfTheCommonCommit(t *testing.T) {
	r := newRig(t, 3)
	r.startRules()
	w, ps := r.idle(3)
	r.exec(`UPDATE partitions SET epoch = epoch + 1, owner = 'another' WHERE number = 1`)
	all := []*committing{{p: ps[2], last: 7}, {p: ps[1], last: 8}, {p: ps[0], last: 9}}
	if err := w.commitAll(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if all[0].fenced || !all[1].fenced || all[2].fenced {
		t.Errorf("fenced: %v, %v, %v", all[0].fenced, all[1].fenced, all[2].fenced)
	}
	for number, want := range []int{9, 0, 7} {
		if n := r.ask(`SELECT sequence FROM partitions WHERE number = $1`, number); n != want {
			t.Errorf("checkpoint of %d is %d, want %d", number, n, want)
		}
	}
	if _, err := ps[1].commit(t.Context(), &batch{last: 10}, nil); !errors.Is(err, errFenced) {
		t.Errorf("alone it ends with %v", err)
	}
}
