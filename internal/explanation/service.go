package explanation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"foresight/inference/artifact"
	"foresight/inference/features"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Service answers for the actor of the context. What the actor may not see is
// fault.NotFound. It is safe for concurrent use.
type Service struct{ Sources }

// New returns a service; the pool is that of requests.
func New(s Sources) *Service { return &Service{s} }

// Prediction explains a stored prediction: the class of the code, or the predicted one
// for "", by at most top features (1-50).
func (s *Service) Prediction(ctx context.Context, prediction id.UUID, code string, top int) (*Explanation, error) {
	actor, err := reader(ctx, top)
	if err != nil {
		return nil, err
	}
	p, err := s.Store.Prediction(ctx, actor.TenantID, prediction)
	if errors.Is(err, telemetry.ErrNotFound) || err == nil && len(actor.SiteIDs) > 0 && !slices.Contains(actor.SiteIDs, p.Site) {
		return nil, fault.Missing("FaultPrediction")
	}
	if err != nil {
		return nil, err
	}
	return s.prediction(ctx, &p, code, top)
}

// Features explains what a version of the tenant, with the label, says of the features of
// a window that a caller holds.
func (s *Service) Features(ctx context.Context, version id.UUID, label string, x *features.Vector, code string, top int) (*Explanation, error) {
	actor, err := reader(ctx, top)
	if err != nil {
		return nil, err
	}
	e, err := s.version(ctx, actor.TenantID, version)
	if err != nil {
		return nil, err
	}
	if e.Manifest.Kind != artifact.FaultClassifier || e.Manifest.Features != len(x) {
		return nil, ErrNotReproduced
	}
	return answer(e, label, x, code, top)
}

// reader returns the actor with the sites where it may read predictions.
func reader(ctx context.Context, top int) (*tenancy.Actor, error) {
	actor, err := tenancy.Must(ctx).Under(tenancy.PredictionsRead)
	if err != nil {
		return nil, err
	}
	if top < 1 || top > MaxTop {
		return nil, fault.Invalid("top", "error.range").With("Min", 1).With("Max", MaxTop)
	}
	return actor, nil
}

const ofAlarms = `
SELECT x.event_id, x.state, coalesce(x.fault_code, ''), coalesce(x.version_label, ''), coalesce(x.margin, 0), coalesce(x.bias, 0), coalesce(x.others, 0),
	coalesce(x.features, '[]')
FROM alarm_explanations x JOIN alarm_events e ON e.tenant_id = x.tenant_id AND e.id = x.event_id
WHERE x.tenant_id = $1 AND x.event_id = ANY ($2) AND ($3::uuid[] IS NULL OR e.site_id = ANY ($3))`

// OfAlarms returns the explanations of those alarms that a prediction raised and the
// actor may see, by alarm.
func (s *Service) OfAlarms(ctx context.Context, alarms []id.UUID) (map[id.UUID]OfAlarm, error) {
	actor, err := tenancy.Must(ctx).Under(tenancy.AlarmsRead, tenancy.PredictionsRead)
	if err != nil {
		return nil, err
	}
	var sites []id.UUID
	if len(actor.SiteIDs) > 0 {
		sites = actor.SiteIDs
	}
	rows, err := s.Pool.Query(ctx, ofAlarms, actor.TenantID, alarms, sites)
	if err != nil {
		return nil, fmt.Errorf("explanation: of alarms: %w", err)
	}
	out := make(map[id.UUID]OfAlarm, len(alarms))
	var alarm id.UUID
	var state State
	var e Explanation
	_, err = pgx.ForEachRow(rows, []any{&alarm, &state, &e.Code, &e.VersionLabel, &e.Margin, &e.Bias, &e.Others, &e.Features}, func() error {
		a := OfAlarm{State: state}
		if state == Ready {
			one := e
			a.Explanation = &one
		}
		e.Features = nil // the next one's are its own
		out[alarm] = a
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("explanation: of alarms: %w", err)
	}
	return out, nil
}
