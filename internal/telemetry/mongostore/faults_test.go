package mongostore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"foresight/internal/fault"
	"foresight/internal/telemetry"
	"foresight/internal/testkit"
	"foresight/internal/testkit/mongofake"
)

// scripted is a store whose server answers as Memory does, until a script is set.
type scripted struct {
	*Store
	server *mongofake.Server
	memory *mongofake.Memory
	script atomic.Pointer[script]
}

// script answers the commands of one name; nil from answer lets Memory do it.
type script struct {
	name   string
	answer func(nth int, c mongofake.Command) (reply bson.D, scripted bool)
	count  atomic.Int32
}

func newScripted(t *testing.T, limits mongofake.Limits) *scripted {
	t.Helper()
	return newHasty(t, limits, testkit.Patience)
}

// hasty is the time of a store for which the time is to run out.
const hasty = 1500 * time.Millisecond

func newHasty(t *testing.T, limits mongofake.Limits, within time.Duration) *scripted {
	t.Helper()
	s := &scripted{memory: mongofake.NewMemory()}
	s.server = mongofake.Start(t, limits, func(ctx context.Context, c mongofake.Command) bson.D {
		if p := s.script.Load(); p != nil && p.name == c.Name {
			if reply, ok := p.answer(int(p.count.Add(1)), c); ok {
				return reply
			}
		}
		return s.memory.Handle(ctx, c)
	})
	s.Store = opened(t, Options{URI: fmt.Sprintf("%s/?timeoutMS=%d", s.server.URI(), within.Milliseconds())})
	s.known.done([]telemetry.Key{key1, key2})
	s.server.Commands()
	return s
}

// on answers commands of the name: the first with the first reply, and so on, the last
// for all that follow.
func (s *scripted) on(name string, replies ...bson.D) {
	s.script.Store(&script{name: name, answer: func(nth int, _ mongofake.Command) (bson.D, bool) {
		return replies[min(nth, len(replies))-1], true
	}})
}

func names(commands []mongofake.Command) (out []string) {
	for _, c := range commands {
		out = append(out, c.Name)
	}
	return out
}

func inserted(n int, writeErrors ...any) bson.D {
	d := bson.D{{Key: "n", Value: n}}
	if writeErrors != nil {
		d = append(d, bson.E{Key: "writeErrors", Value: bson.A(writeErrors)})
	}
	return d
}

var (
	duplicate   = mongofake.WriteError(0, 11000, "E11000 duplicate key error")
	invalid     = mongofake.WriteError(1, 121, "Document failed validation")
	notPrimary  = mongofake.Failure(10107, "NotWritablePrimary", "not primary", "RetryableWriteError")
	unconfirmed = bson.E{Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "codeName", Value: "WriteConcernTimeout"}, {Key: "errmsg", Value: "waiting for replication timed out"}}}
)

func batch() []telemetry.Raw {
	return []telemetry.Raw{fixedReading(key1, 0, 1), fixedReading(key1, time.Second, 2)}
}

func TestErrorsHaveKinds(t *testing.T) {
	for _, c := range []struct {
		name    string
		replies []bson.D
		want    fault.Kind
		sent    []string
	}{
		{"a document breaks the validator", []bson.D{inserted(1, invalid)}, fault.BadInput, []string{"insert"}},
		{"one is there, another breaks the validator", []bson.D{inserted(0, duplicate, invalid)}, fault.BadInput, []string{"insert"}},
		{"a document breaks the validator, the other met a change of the primary", []bson.D{inserted(0, mongofake.WriteError(0, 189, "stepped down"), invalid)}, fault.Unavailable, []string{"insert"}},
		{"the majority did not confirm", []bson.D{append(inserted(2), unconfirmed)}, fault.Unavailable, []string{"insert"}},
		{"one is there, but the majority did not confirm", []bson.D{append(inserted(1, duplicate), unconfirmed)}, fault.Unavailable, []string{"insert"}},
		{"no primary, again and again", []bson.D{notPrimary}, fault.Unavailable, []string{"insert", "insert", "…"}},
		{"cut again and again", []bson.D{nil}, fault.Unavailable, []string{"insert", "insert", "…"}},
		{"not allowed", []bson.D{mongofake.Failure(13, "Unauthorized", "not authorized on foresight")}, fault.Unavailable, []string{"insert"}},
		{"too slow", []bson.D{mongofake.Failure(50, "MaxTimeMSExpired", "operation exceeded time limit")}, fault.Unavailable, []string{"insert"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			within := testkit.Patience
			if c.sent[len(c.sent)-1] == "…" {
				within = hasty
			}
			s := newHasty(t, mongofake.Limits{}, within)
			s.on("insert", c.replies...)
			if first, err := s.WriteReadings(t.Context(), batch()); !fault.Is(err, c.want) || first != nil {
				t.Errorf("readings: %v, %v, want %s", first, err, c.want)
			}
			got := names(s.server.Commands())
			if n := len(c.sent) - 1; c.sent[n] == "…" { // as often as there is time
				got = append(got[:min(n, len(got))], "…")
			}
			if !slices.Equal(got, c.sent) {
				t.Errorf("sent %v, want %v", got, c.sent)
			}
			if len(c.sent) > 1 {
				return
			}
			s.on("insert", c.replies...)
			p := []telemetry.FaultPrediction{fixedPrediction(batch()[0], "cavitation"), fixedPrediction(batch()[1], "cavitation")}
			if err := s.WritePredictions(t.Context(), p); !fault.Is(err, c.want) {
				t.Errorf("predictions: %v, want %s", err, c.want)
			}
			s.on("update", c.replies...)
			if err := s.WriteRollups(t.Context(), telemetry.M5, []telemetry.Rollup{fixedRollup(key1, 1), fixedRollup(key2, 1)}); !fault.Is(err, c.want) {
				t.Errorf("rollups: %v, want %s", err, c.want)
			}
		})
	}
}

