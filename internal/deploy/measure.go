package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// LabelCount is how often a version named a label.
type LabelCount struct {
	Label       string
	Count       int64
	Probability float64 // mean, 0-1
}

// Failure and NoFailure are what failure predictions are counted under: whether the
// 30-day probability reaches the decision threshold of the version.
const (
	Failure   = "failure"
	NoFailure = "healthy"
)

// measured is a side with the labels behind it.
type measured struct {
	Side
	Labels []LabelCount // the most frequent first
}

// period is a stretch of time on the sites of an actor; nil sites are all.
type period struct {
	from, to time.Time // of events; the end exclusive
	sites    []id.UUID
}

// measure counts what a version did in the period: as what serves, or as a shadow.
func (s *Service) measure(ctx context.Context, v *version, shadow bool, in period) (measured, error) {
	var m measured
	var err error
	if v.Type == enum.ModelFailurePrediction {
		m.Labels, err = s.forecasts(ctx, v, shadow, in)
	} else {
		m.Labels, err = s.classified(ctx, v, shadow, in)
	}
	if err != nil {
		return m, err
	}
	sum := 0.0
	for i := range m.Labels {
		l := &m.Labels[i]
		m.Predictions += l.Count
		sum += l.Probability * float64(l.Count)
		if l.Label != telemetry.Normal && l.Label != NoFailure {
			m.Abnormal += l.Count
		}
	}
	if m.Predictions > 0 {
		m.Probability = sum / float64(m.Predictions)
	}
	slices.SortFunc(m.Labels, func(a, b LabelCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Label, b.Label))
	})
	if shadow { // nothing follows from what it says, and people are not shown it
		return m, nil
	}
	if v.Type == enum.ModelFailurePrediction {
		m.Alarms = m.Abnormal
	} else if m.Alarms, err = s.alarms(ctx, v, in); err != nil {
		return m, err
	}
	m.Judged, m.Right, err = s.judged(ctx, v, in)
	return m, err
}

func (s *Service) classified(ctx context.Context, v *version, shadow bool, in period) ([]LabelCount, error) {
	counts, err := s.Store.VersionCounts(ctx, telemetry.VersionQuery{Tenant: tenancy.Must(ctx).TenantID, Version: v.ID,
		Scope: telemetry.Scope{Sites: in.sites}, From: in.from, To: in.to})
	if err != nil {
		return nil, err
	}
	sums := map[string]LabelCount{}
	for _, c := range counts {
		if (c.Role == telemetry.Shadow) == shadow {
			l := sums[c.Label]
			sums[c.Label] = LabelCount{c.Label, l.Count + c.Count, l.Probability + c.Probability*float64(c.Count)}
		}
	}
	out := make([]LabelCount, 0, len(sums))
	for _, l := range sums {
		l.Probability /= float64(l.Count)
		out = append(out, l)
	}
	return out, nil
}

func (s *Service) forecasts(ctx context.Context, v *version, shadow bool, in period) ([]LabelCount, error) {
	table := "failure_predictions"
	if shadow {
		table = "shadow_failure_predictions"
	}
	rows, err := s.App.Query(ctx, `SELECT CASE WHEN p.failure_prob_30d >= $5 THEN '`+Failure+`' ELSE '`+NoFailure+`' END AS label, count(*), avg(p.failure_prob_30d)
		FROM `+table+` p JOIN assets a ON a.tenant_id = p.tenant_id AND a.id = p.asset_id
		WHERE p.tenant_id = $1 AND p.model_version_id = $2 AND p.predicted_at >= $3 AND p.predicted_at < $4 AND ($6::uuid[] IS NULL OR a.site_id = ANY ($6))
		GROUP BY label`, tenancy.Must(ctx).TenantID, v.ID, in.from, in.to, v.Threshold, in.sites)
	if err != nil {
		return nil, fmt.Errorf("deploy: failure predictions: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[LabelCount])
	if err != nil {
		return nil, fmt.Errorf("deploy: failure predictions: %w", err)
	}
	return found, nil
}

// alarms counts those that predictions of the version raised.
func (s *Service) alarms(ctx context.Context, v *version, in period) (n int64, err error) {
	err = s.App.QueryRow(ctx, `SELECT count(*) FROM alarm_events WHERE tenant_id = $1 AND model_version_id = $2
		AND triggered_at >= $3 AND triggered_at < $4 AND ($5::uuid[] IS NULL OR site_id = ANY ($5))`,
		tenancy.Must(ctx).TenantID, v.ID, in.from, in.to, in.sites).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("deploy: alarms: %w", err)
	}
	return n, nil
}

// judged counts the faults that the version named, other than as a shadow, and people
// spoke about, each by the last word on it.
func (s *Service) judged(ctx context.Context, v *version, in period) (all, right int64, err error) {
	err = s.App.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE new_label = predicted_label) FROM (
			SELECT DISTINCT ON (coalesce(prediction_id, id)) new_label, predicted_label FROM feedback
			WHERE tenant_id = $1 AND model_version_id = $2 AND at >= $3 AND at < $4 AND predicted_label <> ALL ($6)
				AND role IS DISTINCT FROM 'shadow' AND ($5::uuid[] IS NULL OR site_id = ANY ($5))
			ORDER BY coalesce(prediction_id, id), at DESC) f`,
		tenancy.Must(ctx).TenantID, v.ID, in.from, in.to, in.sites, []string{telemetry.Normal, NoFailure}).Scan(&all, &right)
	if err != nil {
		return 0, 0, fmt.Errorf("deploy: feedback: %w", err)
	}
	return all, right, nil
}

// drift is the verdict of the newest report on the version, "" without one.
func (s *Service) drift(ctx context.Context, v id.UUID) (d enum.DriftVerdict, err error) {
	err = s.App.QueryRow(ctx, `SELECT verdict FROM drift_reports WHERE tenant_id = $1 AND model_version_id = $2 ORDER BY created_at DESC LIMIT 1`,
		tenancy.Must(ctx).TenantID, v).Scan(&d)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("deploy: drift: %w", err)
	}
	return d, nil
}
