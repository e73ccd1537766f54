package drift

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/inference/features"
	"foresight/inference/recall"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// drawn is a sample of the predictions of a type of models.
type drawn struct {
	versions map[id.UUID]*version
	from, to time.Time
	// Of so many sensors (of failure predictions: machines) that were looked at, so many
	// had a prediction.
	asked, heard int
}

// of returns the version of a prediction, nil when the tenant's register has none such.
func (d *drawn) of(ctx context.Context, s *Service, tenant, which id.UUID) (*version, error) {
	v, known := d.versions[which]
	if !known {
		var err error
		if v, err = s.readVersion(ctx, tenant, which); err != nil {
			return nil, err
		}
		d.versions[which] = v
	}
	return v, nil
}

// windows draws predictions of fault classifiers: of each sensor at times that are
// spread over the window, one prediction in each stretch of it. Windows that follow each
// other share readings; of an hour of one machine a second one tells nothing new.
func (s *Service) windows(ctx context.Context, tenant id.UUID, seed id.UUID, now time.Time) (*drawn, error) {
	d := &drawn{versions: map[id.UUID]*version{}, from: now.Add(-s.Limits.Window), to: now}
	sensors, err := s.sensors(ctx, tenant)
	if err != nil || len(sensors) == 0 {
		return d, err
	}
	r := rand.New(rand.NewPCG(binary.BigEndian.Uint64(seed[:8]), binary.BigEndian.Uint64(seed[8:])))
	r.Shuffle(len(sensors), func(i, j int) { sensors[i], sensors[j] = sensors[j], sensors[i] })
	sensors = sensors[:min(len(sensors), s.Limits.Sample)]
	each := (s.Limits.Sample + len(sensors) - 1) / len(sensors)
	stretch := s.Limits.Window / time.Duration(each)
	left := s.Limits.Sample
	var x features.Vector
	for _, sensor := range sensors {
		d.asked++
		heard := false
		for i := range min(each, left) {
			from := d.from.Add(time.Duration(i) * stretch)
			p, ok, err := s.prediction(ctx, tenant, sensor, from, from.Add(time.Duration(r.Int64N(int64(stretch)))), from.Add(stretch))
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			heard = true
			w, err := recall.Window(ctx, s.Store, &p)
			if errors.Is(err, recall.ErrForgotten) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("drift: %w", err)
			}
			v, err := d.of(ctx, s, tenant, p.VersionID)
			if err != nil {
				return nil, err
			}
			if v == nil {
				continue
			}
			features.Extract(w, &x)
			if err := v.add(p.Asset, p.Label, p.OutOfDistribution, x[:]); err != nil {
				return nil, err
			}
			if err := v.set(&x); err != nil {
				return nil, err
			}
			left--
			s.metrics.sampled.Inc()
		}
		if heard {
			d.heard++
		}
	}
	return d, nil
}

// set keeps the size of the label set of a window.
func (v *version) set(x *features.Vector) error {
	if v.model == nil {
		return nil
	}
	limit, ok := v.manifest.Conformal.Limit(coverageLevel)
	if !ok {
		return nil
	}
	n, _, err := v.model.Classify(x, v.top)
	if err != nil {
		return fmt.Errorf("drift: %s: %w", v.Label, err)
	}
	size := 0
	for _, c := range v.top[:n] {
		if c.Probability >= limit {
			size++
		}
	}
	v.seen.sets = append(v.seen.sets, size)
	return nil
}

// prediction finds one of a sensor in [from, to): the last one before the time at, else
// the last one of the stretch. What shadows said does not count: nobody was told.
func (s *Service) prediction(ctx context.Context, tenant, sensor id.UUID, from, at, to time.Time) (p telemetry.FaultPrediction, ok bool, err error) {
	for _, end := range [...]time.Time{at, to} {
		if !end.After(from) {
			continue
		}
		found, err := s.Store.Predictions(ctx, telemetry.PredictionQuery{
			RangeQuery: telemetry.RangeQuery{Tenant: tenant, Scope: telemetry.Scope{Sensor: sensor}, From: from, To: end, Limit: 1},
			Roles:      []telemetry.Role{telemetry.Production, telemetry.Canary},
		})
		if err != nil {
			return p, false, fmt.Errorf("drift: predictions: %w", err)
		}
		if len(found) > 0 {
			return found[0], true, nil
		}
	}
	return p, false, nil
}

// sensors lists those in use.
func (s *Service) sensors(ctx context.Context, tenant id.UUID) ([]id.UUID, error) {
	rows, err := s.App.Query(ctx, `SELECT id FROM sensors WHERE tenant_id = $1 AND NOT is_deleted AND is_active ORDER BY id`, tenant)
	if err != nil {
		return nil, fmt.Errorf("drift: sensors: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return nil, fmt.Errorf("drift: sensors: %w", err)
	}
	return out, nil
}