// TestReadsAreTriedOnceMore: reads are harmless to repeat.
func TestReadsAreTriedOnceMore(t *testing.T) {
	for name, reply := range map[string]bson.D{"cut": nil, "no primary": notPrimary} {
		s := newScripted(t, mongofake.Limits{})
		q := telemetry.RangeQuery{Tenant: key1.Tenant, Limit: 1}
		s.on("find", reply, mongofake.Cursor("foresight", rawName))
		if got, err := s.Readings(t.Context(), q); err != nil || len(got) != 0 {
			t.Errorf("%s once: %v, %v", name, got, err)
		}
		s = newHasty(t, mongofake.Limits{}, hasty)
		s.on("find", reply)
		if _, err := s.Readings(t.Context(), q); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v is not Unavailable", name, err)
		}
	}
}

// TestAnswerLost: the server has written, and the answer does not come. The driver
// sends the same once more, as it does to a replica set.
func TestAnswerLost(t *testing.T) {
	for name, limits := range map[string]mongofake.Limits{"replica set": {}, "one server": {Standalone: true}} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t, limits)
			s.script.Store(&script{name: "insert", answer: func(nth int, c mongofake.Command) (bson.D, bool) {
				if nth > 1 {
					return nil, false
				}
				s.memory.Handle(t.Context(), c)
				return nil, true
			}})
			first, err := s.WriteReadings(t.Context(), batch())
			if limits.Standalone { // nobody repeats but the caller
				if !fault.Is(err, fault.Unavailable) {
					t.Fatalf("%v is not Unavailable", err)
				}
				first, err = s.WriteReadings(t.Context(), batch())
			}
			if err != nil || !slices.Equal(first, []uint64{1, 2}) {
				t.Errorf("%v, %v, want the own sequences", first, err)
			}
			sent := s.server.Commands()
			if got := names(sent); !slices.Equal(got, []string{"insert", "insert", "find"}) {
				t.Errorf("sent %v", got)
			}
			if len(sent) < 2 {
				return
			}
			a, b := mongofake.Get(sent[0].Doc, "txnNumber"), mongofake.Get(sent[1].Doc, "txnNumber")
			if limits.Standalone != (a == nil) || a != b {
				t.Errorf("numbers of the attempts: %v and %v", a, b)
			}
		})
	}
}

// TestPrimaryChanges: the new one answers the second attempt.
func TestPrimaryChanges(t *testing.T) {
	s := newScripted(t, mongofake.Limits{})
	s.on("insert", notPrimary, inserted(2))
	if first, err := s.WriteReadings(t.Context(), batch()); err != nil || !slices.Equal(first, []uint64{1, 2}) {
		t.Errorf("%v, %v", first, err)
	}
}

// TestGoneBetweenInsertAndLook: the retention deletes a document in between.
func TestGoneBetweenInsertAndLook(t *testing.T) {
	s := newScripted(t, mongofake.Limits{})
	s.on("insert", inserted(1, duplicate), inserted(1))
	first, err := s.WriteReadings(t.Context(), batch())
	if err != nil || !slices.Equal(first, []uint64{1, 2}) {
		t.Errorf("%v, %v", first, err)
	}
	sent := s.server.Commands()
	if got := names(sent); !slices.Equal(got, []string{"insert", "find", "insert"}) {
		t.Fatalf("sent %v", got)
	}
	if docs := mongofake.Get(sent[2].Doc, "documents").(bson.A); len(docs) != 1 {
		t.Errorf("%d documents were sent again, want 1", len(docs))
	}
	s.on("insert", inserted(1, duplicate))
	if _, err := s.WriteReadings(t.Context(), batch()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without end: %v", err)
	}
	if n := len(s.server.Commands()); n != 2*insertTries {
		t.Errorf("%d commands, want %d", n, 2*insertTries)
	}
}

