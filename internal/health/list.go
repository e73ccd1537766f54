package health

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/assetfeatures"
	"foresight/ent/enum"
	"foresight/ent/failureprediction"
	"foresight/ent/predicate"
	"foresight/inference/daily"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// PredictionFilter chooses failure predictions; zero fields do not narrow.
type PredictionFilter struct {
	Site, Asset id.UUID
	Risks       []enum.RiskLevel
	Days        int       // Days7 or Days30: the horizon of Least; 0: 30
	Least       float64   // probability from which on
	From, To    time.Time // as of when, the end exclusive
	Newest      bool      // only the newest of each machine
}

// Predictions lists failure predictions, the newest first.
func (s *Service) Predictions(ctx context.Context, f PredictionFilter, a page.Args) (page.Page[*ent.FailurePrediction], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PredictionsRead, a, keyset.Newest(failureprediction.FieldPredictedAt))
	if err != nil {
		return page.Page[*ent.FailurePrediction]{}, err
	}
	match, err := f.predicates()
	if err != nil {
		return page.Page[*ent.FailurePrediction]{}, err
	}
	q := s.Ent.FailurePrediction.Query().Where(match...)
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.FailurePrediction) page.Key { return keyset.Key(e.PredictedAt, e.ID) })
}

func (f *PredictionFilter) predicates() (out []predicate.FailurePrediction, err error) {
	add := func(when bool, p predicate.FailurePrediction) {
		if when {
			out = append(out, p)
		}
	}
	add(f.Site != id.Nil, failureprediction.HasAssetWith(asset.SiteID(f.Site)))
	add(f.Asset != id.Nil, failureprediction.AssetID(f.Asset))
	add(len(f.Risks) > 0, failureprediction.RiskLevelIn(f.Risks...))
	add(!f.From.IsZero(), failureprediction.PredictedAtGTE(f.From))
	add(!f.To.IsZero(), failureprediction.PredictedAtLT(f.To))
	add(f.Newest, newest)
	if !(f.Least >= 0 && f.Least <= 1) {
		return nil, fault.Invalid("filter.minProbability", "error.failure.probability")
	}
	switch f.Days {
	case 0, Days30:
		add(f.Least > 0, failureprediction.FailureProb30dGTE(f.Least))
	case Days7:
		add(f.Least > 0, failureprediction.FailureProb7dGTE(f.Least))
	default:
		return nil, fault.Invalid("filter.horizonDays", "error.failure.horizon")
	}
	return out, nil
}

// newest leaves out what a later prediction of the same machine follows.
func newest(s *sql.Selector) {
	later := sql.Table(failureprediction.Table).As("later")
	s.Where(sql.NotExists(sql.Dialect(s.Dialect()).Select(later.C(failureprediction.FieldID)).From(later).Where(sql.And(
		sql.ColumnsEQ(later.C(failureprediction.FieldTenantID), s.C(failureprediction.FieldTenantID)),
		sql.ColumnsEQ(later.C(failureprediction.FieldAssetID), s.C(failureprediction.FieldAssetID)),
		sql.ColumnsGT(later.C(failureprediction.FieldPredictedAt), s.C(failureprediction.FieldPredictedAt)),
	))))
}

// PredictionsByID loads failure predictions in one statement; ids that the actor does
// not see are absent.
func (s *Service) PredictionsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.FailurePrediction, error) {
	rows, err := s.Ent.FailurePrediction.Query().Where(failureprediction.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.FailurePrediction) id.UUID { return e.ID })
}

// NewestOf loads the newest failure prediction of each machine in one statement;
// machines without one are absent.
func (s *Service) NewestOf(ctx context.Context, assets []id.UUID) (map[id.UUID]*ent.FailurePrediction, error) {
	rows, err := s.Ent.FailurePrediction.Query().Where(failureprediction.AssetIDIn(assets...), newest).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.FailurePrediction) id.UUID { return e.AssetID })
}

// Features lists the daily features of a machine from the day From to the day To, both
// included and zero for no bound, the newest first, as this build computes them.
func (s *Service) Features(ctx context.Context, of id.UUID, from, to time.Time, a page.Args) (page.Page[*ent.AssetFeatures], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PredictionsRead, a, keyset.Newest(assetfeatures.FieldDay))
	if err != nil {
		return page.Page[*ent.AssetFeatures]{}, err
	}
	q := s.Ent.AssetFeatures.Query().Where(assetfeatures.AssetID(of), assetfeatures.FeatureSchemaHash(daily.SchemaHash()))
	if !from.IsZero() {
		q.Where(assetfeatures.DayGTE(daily.DayOf(from)))
	}
	if !to.IsZero() {
		q.Where(assetfeatures.DayLTE(daily.DayOf(to)))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.AssetFeatures) page.Key { return keyset.Key(e.Day, e.ID) })
}

// Worst lists the machines of a site, of one machine, or of all (id.Nil) whose health
// was calculated within the last two days, the worst first, at most so many.
func (s *Service) Worst(ctx context.Context, site, asset id.UUID, limit int) ([]id.UUID, error) {
	if err := tenancy.Require(ctx, tenancy.PredictionsRead); err != nil {
		return nil, err
	}
	a := tenancy.Must(ctx)
	sites := a.SiteIDs
	if sites == nil {
		sites = []id.UUID{}
	}
	rows, err := s.App.Query(ctx, `SELECT asset_id FROM (
			SELECT DISTINCT ON (asset_id) asset_id, health_score FROM asset_health
			WHERE tenant_id = $1 AND calculated_at > now() - interval '2 days'
				AND (cardinality($2::uuid[]) = 0 OR site_id = ANY ($2)) AND ($3::uuid = $5::uuid OR site_id = $3) AND ($4::uuid = $5 OR asset_id = $4)
			ORDER BY asset_id, calculated_at DESC) newest
		ORDER BY health_score, asset_id LIMIT $6`, a.TenantID, sites, site, asset, id.Nil, limit)
	if err != nil {
		return nil, fmt.Errorf("health: worst: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[id.UUID])
}
