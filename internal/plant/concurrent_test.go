package plant_test

import (
	"fmt"
	"sync"
	"testing"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/plant"
	"foresight/internal/tenancy"
)

// deletable are the tables of what people delete, the lower things first.
var deletable = []string{"sensors", "assets", "gateways", "sites", "parameters"}

// deletion returns a row of the table, of version 1, and how it is deleted.
func (w *world) deletion(table string) (which id.UUID, remove func(expected *int) error) {
	w.Helper()
	ctx := w.as(tenancy.Engineer)
	switch table {
	case "sensors":
		return w.acme.SensorIDs[0], func(v *int) error { return second(w.DeleteSensor(ctx, w.acme.SensorIDs[0], v)) }
	case "assets":
		return w.acme.AssetID, func(v *int) error { return second(w.DeleteAsset(ctx, w.acme.AssetID, v)) }
	case "gateways":
		return w.acme.GatewayID, func(v *int) error { return second(w.DeleteGateway(ctx, w.acme.GatewayID, v)) }
	case "sites":
		return w.acme.SiteID, func(v *int) error { return second(w.DeleteSite(ctx, w.acme.SiteID, v)) }
	}
	p, err := w.CreateParameter(ctx, plant.ParameterSpec{Name: "oil_colour", Unit: "1"})
	w.ok(err)
	return p.ID, func(v *int) error { return second(w.DeleteParameter(ctx, p.ID, v)) }
}

// A deletion of one version does not delete another, which was being written when it
// looked; without a version it deletes what there is by then.
func TestDeletionWaitsForTheVersion(t *testing.T) {
	w := newWorld(t)
	for _, table := range deletable {
		which, remove := w.deletion(table)
		for _, expected := range []*int{ptr(1), nil} {
			tx, err := w.owner.Begin(t.Context())
			w.ok(err)
			_, err = tx.Exec(t.Context(), fmt.Sprintf(`UPDATE %s SET version = version + 1 WHERE id = $1`, table), which)
			w.ok(err)
			deleted := make(chan error, 1)
			go func() { deleted <- remove(expected) }()
			w.awaitWaiting(tx, 1)
			w.ok(tx.Commit(t.Context()))
			switch err := <-deleted; {
			case expected != nil && !fault.Is(err, fault.Conflict):
				t.Errorf("%s: a version that was replaced meanwhile: %v", table, err)
			case expected == nil && err != nil:
				t.Errorf("%s: whatever the version: %v", table, err)
			}
		}
	}
}

// Of several who delete the same, one does.
func TestOneDeletes(t *testing.T) {
	w := newWorld(t)
	for _, table := range deletable {
		_, remove := w.deletion(table)
		var all sync.WaitGroup
		results := make(chan error, 6)
		for range cap(results) {
			all.Go(func() { results <- remove(ptr(1)) })
		}
		all.Wait()
		close(results)
		done := 0
		for err := range results {
			if err == nil {
				done++
			} else if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: %v", table, err)
			}
		}
		if done != 1 {
			t.Errorf("%s: deleted %d times", table, done)
		}
	}
}
