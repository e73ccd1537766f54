package modelops

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// FeedbackGroup says what figures of feedback are told apart by.
type FeedbackGroup string

// The groups.
const (
	ByNothing       FeedbackGroup = "all"
	ByModel         FeedbackGroup = "model"
	ByModelVersion  FeedbackGroup = "model_version"
	ByAsset         FeedbackGroup = "asset"
	ByPredictedCode FeedbackGroup = "predicted_code"
	ByDay           FeedbackGroup = "day" // UTC
	ByWeek          FeedbackGroup = "week"
	ByMonth         FeedbackGroup = "month"
)

// FeedbackStats are figures of one group of feedback.
type FeedbackStats struct {
	By   FeedbackGroup `db:"-"`
	Of   *id.UUID      // the model, version or machine
	Code *string       // that was predicted
	From *time.Time    // beginning of the day, week or month
	// By type.
	Correct, Corrections, NewFaults, FalsePositives int
	// Alarming is how many predictions other than of a healthy machine were judged, Right
	// how many of these were right. Of several people's words on one prediction the last
	// counts.
	Alarming, Right int
}

// Total is how often something was said.
func (s *FeedbackStats) Total() int {
	return s.Correct + s.Corrections + s.NewFaults + s.FalsePositives
}

// Precision is the share of right ones among the live predictions that were judged and
// were not of a healthy machine, 0-1; nil when there are none.
func (s *FeedbackStats) Precision() *float64 {
	if s.Alarming == 0 {
		return nil
	}
	p := float64(s.Right) / float64(s.Alarming)
	return &p
}

// maxGroups is the most rows that are told.
const maxGroups = 1000

// grouping is the column of each group, by what it is.
var grouping = map[FeedbackGroup]struct{ of, code, from string }{
	ByNothing:       {},
	ByModel:         {of: "v.model_id"},
	ByModelVersion:  {of: "f.model_version_id"},
	ByAsset:         {of: "f.asset_id"},
	ByPredictedCode: {code: "f.predicted_label"},
	ByDay:           {from: "date_trunc('day', f.at, 'UTC')"},
	ByWeek:          {from: "date_trunc('week', f.at, 'UTC')"},
	ByMonth:         {from: "date_trunc('month', f.at, 'UTC')"},
}

// The last word on a prediction is looked for whatever the filter: a word that somebody
// contradicted later does not count because the later one is filtered out.
const feedbackStats = `
SELECT of, code, since, count(*) FILTER (WHERE feedback_type = 'correct'), count(*) FILTER (WHERE feedback_type = 'correction'),
	count(*) FILTER (WHERE feedback_type = 'new_fault'), count(*) FILTER (WHERE feedback_type = 'false_positive'),
	count(*) FILTER (WHERE last AND alarming), count(*) FILTER (WHERE last AND alarming AND feedback_type = 'correct')
FROM (SELECT %s AS of, %s AS code, %s AS since, f.feedback_type, f.predicted_label NOT IN ('normal', 'healthy') AS alarming,
		NOT EXISTS (SELECT FROM feedback later WHERE later.tenant_id = f.tenant_id AND later.prediction_id = f.prediction_id AND (later.at, later.id) > (f.at, f.id)) AS last
	FROM feedback f JOIN ml_model_versions v ON v.tenant_id = f.tenant_id AND v.id = f.model_version_id
	WHERE f.tenant_id = $1 AND ($2::uuid[] IS NULL OR f.site_id IS NULL OR f.site_id = ANY ($2))
		AND ($3::text[] IS NULL OR f.feedback_type = ANY ($3)) AND ($4::uuid IS NULL OR v.model_id = $4) AND ($5::uuid IS NULL OR f.model_version_id = $5)
		AND ($6::uuid IS NULL OR f.site_id = $6) AND ($7::uuid IS NULL OR f.asset_id = $7)
		AND ($8::text[] IS NULL OR f.predicted_label = ANY ($8)) AND ($9::text[] IS NULL OR f.new_label = ANY ($9))
		AND ($10::timestamptz IS NULL OR f.at >= $10) AND ($11::timestamptz IS NULL OR f.at < $11)) said
GROUP BY of, code, since ORDER BY since DESC, count(*) DESC, of, code LIMIT %d`

// Stats counts the feedback that matches, in groups: the latest period first, otherwise
// the largest group first, at most a thousand.
func (f *Feedback) Stats(ctx context.Context, of FeedbackFilter, by FeedbackGroup) ([]*FeedbackStats, error) {
	actor, err := tenancy.Must(ctx).Under(tenancy.PredictionsRead)
	if err != nil {
		return nil, err
	}
	g, ok := grouping[by]
	if !ok {
		return nil, fault.Invalid("groupBy", "error.input.malformed")
	}
	column := func(c, null string) string {
		if c == "" {
			return null
		}
		return c
	}
	types := make([]string, len(of.Types))
	for i, t := range of.Types {
		types[i] = string(t)
	}
	rows, err := f.pool.Query(ctx, fmt.Sprintf(feedbackStats, column(g.of, "NULL::uuid"), column(g.code, "NULL::text"), column(g.from, "NULL::timestamptz"), maxGroups),
		actor.TenantID, some(actor.SiteIDs), some(types), given(of.Model), given(of.Version), given(of.Site), given(of.Asset),
		some(of.PredictedCodes), some(of.Codes), moment(of.From), moment(of.To))
	if err != nil {
		return nil, fmt.Errorf("modelops: feedback: %w", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[FeedbackStats])
	if err != nil {
		return nil, fmt.Errorf("modelops: feedback: %w", err)
	}
	for _, s := range out {
		s.By = by
	}
	return out, nil
}

// some is null for an empty list.
func some[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// given is null for no id.
func given(u id.UUID) *id.UUID {
	if u == id.Nil {
		return nil
	}
	return &u
}

// moment is null for no time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
