package admit_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"foresight/ingestion/admit"
	"foresight/ingestion/decode"
	"foresight/internal/id"
	"foresight/internal/tenancy"
	"foresight/internal/testkit"
)

func newLetters(t testing.TB, db *testkit.DB) *admit.Letters {
	t.Helper()
	return admit.NewLetters(admit.LettersOptions{
		Pool: pool(t, db.WorkerDSN), Metrics: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
	})
}

func startLetters(t testing.TB, l *admit.Letters) {
	t.Helper()
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Stop(context.WithoutCancel(t.Context())) })
}

func letter(tenant id.UUID, topic string, payload []byte) admit.DeadLetter {
	return admit.DeadLetter{Tenant: tenant, Reason: decode.BadJSON, Detail: "why", Topic: topic, Payload: payload, At: time.Now()}
}

// visible counts the rows that the role sees in the tenant; Nil is no tenant.
func visible(t testing.TB, dsn string, tenant id.UUID) (n int) {
	t.Helper()
	return visibleBy(t, pool(t, dsn), tenant)
}

func visibleBy(t testing.TB, p *pgxpool.Pool, tenant id.UUID) (n int) {
	t.Helper()
	ctx := t.Context()
	if tenant != id.Nil {
		ctx = tenancy.AsSystem(ctx, tenant)
	}
	if err := p.QueryRow(ctx, "SELECT count(*) FROM rejected_readings").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDeadLettersAreSeenByTheirTenantOnly(t *testing.T) {
	db := testkit.NewDB(t)
	a, b := testkit.TwoTenants(t, db)
	l := newLetters(t, db)
	for range 3 {
		l.Put(letter(a.TenantID, "acme/north/sensors/x", []byte("{")))
		l.Put(letter(id.Nil, "nobody's", []byte("{")))
	}
	l.Put(letter(b.TenantID, "globex/north/sensors/x", []byte("{")))
	startLetters(t, l)
	if err := l.Stop(t.Context()); err != nil { // writes what is queued
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dsn    string
		tenant id.UUID
		want   int
	}{
		"acme": {db.AppDSN, a.TenantID, 3}, "globex": {db.AppDSN, b.TenantID, 1},
		"a request without a tenant": {db.AppDSN, id.Nil, 0}, "the operator": {db.OwnerDSN, id.Nil, 7},
	} {
		if got := visible(t, c.dsn, c.tenant); got != c.want {
			t.Errorf("%s sees %d, want %d", name, got, c.want)
		}
	}
}

func TestDeadLettersAreBoundedAndStorable(t *testing.T) {
	db := testkit.NewDB(t)
	a, _ := testkit.TwoTenants(t, db)
	l := newLetters(t, db)
	startLetters(t, l)
	payload := bytes.Repeat([]byte{0, 0xff, 'x'}, 4000)
	d := letter(a.TenantID, "a\x00b\xff"+strings.Repeat("t", 5000), payload)
	d.Detail = "nul \x00 and no UTF-8 \xff"
	l.Put(d)
	clear(payload) // nothing of it is kept

	owner := pool(t, db.OwnerDSN)
	var topic, detail, reason string
	var kept []byte
	testkit.Eventually(t, within, func() bool {
		err := owner.QueryRow(t.Context(), "SELECT topic, detail, reason, payload FROM rejected_readings").Scan(&topic, &detail, &reason, &kept)
		if err != nil && err != pgx.ErrNoRows {
			t.Fatal(err)
		}
		return err == nil
	})
	if len(kept) != 1024 || kept[1] != 0xff || len(topic) > 600 || reason != "bad_json" || !strings.HasPrefix(detail, "nul") {
		t.Errorf("%d bytes of payload, topic of %d, %q, %q", len(kept), len(topic), reason, detail)
	}
}

func TestDeadLettersOverflowIsCountedAndHealed(t *testing.T) {
	db := testkit.NewDB(t)
	a, _ := testkit.TwoTenants(t, db)
	execAs(t, db.OwnerDSN, "ALTER TABLE rejected_readings RENAME TO away")
	l := newLetters(t, db)
	startLetters(t, l)
	const n = 20000
	for range n {
		l.Put(letter(a.TenantID, "t", []byte("x")))
	}
	if l.Overflow() == 0 {
		t.Fatal("a queue without a bound")
	}
	execAs(t, db.OwnerDSN, "ALTER TABLE away RENAME TO rejected_readings")
	owner := pool(t, db.OwnerDSN) // one: each stays open until the end of the test
	testkit.Eventually(t, within, func() bool {
		return visibleBy(t, owner, id.Nil)+int(l.Overflow()) == n
	})
}

func TestOldDeadLettersArePurged(t *testing.T) {
	db := testkit.NewDB(t)
	a, _ := testkit.TwoTenants(t, db)
	l := newLetters(t, db)
	for _, age := range []time.Duration{0, 6 * 24 * time.Hour, 8 * 24 * time.Hour, 100 * 24 * time.Hour} {
		d := letter(a.TenantID, "t", nil)
		d.At = time.Now().Add(-age)
		l.Put(d)
	}
	startLetters(t, l)
	if err := l.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := visible(t, db.OwnerDSN, id.Nil); n != 2 {
		t.Errorf("%d are left, want those of 7 days", n)
	}
}

func BenchmarkAdmit(b *testing.B) {
	r := newRig(b, setup{capacity: 2 << 30})
	payload := []byte(`{"timestamp":"` + time.Now().UTC().Format(time.RFC3339Nano) + `"`)
	for _, m := range []string{"motor_DE", "motor_NDE", "pump_DE", "pump_NDE"} {
		for _, q := range []string{"vib_band_1", "vib_band_2", "vib_band_3", "vib_band_4", "ultrasonic", "temperature"} {
			payload = append(payload, `,"`+m+`_`+q+`":12.3456`...)
		}
	}
	payload = append(payload, '}')
	m := admit.Message{Credential: gateway(r.a), Topic: "acme/north/sensors/pump-1-a", Payload: payload}
	for name, window := range map[string]int{"synchronous": 1, "pipelined-256": 256} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s := admit.NewStream(b.Context(), r.admitter, window, func([]admit.Result[int]) error { return nil }, nil)
			for b.Loop() {
				if err := s.Submit(m, 0); err != nil {
					b.Fatal(err)
				}
			}
			if err := s.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
	b.Run("rejected", func(b *testing.B) {
		b.ReportAllocs()
		bad := m
		bad.Payload = []byte(`{"motor_DE_vib_band_1":"high"}`)
		for b.Loop() {
			if t := r.admitter.Admit(b.Context(), bad); t.Rejection == nil {
				b.Fatal("admitted")
			}
		}
	})
}