// TestBatchesOfTheServer: a batch that is more than the server takes at once. What is
// there is told by its place in the whole.
func TestBatchesOfTheServer(t *testing.T) {
	s := newScripted(t, mongofake.Limits{MaxWriteBatchSize: 3})
	var docs []telemetry.Raw
	for i := range 8 {
		docs = append(docs, fixedReading(key1, time.Duration(i)*time.Second, uint64(i+1)))
	}
	if _, err := s.WriteReadings(t.Context(), []telemetry.Raw{docs[1], docs[4], docs[7]}); err != nil {
		t.Fatal(err)
	}
	s.server.Commands()
	for i := range docs {
		docs[i].LogSeq += 100
	}
	first, err := s.WriteReadings(t.Context(), docs)
	if want := []uint64{101, 2, 103, 104, 5, 106, 107, 8}; err != nil || !slices.Equal(first, want) {
		t.Errorf("%v, %v, want %v", first, err, want)
	}
	if got := names(s.server.Commands()); !slices.Equal(got, []string{"insert", "insert", "insert", "find"}) {
		t.Errorf("sent %v", got)
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	s := newScripted(t, mongofake.Limits{})
	for name, spoil := range map[string]func(*telemetry.Raw){
		"text that is no UTF-8":       func(r *telemetry.Raw) { r.Topic = "\xff" },
		"a name with a zero":          func(r *telemetry.Raw) { r.Values[0].Name = "a\x00b" },
		"a name that is no UTF-8":     func(r *telemetry.Raw) { r.Values[0].Name = "\xff" },
		"a value that is no number":   func(r *telemetry.Raw) { r.Values[0].Value = math.NaN() },
		"a value without end":         func(r *telemetry.Raw) { r.Values[0].Value = math.Inf(1) },
		"a channel without end":       func(r *telemetry.Raw) { r.Channels[3] = math.Inf(-1) },
		"more than a document can be": func(r *telemetry.Raw) { r.Payload = make([]byte, 16<<20) },
	} {
		docs := batch()
		spoil(&docs[1])
		if _, err := s.WriteReadings(t.Context(), docs); !fault.Is(err, fault.BadInput) {
			t.Errorf("%s: %v is not BadInput", name, err)
		}
	}
	if got := names(s.server.Commands()); len(got) != 0 {
		t.Errorf("sent %v", got)
	}
}

func TestWithoutServer(t *testing.T) {
	s := newHasty(t, mongofake.Limits{}, hasty)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Readings(ended, telemetry.RangeQuery{Tenant: key1.Tenant, Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	s.server.Close()
	if _, err := s.WriteReadings(t.Context(), batch()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("write: %v is not Unavailable", err)
	}
	if _, err := s.Latest(t.Context(), key1.Tenant, telemetry.Scope{}, 1); !fault.Is(err, fault.Unavailable) {
		t.Errorf("read: %v is not Unavailable", err)
	}
	if err := s.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("ping: %v is not Unavailable", err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Ping(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's time is over: %v", err)
	}
}

// TestServerComesLater: the process starts without the server; nothing is written
// before validators and indexes are there.
func TestServerComesLater(t *testing.T) {
	memory := mongofake.NewMemory()
	var up atomic.Bool
	server := mongofake.Start(t, mongofake.Limits{}, func(ctx context.Context, c mongofake.Command) bson.D {
		if !up.Load() {
			return notPrimary
		}
		return memory.Handle(ctx, c)
	})
	s, err := New(Options{URI: server.URI() + "/?timeoutMS=300", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.again = 10 * time.Millisecond
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	if _, err := s.WriteReadings(t.Context(), batch()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("before: %v is not Unavailable", err)
	}
	up.Store(true)
	testkit.Eventually(t, testkit.Patience, func() bool { return s.Ping(t.Context()) == nil })
	var first []uint64
	testkit.Eventually(t, testkit.Patience, func() bool { // its time is short
		first, err = s.WriteReadings(t.Context(), batch())
		return !fault.Is(err, fault.Unavailable)
	})
	if err != nil || !slices.Equal(first, []uint64{1, 2}) {
		t.Errorf("after: %v, %v", first, err)
	}
}

// TestUnreadableDocument: somebody else has written into the collection.
func TestUnreadableDocument(t *testing.T) {
	s := newScripted(t, mongofake.Limits{})
	s.on("find", mongofake.Cursor("foresight", rawName, bson.D{{Key: "_id", Value: "x"}, {Key: fieldTime, Value: "yesterday"}}))
	if _, err := s.Readings(t.Context(), telemetry.RangeQuery{Tenant: key1.Tenant, Limit: 1}); !errors.Is(err, errForm) || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("%v does not name the document", err)
	}
}
