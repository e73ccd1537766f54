package drift

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/inference/features"
	"foresight/internal/id"
)

// truthWithin is how far back people's findings are looked at.
const truthWithin = 90 * 24 * time.Hour

// mostFindings bounds the findings that are looked at, the newest ones.
const mostFindings = 2000

var missing = float32(math.NaN())

// truth sees how often the label sets of a version held what people found to be true.
// People report what was wrong more readily than what was right, so that this is a lower
// bound rather than an estimate.
func (s *Service) truth(ctx context.Context, tenant id.UUID, v *version, r *Report) error {
	if v.model == nil {
		return nil
	}
	limit, ok := v.manifest.Conformal.Limit(coverageLevel)
	if !ok {
		return nil
	}
	rows, err := s.App.Query(ctx, `SELECT features, new_label FROM feedback
		WHERE tenant_id = $1 AND model_version_id = $2 AND at > $3 AND features IS NOT NULL ORDER BY at DESC LIMIT $4`,
		tenant, v.ID, s.Now().Add(-truthWithin), mostFindings)
	if err != nil {
		return fmt.Errorf("drift: feedback: %w", err)
	}
	held := 0
	var snapshot []*float32 // a missing value is null
	var label string
	var x features.Vector
	_, err = pgx.ForEachRow(rows, []any{&snapshot, &label}, func() error {
		defer func() { snapshot = nil }()
		if len(snapshot) != len(x) {
			return nil
		}
		for i, p := range snapshot {
			if x[i] = missing; p != nil {
				x[i] = *p
			}
		}
		n, _, err := v.model.Classify(&x, v.top)
		if err != nil {
			return err
		}
		r.LabelSets.Findings++
		for _, c := range v.top[:n] {
			if c.Label == label && c.Probability >= limit {
				held++
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("drift: feedback: %w", err)
	}
	if r.LabelSets.Findings > 0 {
		share := float64(held) / float64(r.LabelSets.Findings)
		r.LabelSets.Coverage = &share
	}
	return nil
}
