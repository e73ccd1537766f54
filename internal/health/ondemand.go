package health

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"foresight/ent"
	"foresight/ent/asset"
	"foresight/ent/assetfeatures"
	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/inference/daily"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Value is one feature as a caller gives it.
type Value struct {
	Name  string
	Value float64
}

// Request asks for a prediction now. Without features those of the machine's newest day
// are taken; with features only these, and all others are missing.
type Request struct {
	Asset    id.UUID // Nil: no particular machine, by the tenant's model
	Features []Value // nil: of the machine
	Days     int     // horizon of the explanation, Days7 or Days30; 0: 30
	Explain  bool
}

// Estimate is a prediction on demand. It is not kept.
type Estimate struct {
	Forecast
	Asset    id.UUID
	Day      time.Time // of the features; zero when they were given
	Features daily.Vector
	Risk     enum.RiskLevel
	Days     int
	Top      []document.Contribution // nil: not asked for
}

// Predict answers a request at once. What the caller can mend is a fault.List.
func (s *Service) Predict(ctx context.Context, q Request) (*Estimate, error) {
	if err := tenancy.Require(ctx, tenancy.PredictionsRead); err != nil {
		return nil, err
	}
	tenant := tenancy.Must(ctx).TenantID
	e := &Estimate{Asset: q.Asset, Days: q.Days}
	given, mistakes := given(q.Features)
	switch q.Days {
	case 0:
		e.Days = Days30
	case Days7, Days30:
	default:
		mistakes = append(mistakes, fault.Invalid("input.horizonDays", "error.failure.horizon"))
	}
	if q.Asset == id.Nil && q.Features == nil {
		mistakes = append(mistakes, fault.Invalid("input.assetId", "error.failure.subject"))
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	importance := enum.CriticalityMedium
	if q.Asset != id.Nil {
		a, err := s.Ent.Asset.Query().Where(asset.ID(q.Asset)).Only(ctx)
		if ent.IsNotFound(err) {
			return nil, fault.Missing("Asset").At("input.assetId")
		}
		if err != nil {
			return nil, err
		}
		importance = a.Criticality
	}
	if q.Features != nil {
		e.Features = given
	} else if err := s.newestFeatures(ctx, e); err != nil {
		return nil, err
	}
	limits, err := s.tenantLimits(ctx, tenant)
	if err != nil {
		return nil, err
	}
	told, err := s.Predictor.Forecast(ctx, tenant, []Row{{q.Asset, e.Features}})
	if err == nil {
		err = told[0].Err
	}
	if err != nil {
		return nil, fmt.Errorf("health: forecast: %w", err)
	}
	e.Forecast = told[0]
	e.Risk = limits.Risk(e.Within30.Value, importance)
	if q.Explain && s.Explainer != nil {
		if e.Top, err = s.Explainer.ExplainForecast(ctx, &e.Forecast, &e.Features, e.Days, explained); err != nil {
			return nil, fmt.Errorf("health: explain: %w", err)
		}
	}
	return e, nil
}

// given reads the features of a caller: known names, once each, finite and plausible.
func given(features []Value) (daily.Vector, fault.List) {
	v := daily.Named(nil)
	var mistakes fault.List
	columns := daily.Columns()
	if len(features) > daily.Count {
		return v, fault.List{fault.Invalid("input.features", "error.failure.tooMany").With("Max", daily.Count)}
	}
	for i, f := range features {
		field := "input.features." + strconv.Itoa(i)
		place, known := daily.Place(f.Name)
		switch {
		case !known:
			mistakes = append(mistakes, fault.Invalid(field+".name", "error.failure.feature").With("Name", f.Name))
		case v[place] == v[place]:
			mistakes = append(mistakes, fault.Invalid(field+".name", "error.failure.twice").With("Name", f.Name))
		case !(f.Value >= columns[place].Min && f.Value <= columns[place].Max):
			mistakes = append(mistakes, fault.Invalid(field+".value", "error.failure.range").With("Name", f.Name).
				With("Min", columns[place].Min).With("Max", columns[place].Max))
		default:
			v[place] = float32(f.Value)
		}
	}
	return v, mistakes
}

// newestFeatures takes the machine's newest stored features.
func (s *Service) newestFeatures(ctx context.Context, e *Estimate) error {
	f, err := s.Ent.AssetFeatures.Query().Where(assetfeatures.AssetID(e.Asset), assetfeatures.FeatureSchemaHash(daily.SchemaHash())).
		Order(ent.Desc(assetfeatures.FieldDay)).First(ctx)
	if ent.IsNotFound(err) || err == nil && uncovered(f.Features) {
		return fault.Invalid("input.assetId", "error.failure.noFeatures")
	}
	if err != nil {
		return err
	}
	e.Day, e.Features = f.Day, daily.Named(f.Features)
	return nil
}

// uncovered reports whether nothing was heard of the machine whose features these are.
func uncovered(features map[string]float64) bool {
	v := daily.Named(features)
	return v[coverage] == 0
}
