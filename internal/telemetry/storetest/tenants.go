package storetest

import (
	"errors"
	"slices"
	"time"

	"foresight/internal/id"
	"foresight/internal/telemetry"
)

var tenantTests = []test{
	{"equal ids of two tenants are two documents", sameIDs},
	{"no method shows another tenant's", confined},
	{"writes alternate between tenants", alternate},
}

// twins returns one key in two tenants: all but the tenant is equal.
func twins() (a, b telemetry.Key) {
	a = newSensor()
	b = a
	b.Tenant = id.New(id.Tenant)
	return a, b
}

func sameIDs(s *suite) {
	a, b := twins()
	ra, rb := reading(a, s.now, 1), reading(b, s.now, 1)
	if ra.IngestID != rb.IngestID {
		s.Fatal("the fixture gives different ingest ids")
	}
	rb.LogSeq, rb.Payload = 2, []byte("b")
	pa, pb := prediction(ra, telemetry.Production, "cavitation", 0.5), prediction(rb, telemetry.Production, "soft_foot", 0.6)
	pb.ID = pa.ID
	if got := s.write(ra, rb); !slices.Equal(got, []uint64{1, 2}) {
		s.Errorf("first sequences %v, want [1 2]", got)
	}
	s.writePredictions(pa, pb)
	for _, c := range []struct {
		r telemetry.Raw
		p telemetry.FaultPrediction
	}{{ra, pa}, {rb, pb}} {
		got := s.readings(telemetry.RangeQuery{Tenant: c.r.Tenant, Limit: 10})
		if len(got) != 1 {
			s.Fatalf("%d readings, want 1", len(got))
		}
		if err := errors.Join(sameReading(got[0], c.r), sameMessage(got[0], c.r)); err != nil {
			s.Error(err)
		}
		p, err := s.store.Prediction(s.ctx(), c.r.Tenant, c.p.ID)
		if err != nil || p.Label != c.p.Label || p.Tenant != c.p.Tenant {
			s.Errorf("prediction %+v, %v", p, err)
		}
	}
}

// confined fills one tenant and asks for exactly its things as the other, whose
// sensors bear the same ids.
func confined(s *suite) {
	a, b := twins()
	r := reading(a, s.now, 1)
	p := prediction(r, telemetry.Production, "cavitation", 0.5)
	s.write(r)
	s.writePredictions(p)
	for _, scope := range []telemetry.Scope{{}, {Site: a.Site}, {Asset: a.Asset}, {Sensor: a.Sensor}, {Sites: []id.UUID{a.Site}}} {
		q := telemetry.RangeQuery{Tenant: b.Tenant, Scope: scope, Limit: 10}
		if got := s.readings(q); len(got) != 0 {
			s.Errorf("Readings of %+v: %d", scope, len(got))
		}
		if got := s.predictions(telemetry.PredictionQuery{RangeQuery: q}); len(got) != 0 {
			s.Errorf("Predictions of %+v: %d", scope, len(got))
		}
		if got, err := s.store.Latest(s.ctx(), b.Tenant, scope, 10); err != nil || len(got) != 0 {
			s.Errorf("Latest of %+v: %d, %v", scope, len(got), err)
		}
	}
	if got := s.window(b, 5, 100, s.at(-time.Hour)); len(got) != 0 {
		s.Errorf("Window: %d", len(got))
	}
	if got, err := s.store.PredictionsByID(s.ctx(), b.Tenant, []id.UUID{p.ID}); err != nil || len(got) != 0 {
		s.Errorf("another tenant reads by ids %v, %v", got, err)
	}
	if _, err := s.store.Prediction(s.ctx(), b.Tenant, p.ID); !errors.Is(err, telemetry.ErrNotFound) {
		s.Errorf("Prediction: %v", err)
	}
	if got := s.window(a, 5, 100, s.at(-time.Hour)); len(got) != 1 {
		s.Errorf("the owner's window holds %d", len(got))
	}
}

// alternate would show a tenant that sticks to a pooled connection.
func alternate(s *suite) {
	a, b := twins()
	for i := range 20 {
		k := []telemetry.Key{a, b}[i%2]
		s.write(reading(k, s.at(time.Duration(i)*time.Second), uint64(i+1)))
		got := s.readings(telemetry.RangeQuery{Tenant: k.Tenant, Limit: 100})
		if len(got) != i/2+1 {
			s.Fatalf("after %d writes the tenant has %d readings", i+1, len(got))
		}
		for _, r := range got {
			if r.Tenant != k.Tenant {
				s.Fatal("another tenant's reading")
			}
		}
	}
}
