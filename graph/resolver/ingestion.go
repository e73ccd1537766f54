package resolver

import (
	"cmp"
	"context"
	"slices"
	"time"

	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/tenancy"
)

// Minutes that ingestionStats looks back.
const (
	ingestionMinutes    = 60
	maxIngestionMinutes = 24 * 60
)

// ingestionStats sums up what the processes have counted.
func (r *Resolver) ingestionStats(ctx context.Context, minutes *int) (*model.IngestionStats, error) {
	if err := tenancy.Require(ctx, tenancy.TelemetryRead); err != nil {
		return nil, err
	}
	n := ingestionMinutes
	if minutes != nil {
		n = *minutes
	}
	if n < 1 || n > maxIngestionMinutes {
		return nil, fault.Invalid("minutes", "error.range").With("Min", 1).With("Max", maxIngestionMinutes)
	}
	to := time.Now().UTC()
	from := to.Truncate(time.Minute).Add(-time.Duration(n-1) * time.Minute)
	counts, err := r.Plant.IngestionCounts(ctx, from, to)
	if err != nil {
		return nil, err
	}
	out := &model.IngestionStats{From: from, To: to, Reasons: []*model.RejectionCount{}, Minutes: []*model.IngestionMinute{}}
	reasons := map[string]uint64{}
	var minute *model.IngestionMinute
	for _, c := range counts {
		if minute == nil || !minute.At.Equal(c.Minute) {
			minute = &model.IngestionMinute{At: c.Minute}
			out.Minutes = append(out.Minutes, minute)
		}
		switch c.Outcome {
		case "accepted":
			out.Accepted += c.N
			minute.Accepted += c.N
		case "slowed":
			out.Slowed += c.N
			minute.OverQuota += c.N
		case "deferred":
			out.Deferred += c.N
			minute.OverQuota += c.N
		case "told":
			out.RateLimited += c.N
			minute.OverQuota += c.N
		case "log_full":
			out.Unconfirmed += c.N
		default:
			out.Rejected += c.N
			minute.Rejected += c.N
			reasons[c.Outcome] += c.N
		}
	}
	out.MessagesPerSecond = float64(out.Accepted) / to.Sub(from).Seconds()
	w := wordsOf(ctx)
	for reason, count := range reasons {
		out.Reasons = append(out.Reasons, &model.RejectionCount{Reason: reason, Message: w.Reason(reason), Count: count})
	}
	slices.SortFunc(out.Reasons, func(a, b *model.RejectionCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return out, nil
}
