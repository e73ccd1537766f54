package mongostore

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/storetest"
	"foresight/internal/testkit"
	"foresight/internal/testkit/mongofake"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// opened returns a started store; change may alter its options.
func opened(t testing.TB, o Options) *Store {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestStoreConforms runs the suite on a real server, in a database of its own that is
// dropped at the end. MONGODB_URI names the server; the tests of what is sent, and the
// suite on a model of the server, run everywhere.
func TestStoreConforms(t *testing.T) {
	uri := os.Getenv("MONGODB_URI")
	if uri == "" {
		t.Skip("MONGODB_URI names no MongoDB: this run shows nothing of a real server")
	}
	name := "foresight_test_" + id.New(id.Tenant).String()
	for _, schema := range []Schema{Managed, External} { // the second finds what the first has made
		s := opened(t, Options{URI: uri, Database: name, Schema: schema, Keep: long})
		if schema == Managed {
			t.Cleanup(func() {
				if err := s.db.Drop(context.Background()); err != nil {
					t.Error(err)
				}
			})
			storetest.Run(t, func(*testing.T) telemetry.Store { return s })
		}
	}
}

// long keeps what the suite writes far in the past.
var long = Retention{Readings: 4 * 365 * days, Predictions: 4 * 365 * days, RollupsM5: 4 * 365 * days, RollupsH1: 4 * 365 * days}

// TestStoreConformsOnModel runs the suite on a model of the server, which holds
// documents to the validators, and hints to the indexes, that the store has made. What
// is ordered must come out of an index, but for documents of one and the same time.
func TestStoreConformsOnModel(t *testing.T) {
	memory := mongofake.NewMemory()
	server := mongofake.Start(t, mongofake.Limits{}, memory.Handle)
	s := opened(t, Options{URI: server.URI()})
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(*testing.T) telemetry.Store { return s })
	})
	for _, sort := range memory.Sorts() {
		if place := sort.Order[0].Key; place != fieldID && place != fieldRaw {
			t.Errorf("%s is sorted by %v for %v", sort.Collection, sort.Order, sort.Filter)
		}
	}
}
