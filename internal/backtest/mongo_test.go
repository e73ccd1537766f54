package backtest_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"foresight/internal/backtest"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/telemetry/mongostore"
	"foresight/internal/testkit"
	"foresight/internal/testkit/mongofake"
)

// The same history gives the same result from the document store, here on the model of
// its server that the store's own suite runs on.
func TestOnTheDocumentStore(t *testing.T) {
	memory := mongofake.NewMemory()
	server := mongofake.Start(t, mongofake.Limits{}, memory.Handle)
	store, err := mongostore.New(mongostore.Options{URI: server.URI(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), testkit.Patience)
		defer cancel()
		if err := store.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	documents := false
	w := newIdleWorld(t, func(o *backtest.Options) { o.Store = &either{o.Store, store, &documents} })
	raws := w.machine(80)
	w.stores(raws...)
	if _, err := store.WriteReadings(t.Context(), raws); err != nil {
		t.Fatal(err)
	}
	q := w.whole()
	q.Predict = true
	rule := hot(1)
	rule.Parameter = telemetry.VibrationRMS
	q.Drafts = []backtest.Draft{{Spec: rule}}
	var told [2]string
	for i := range told {
		documents = i == 1
		x, err := w.Start(w.engineer(), q)
		w.ok(err)
		w.ok(backtest.Run(w.engineer(), w.Service, x.ID))
		b, err := w.Backtest(w.engineer(), x.ID)
		w.ok(err)
		if b.Status != "succeeded" || b.Outcome.Readings != 160 || b.Outcome.Predictions != 2*(80-telemetry.WindowSize+1) {
			t.Fatalf("%+v", b)
		}
		told[i] = fmt.Sprint(sorted(w.told(w.alarms(w.engineer(), b))))
	}
	if told[0] != told[1] || len(told[0]) < 20 {
		t.Errorf("from PostgreSQL %s, from MongoDB %s", told[0], told[1])
	}
}

// either is one of two stores.
type either struct {
	telemetry.Store
	other  telemetry.Store
	second *bool
}

func (e *either) Readings(ctx context.Context, q telemetry.RangeQuery) ([]telemetry.Raw, error) {
	if *e.second {
		return e.other.Readings(ctx, q)
	}
	return e.Store.Readings(ctx, q)
}

func (e *either) PredictionsByID(ctx context.Context, tenant id.UUID, ids []id.UUID) (map[id.UUID]telemetry.FaultPrediction, error) {
	if *e.second {
		return e.other.PredictionsByID(ctx, tenant, ids)
	}
	return e.Store.PredictionsByID(ctx, tenant, ids)
}
