package storetest

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var writeTests = []test{
	{"nothing is fine", func(s *suite) { s.write() }},
	{"a document comes back as it was", roundTrip},
	{"the first write's sequence is told", firstSequence},
	{"equal documents of one call are one", equalInOneCall},
	{"a repeated write changes nothing", repeated},
	{"many tenants in one call", manyTenants},
	{"a large batch", largeBatch},
	{"several days in one call", severalDays},
	{"concurrent writers agree on the first", concurrentWriters},
	{"a document without a tenant is refused", func(s *suite) {
		r := reading(newSensor(), s.now, 1)
		r.Tenant = id.Nil
		if _, err := s.store.WriteReadings(s.ctx(), []telemetry.Raw{r}); !errors.Is(err, telemetry.ErrNoTenant) {
			s.Errorf("got %v, want ErrNoTenant", err)
		}
	}},
	{"an ended context is an error", func(s *suite) {
		ctx, cancel := contextEnded(s)
		defer cancel()
		if _, err := s.store.WriteReadings(ctx, []telemetry.Raw{reading(newSensor(), s.now, 1)}); err == nil {
			s.Error("no error")
		}
	}},
	{"ping answers", func(s *suite) {
		if err := s.store.Ping(s.ctx()); err != nil {
			s.Error(err)
		}
	}},
}

func roundTrip(s *suite) {
	k := newSensor()
	odd := reading(k, s.at(7*time.Millisecond), 1)
	odd.Payload = []byte("{\"bytes\": \"\xff\x00\\u0000\", \"a\":1,  \"a\":2}\n")
	odd.Topic = "a/ü/sensors/٣"
	odd.Late = true
	odd.Values = []telemetry.Value{{Name: "a\"b\\", Value: math.MaxFloat64}, {Name: "z", Value: -5e-324}, {Name: "ü", Value: 0}}

	channels := reading(k, s.at(time.Second), 2)
	for c := range channels.Channels {
		channels.Channels[c] = math.Nextafter(float64(c)/7, math.Inf(1))
	}
	channels.Values = nil

	bare := reading(k, s.at(2*time.Second), math.MaxInt64)
	bare.Channels, bare.Values, bare.Payload, bare.Topic = telemetry.NoChannels(), nil, []byte{}, ""

	want := []telemetry.Raw{bare, channels, odd}
	s.write(odd, channels, bare)
	got := s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 10})
	if len(got) != len(want) {
		s.Fatalf("%d readings, want %d", len(got), len(want))
	}
	for i := range want {
		if err := errors.Join(sameReading(got[i], want[i]), sameMessage(got[i], want[i])); err != nil {
			s.Errorf("reading %d: %v", want[i].LogSeq, err)
		}
	}
}

func firstSequence(s *suite) {
	k := newSensor()
	a, b := reading(k, s.at(0), 10), reading(k, s.at(time.Second), 11)
	if got := s.write(a, b); !slices.Equal(got, []uint64{10, 11}) {
		s.Errorf("new: %v", got)
	}
	resent := a
	resent.LogSeq = 20
	c := reading(k, s.at(2*time.Second), 21)
	if got := s.write(resent, c); !slices.Equal(got, []uint64{10, 21}) {
		s.Errorf("one resent, one new: %v, want [10 21]", got)
	}
	if got := s.write(c, resent, b); !slices.Equal(got, []uint64{21, 10, 11}) {
		s.Errorf("the answer is not in the order of the documents: %v", got)
	}
}

func equalInOneCall(s *suite) {
	k := newSensor()
	a := reading(k, s.now, 5)
	again := a
	again.LogSeq = 6
	if got := s.write(a, again); !slices.Equal(got, []uint64{5, 5}) {
		s.Errorf("first sequences %v, want [5 5]", got)
	}
	if got := seqs(s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 10})); !slices.Equal(got, []uint64{5}) {
		s.Errorf("stored %v, want [5]", got)
	}
}

func repeated(s *suite) {
	k := newSensor()
	a := reading(k, s.now, 5)
	s.write(a)
	changed := a
	changed.LogSeq, changed.Late, changed.Payload, changed.Channels[0] = 9, true, []byte("other"), 99
	s.write(changed)
	got := s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 10})
	if len(got) != 1 {
		s.Fatalf("%d readings, want 1", len(got))
	}
	if err := errors.Join(sameReading(got[0], a), sameMessage(got[0], a)); err != nil {
		s.Error(err)
	}
}

func manyTenants(s *suite) {
	var docs []telemetry.Raw
	var keys []telemetry.Key
	for range 12 {
		keys = append(keys, newSensor())
	}
	for i := range 120 { // interleaved
		docs = append(docs, reading(keys[i%len(keys)], s.at(time.Duration(i)*time.Second), uint64(i+1)))
	}
	if got := s.write(docs...); !slices.Equal(got, seqs(docs)) {
		s.Errorf("first sequences %v", got)
	}
	for i, k := range keys {
		got := s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 100})
		if len(got) != 10 || got[9].LogSeq != uint64(i+1) {
			s.Errorf("tenant %d has %v", i, seqs(got))
		}
	}
}

func largeBatch(s *suite) {
	tenant := id.New(id.Tenant)
	var docs []telemetry.Raw
	for range 50 {
		k := sensor(tenant)
		for i := range 100 {
			r := reading(k, s.at(time.Duration(i)*time.Second), uint64(len(docs)+1))
			r.Payload = bytes.Repeat([]byte{byte(i)}, 2000)
			docs = append(docs, r)
		}
	}
	for range 2 {
		if got := s.write(docs...); !slices.Equal(got, seqs(docs)) {
			s.Fatal("first sequences differ")
		}
	}
	latest, err := s.store.Latest(s.ctx(), tenant, telemetry.Scope{}, 100)
	if err != nil || len(latest) != 50 {
		s.Errorf("%d sensors, error %v", len(latest), err)
	}
}

func severalDays(s *suite) {
	k := newSensor()
	var docs []telemetry.Raw
	for d := range 30 {
		docs = append(docs, reading(k, s.at(-time.Duration(d)*24*time.Hour), uint64(d+1)))
	}
	s.write(docs...)
	if got := s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 100}); !slices.Equal(seqs(got), seqs(docs)) {
		s.Errorf("got %v", seqs(got))
	}
}

// concurrentWriters: whoever wins, all are told the same, and one is stored.
func concurrentWriters(s *suite) {
	const writers, n = 8, 600
	keys := []telemetry.Key{newSensor(), newSensor()}
	answers := make([][]uint64, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			docs := make([]telemetry.Raw, n)
			order := rand.Perm(n)
			for at, i := range order {
				docs[at] = reading(keys[i%2], s.at(time.Duration(i)*time.Second), uint64(i))
				docs[at].LogSeq = uint64(10_000*(w+1) + i)
			}
			first, err := s.store.WriteReadings(s.ctx(), docs)
			if err != nil {
				s.Errorf("writer %d: %v", w, err)
				return
			}
			answers[w] = make([]uint64, n)
			for at, i := range order {
				answers[w][i] = first[at]
			}
		})
	}
	wg.Wait()
	if s.Failed() {
		return
	}
	for w := range writers {
		if !slices.Equal(answers[w], answers[0]) {
			s.Fatalf("writers disagree:\n%v\n%v", answers[0], answers[w])
		}
	}
	var stored []uint64
	for _, k := range keys {
		stored = append(stored, seqs(s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 1000}))...)
	}
	slices.Sort(stored)
	slices.Sort(answers[0])
	if !slices.Equal(stored, answers[0]) {
		s.Errorf("stored %v, told %v", stored, answers[0])
	}
}
