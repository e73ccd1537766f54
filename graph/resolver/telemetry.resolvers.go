package resolver

import (
	"context"
	"encoding/hex"
	"foresight/graph/generated"
	"foresight/graph/model"
	"foresight/internal/telemetry"
	"time"
)

func (r *queryResolver) LatestReadings(ctx context.Context, scope *model.ScopeInput) ([]*telemetry.Raw, error) {
	return r.latestReadings(ctx, scope)
}

func (r *queryResolver) Telemetry(ctx context.Context, first *int, after *string, scope model.ScopeInput, from *time.Time, to *time.Time) (*model.Connection[*telemetry.Raw], error) {
	return r.readings(ctx, first, after, scope, from, to)
}

func (r *queryResolver) RejectedReadings(ctx context.Context, first *int) ([]*model.RejectedReading, error) {
	return r.rejected(ctx, first)
}

func (r *readingResolver) IngestID(ctx context.Context, obj *telemetry.Raw) (string, error) {
	return hex.EncodeToString(obj.IngestID[:]), nil
}

func (r *readingResolver) Values(ctx context.Context, obj *telemetry.Raw, parameters []string) ([]*model.ReadingValue, error) {
	return values(obj, parameters), nil
}

func (r *subscriptionResolver) Telemetry(ctx context.Context, scope *model.ScopeInput) (<-chan *model.TelemetryItem, error) {
	return r.watchTelemetry(ctx, scope)
}

func (r *Resolver) Reading() generated.ReadingResolver { return &readingResolver{r} }

type readingResolver struct{ *Resolver }
