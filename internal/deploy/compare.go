package deploy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"foresight/ent/enum"
	"foresight/inference"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// maxPeriod is the longest that is compared at once.
const maxPeriod = 92 * 24 * time.Hour

// Question is what to compare.
type Question struct {
	Candidate id.UUID
	Baseline  *id.UUID  // nil: the production version of the candidate's model
	From, To  time.Time // event time, the end exclusive; zero: the last 7 days
}

// Compared is what one version did in the period.
type Compared struct {
	Version id.UUID
	Side
	Labels []LabelCount      // the most frequent first
	Drift  enum.DriftVerdict // of the newest report, "" without one
}

// Comparison is what two versions did in the same period.
type Comparison struct {
	From, To  time.Time
	Candidate Compared // where it served; all zero where it did not
	Baseline  Compared
	// Shadow is what the candidate said as a shadow, nil when it was none.
	Shadow *Compared
	// Agreement of the shadow with what served, nil without a shadow.
	Agreement *Agreement
}

// Agreement is how often a shadow named the same as what served, of the same reading, or
// of the same machine and day.
type Agreement struct {
	Pairs, Agreed int64
	// Partial: only the newest pairs of the period were looked at.
	Partial bool
	// Disagreements are the most frequent ones, at most maxDisagreements.
	Disagreements []Disagreement
}

// Share is that of the pairs that named the same, 0-1; nil without pairs.
func (a *Agreement) Share() *float64 {
	if a.Pairs == 0 {
		return nil
	}
	s := share(a.Agreed, a.Pairs)
	return &s
}

// Disagreement is what a shadow said in place of what served.
type Disagreement struct {
	Shadow, Serving string
	Count           int64
}

const (
	maxPairs         = 20_000
	maxDisagreements = 20
)

// Compare counts what two versions did on the sites that the actor sees.
func (s *Service) Compare(ctx context.Context, q Question) (*Comparison, error) {
	actor := tenancy.From(ctx)
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	actor, err := actor.Under(tenancy.ModelsRead, tenancy.PredictionsRead)
	if err != nil {
		return nil, err
	}
	if q.To.IsZero() {
		q.To = s.now()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-7 * 24 * time.Hour)
	}
	if d := q.To.Sub(q.From); d <= 0 || d > maxPeriod {
		return nil, fault.Invalid("from", "error.deploy.period").With("Days", int(maxPeriod/(24*time.Hour)))
	}
	candidate, err := s.version(ctx, s.App, q.Candidate, "")
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Missing("ModelVersion").At("candidateId")
	}
	if err != nil {
		return nil, err
	}
	baseline, err := s.baseline(ctx, &candidate, q.Baseline)
	if err != nil {
		return nil, err
	}
	in := period{q.From, q.To, nil}
	if len(actor.SiteIDs) > 0 {
		in.sites = actor.SiteIDs
	}
	out := &Comparison{From: q.From, To: q.To}
	if out.Candidate, err = s.compared(ctx, &candidate, false, in); err != nil {
		return nil, err
	}
	if out.Baseline, err = s.compared(ctx, &baseline, false, in); err != nil {
		return nil, err
	}
	shadow, err := s.compared(ctx, &candidate, true, in)
	if err != nil || shadow.Predictions == 0 {
		return out, err
	}
	out.Shadow = &shadow
	if candidate.Type == enum.ModelFailurePrediction {
		out.Agreement, err = s.forecastAgreement(ctx, &candidate, in)
	} else {
		out.Agreement, err = s.agreement(ctx, &candidate, in)
	}
	return out, err
}

// baseline is the version to hold the candidate against.
func (s *Service) baseline(ctx context.Context, candidate *version, which *id.UUID) (version, error) {
	missing := fault.Missing("ModelVersion").At("baselineId")
	if which == nil {
		now, err := s.state(ctx, s.App, candidate.Model)
		if err != nil {
			return version{}, err
		}
		p := now.of(enum.BindingProduction)
		if p == nil {
			return version{}, missing
		}
		which = &p.Version
	}
	v, err := s.version(ctx, s.App, *which, "")
	if fault.Is(err, fault.NotFound) || err == nil && v.Model != candidate.Model {
		return v, missing
	}
	return v, err
}

