package training

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/inference/artifact"
	"foresight/inference/daily"
	"foresight/inference/features"
	"foresight/inference/recall"
	"foresight/inference/training"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// What windows a history gives a fault classifier.
const (
	// shows is how long before it was confirmed a fault is taken to have been there.
	shows = 7 * 24 * time.Hour
	// well is how far from any failure, repair and alarm a machine is taken to be well.
	well = 14 * 24 * time.Hour
	// perMachine is how many windows are taken of a machine before one failure, or well.
	perMachine = 24
	// healthyMachines bounds how many machines are looked at that were well.
	healthyMachines = 500
)

// featuresOf is the list of features of a kind of model, and its hash.
func featuresOf(kind string) (names []string, hash string) {
	if kind == artifact.FailurePredictor {
		return daily.Names(), daily.SchemaHash()
	}
	return features.Names(), features.SchemaHash()
}

// scratch writes a file of the run's folder that is no training set.
func (t *task) scratch(name string, write func(*os.File) error) (path string, err error) {
	path = filepath.Join(t.dir, name)
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	return path, errors.Join(write(f), f.Close())
}

// windows labels windows of the past: those before a failure whose fault was found with
// that fault, those of machines that were well as normal. A window is what the model saw
// when it was judged, with the readings that had come by then.
func (t *task) windows(ctx context.Context, k *known) (out []labelled, err error) {
	now := time.Now()
	for asset, all := range k.failures {
		for _, f := range all {
			if f.code == "" || len(out) >= t.Limits.MaxRows {
				continue
			}
			from := f.at.Add(-shows)
			if r := k.lastRepair(asset, f.at); r.After(from) {
				from = r
			}
			if out, err = t.ofAsset(ctx, out, asset, f.code, from, f.at); err != nil {
				return nil, err
			}
		}
	}
	machines, err := t.healthy(ctx, now.Add(-well))
	if err != nil {
		return nil, err
	}
	for _, asset := range machines {
		if len(out) >= t.Limits.MaxRows {
			break
		}
		// What showed since is not known yet of the newest windows.
		if out, err = t.ofAsset(ctx, out, asset, telemetry.Normal, now.Add(-3*well), now.Add(-shows)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// healthy lists machines of which neither maintenance nor an alarm told since a time.
func (t *task) healthy(ctx context.Context, since time.Time) ([]id.UUID, error) {
	rows, err := t.App.Query(ctx, `SELECT a.id FROM assets a WHERE a.tenant_id = $1 AND NOT a.is_deleted
		AND NOT EXISTS (SELECT FROM maintenance_work_orders w WHERE w.tenant_id = a.tenant_id AND w.asset_id = a.id AND NOT w.is_deleted AND w.type = 'corrective' AND w.created_at > $2)
		AND NOT EXISTS (SELECT FROM maintenance_records m WHERE m.tenant_id = a.tenant_id AND m.asset_id = a.id AND (m.was_failure OR m.kind = 'corrective') AND m.performed_at > $2)
		AND NOT EXISTS (SELECT FROM alarm_events e WHERE e.tenant_id = a.tenant_id AND e.asset_id = a.id AND e.last_triggered_at > $2)
		ORDER BY a.id LIMIT $3`, tenancy.Must(ctx).TenantID, since.Add(-2*well), healthyMachines)
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	return out, nil
}

// ofAsset adds windows of a machine that were judged in [from, to), evenly spread, with
// the label. What is no longer stored is left out.
func (t *task) ofAsset(ctx context.Context, out []labelled, asset id.UUID, label string, from, to time.Time) ([]labelled, error) {
	if t.Request.Since != nil && from.Before(*t.Request.Since) {
		from = *t.Request.Since
	}
	step := to.Sub(from) / perMachine
	if step <= 0 {
		return out, nil
	}
	tenant := tenancy.Must(ctx).TenantID
	for i := range perMachine {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		q := telemetry.PredictionQuery{RangeQuery: telemetry.RangeQuery{Tenant: tenant, Scope: telemetry.Scope{Asset: asset},
			From: from.Add(time.Duration(i) * step), To: from.Add(time.Duration(i+1) * step), Limit: 1}}
		found, err := t.Store.Predictions(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			continue
		}
		x, err := recall.Features(ctx, t.Store, &found[0])
		if errors.Is(err, recall.ErrForgotten) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, labelled{training.Example{X: x[:], At: found[0].Timestamp}, asset, label})
	}
	return out, nil
}
