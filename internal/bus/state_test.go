package bus

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"foresight/internal/testkit"
)

func TestLagIsWhatLiesBehindTheCheckpoint(t *testing.T) {
	b := connect(t, Options{InProcess: testkit.NATS(t)})
	l, err := OpenLog(t.Context(), b, LogOptions{Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	var seqs []uint64
	for i := range 6 { // by turns
		seq, err := l.Append(t.Context(), i%2, tenantA, sensorA, fmt.Append(nil, i))
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, seq)
	}
	for _, c := range []struct {
		partition  int
		checkpoint uint64
		want       uint64
	}{{0, 0, 3}, {0, seqs[0], 2}, {0, seqs[1], 2}, {1, seqs[1], 2}, {0, seqs[4], 0}, {1, seqs[5], 0}} {
		got, err := l.Lag(t.Context(), c.partition, c.checkpoint)
		if err != nil {
			t.Fatal(err)
		}
		if got.Messages != c.want || got.Oldest.IsZero() != (c.want == 0) || time.Since(got.Oldest) < 0 {
			t.Errorf("partition %d behind %d: %+v, want %d", c.partition, c.checkpoint, got, c.want)
		}
	}
	same, err := ExistingLog(t.Context(), b, "READINGS")
	if err != nil || same.Partitions() != 2 {
		t.Fatal(same, err)
	}
	if got, err := same.Lag(t.Context(), 1, seqs[1]); err != nil || got.Messages != 2 {
		t.Errorf("looked at: %+v %v", got, err)
	}
	if _, err := ExistingLog(t.Context(), b, "NOTHING"); !errors.Is(err, ErrNoLog) {
		t.Errorf("a log that is not there: %v", err)
	}
	if _, err := l.Purge(t.Context(), map[int]uint64{0: seqs[4] + 1, 1: seqs[5] + 1}); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Lag(t.Context(), 0, seqs[4]); err != nil || got.Messages != 0 {
		t.Errorf("after the purge: %+v %v", got, err)
	}
	if i, err := l.stream.Info(t.Context()); err != nil || i.State.Consumers != 0 {
		t.Errorf("asking leaves %+v %v", i.State, err)
	}
}

func TestStreamsTellsOfEachAndItsDurableConsumers(t *testing.T) {
	b := connect(t, Options{InProcess: testkit.NATS(t)})
	l, err := OpenLog(t.Context(), b, LogOptions{Partitions: 1, MaxBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLog(t.Context(), b, LogOptions{Name: "ASIDE", Prefix: "aside", Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.stream.CreateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: "archive", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := l.Append(t.Context(), 0, tenantA, sensorA, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	streams, err := b.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Stream{}
	for _, s := range streams {
		byName[s.Name] = s
	}
	s := byName["READINGS"]
	if len(streams) != 2 || s.Messages != 3 || s.MaxBytes != 8<<20 || s.LastSeq != 3 || s.Replicas != 1 || s.Current != 1 ||
		len(s.Consumers) != 1 || s.Consumers[0] != (ConsumerState{"archive", 3, 0}) || len(byName["ASIDE"].Consumers) != 0 {
		t.Errorf("%+v", streams)
	}
}