func (s *Service) compared(ctx context.Context, v *version, shadow bool, in period) (Compared, error) {
	m, err := s.measure(ctx, v, shadow, in)
	if err != nil {
		return Compared{}, err
	}
	d, err := s.drift(ctx, v.ID)
	return Compared{v.ID, m.Side, m.Labels, d}, err
}

// agreement looks, from the newest shadow predictions back, for what was said of the same
// reading by what served. The id of that follows from the reading.
func (s *Service) agreement(ctx context.Context, v *version, in period) (*Agreement, error) {
	tenant, t := tenancy.Must(ctx).TenantID, tally{}
	q := telemetry.PredictionQuery{Roles: []telemetry.Role{telemetry.Shadow},
		RangeQuery: telemetry.RangeQuery{Tenant: tenant, Scope: telemetry.Scope{Sites: in.sites}, From: in.from, To: in.to, Limit: telemetry.MaxLimit}}
	for looked := 0; ; {
		found, err := s.Store.Predictions(ctx, q)
		if err != nil {
			return nil, err
		}
		said, ids := map[id.UUID]string{}, make([]id.UUID, 0, len(found))
		for i := range found {
			p := &found[i]
			if p.VersionID == v.ID {
				which := inference.PredictionID(p.Key, p.Timestamp, p.IngestID, telemetry.Production)
				said[which], ids = p.Label, append(ids, which)
			}
		}
		serving, err := s.Store.PredictionsByID(ctx, tenant, ids)
		if err != nil {
			return nil, err
		}
		for which, p := range serving {
			t.add(said[which], p.Label, 1)
		}
		looked += len(found)
		if len(found) < q.Limit {
			return t.agreement(false), nil
		}
		if looked >= maxPairs {
			return t.agreement(true), nil
		}
		last := &found[len(found)-1]
		q.After = telemetry.Cursor{Timestamp: last.Timestamp, IngestID: last.IngestID}
	}
}

// forecastAgreement compares failure predictions of the same machines and days, each by
// the threshold of its version.
func (s *Service) forecastAgreement(ctx context.Context, v *version, in period) (*Agreement, error) {
	rows, err := s.App.Query(ctx, `SELECT CASE WHEN h.failure_prob_30d >= $5 THEN $7 ELSE $8 END AS shadow,
			CASE WHEN p.failure_prob_30d >= v.decision_threshold THEN $7 ELSE $8 END AS serving, count(*)
		FROM shadow_failure_predictions h
		JOIN failure_predictions p ON p.tenant_id = h.tenant_id AND p.asset_id = h.asset_id AND p.predicted_at = h.predicted_at
		JOIN ml_model_versions v ON v.tenant_id = p.tenant_id AND v.id = p.model_version_id
		JOIN assets a ON a.tenant_id = h.tenant_id AND a.id = h.asset_id
		WHERE h.tenant_id = $1 AND h.model_version_id = $2 AND h.predicted_at >= $3 AND h.predicted_at < $4 AND ($6::uuid[] IS NULL OR a.site_id = ANY ($6))
		GROUP BY 1, 2`, tenancy.Must(ctx).TenantID, v.ID, in.from, in.to, v.Threshold, in.sites, Failure, NoFailure)
	if err != nil {
		return nil, fmt.Errorf("deploy: agreement: %w", err)
	}
	t := tally{}
	defer rows.Close()
	for rows.Next() {
		var d Disagreement
		if err := rows.Scan(&d.Shadow, &d.Serving, &d.Count); err != nil {
			return nil, fmt.Errorf("deploy: agreement: %w", err)
		}
		t.add(d.Shadow, d.Serving, d.Count)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("deploy: agreement: %w", err)
	}
	return t.agreement(false), nil
}

// tally counts pairs of labels.
type tally map[[2]string]int64

func (t tally) add(shadow, serving string, n int64) { t[[2]string{shadow, serving}] += n }

func (t tally) agreement(partial bool) *Agreement {
	a := &Agreement{Partial: partial}
	for pair, n := range t {
		a.Pairs += n
		if pair[0] == pair[1] {
			a.Agreed += n
		} else {
			a.Disagreements = append(a.Disagreements, Disagreement{pair[0], pair[1], n})
		}
	}
	slices.SortFunc(a.Disagreements, func(x, y Disagreement) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Shadow, y.Shadow), strings.Compare(x.Serving, y.Serving))
	})
	a.Disagreements = a.Disagreements[:min(len(a.Disagreements), maxDisagreements)]
	return a
}
