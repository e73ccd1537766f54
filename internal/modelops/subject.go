package modelops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"foresight/ent"
	"foresight/ent/assetfeatures"
	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/failureprediction"
	"foresight/ent/mixin"
	"foresight/ent/mlmodelversion"
	"foresight/inference/champion"
	"foresight/inference/daily"
	"foresight/inference/features"
	"foresight/inference/recall"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// subject is a prediction that people speak of.
type subject struct {
	site, asset, sensor id.UUID           // sensor is Nil for failure predictions
	version             id.UUID           // as the tenant's register has it
	schema              string            // hash of the version's features
	role                enum.BindingStage // that the version played; "": not known
	label               string            // what was predicted
	probability         float64           // that it had
	classes             []string
	healthy             string // the class that is no alarm
	// yesNo says that there are two classes and no other can be.
	yesNo    bool
	features document.Features // nil: they cannot be computed any more

	fault   *telemetry.FaultPrediction
	failure *ent.FailurePrediction
}

// Classes of a failure predictor.
const (
	healthy = "healthy"
	failure = "failure"
)

// roleOf is the part that a prediction says its version played; "" for none that there is.
func roleOf(r telemetry.Role) enum.BindingStage {
	switch r {
	case telemetry.Production:
		return enum.BindingProduction
	case telemetry.Canary:
		return enum.BindingCanary
	case telemetry.Shadow:
		return enum.BindingShadow
	}
	return ""
}

// subjects finds the predictions. What the actor may not see does not exist.
func (f *Feedback) subjects(ctx context.Context, said []Said) ([]*subject, error) {
	var faults, failures []id.UUID
	for _, s := range said {
		if k, _ := id.KindOf(s.Prediction); k == id.FailurePrediction {
			failures = append(failures, s.Prediction)
		} else {
			faults = append(faults, s.Prediction)
		}
	}
	actor := tenancy.Must(ctx)
	found := map[id.UUID]*subject{}
	if len(faults) > 0 {
		predictions, err := f.store.PredictionsByID(ctx, actor.TenantID, faults)
		if err != nil {
			return nil, err
		}
		for k, p := range predictions {
			if len(actor.SiteIDs) == 0 || slices.Contains(actor.SiteIDs, p.Site) {
				found[k] = &subject{site: p.Site, asset: p.Asset, sensor: p.Sensor, version: p.VersionID, role: roleOf(p.Role), label: p.Label, probability: p.Probability,
					healthy: telemetry.Normal, fault: &p}
			}
		}
	}
	if len(failures) > 0 {
		rows, err := f.ent.FailurePrediction.Query().Where(failureprediction.IDIn(failures...)).WithAsset().All(mixin.WithDeleted(ctx))
		if err != nil {
			return nil, err
		}
		for _, p := range rows {
			found[p.ID] = &subject{site: p.Edges.Asset.SiteID, asset: p.AssetID, version: p.ModelVersionID, healthy: healthy, yesNo: true, failure: p}
		}
	}
	out := make([]*subject, len(said))
	var mistakes fault.List
	for i, s := range said {
		field := "input.items." + strconv.Itoa(i) + ".predictionId"
		if out[i] = found[s.Prediction]; out[i] == nil {
			mistakes = append(mistakes, fault.Missing("FaultPrediction").At(field))
			continue
		}
		wrong, err := f.versionOf(ctx, out[i], field)
		if err != nil {
			return nil, err
		}
		if wrong != nil {
			mistakes = append(mistakes, wrong)
		}
	}
	return out, mistakes.Err()
}

// versionOf finds the version that predicted in the tenant's register: also one that was
// deleted since, and for a model of the binary itself the version that registers it.
func (f *Feedback) versionOf(ctx context.Context, of *subject, field string) (*fault.Error, error) {
	where := mlmodelversion.ID(of.version)
	for _, c := range champion.All() {
		if c.VersionID() == of.version {
			where = mlmodelversion.ArtifactPath(c.Hash())
		}
	}
	v, err := f.ent.MLModelVersion.Query().Where(where).First(mixin.WithDeleted(ctx))
	if ent.IsNotFound(err) {
		return fault.New(fault.Conflict, "error.feedback.versionGone").At(field), nil
	}
	if err != nil {
		return nil, err
	}
	of.version, of.schema, of.classes = v.ID, v.FeatureSchemaHash, v.Classes
	if p := of.failure; p != nil {
		of.label, of.probability = healthy, 1-p.FailureProb30d
		if p.FailureProb30d >= v.DecisionThreshold {
			of.label, of.probability = failure, p.FailureProb30d
		}
		of.classes = []string{healthy, failure}
	}
	return nil, nil
}

// snapshots computes the features that the predictions were made from.
func (f *Feedback) snapshots(ctx context.Context, of []*subject) (err error) {
	for _, s := range of {
		switch {
		case s.features != nil: // said twice, which is blamed later
		case s.fault != nil && s.schema == features.SchemaHash():
			x, err := recall.Features(ctx, f.store, s.fault)
			if errors.Is(err, recall.ErrForgotten) {
				continue // what a person says of it counts all the same
			}
			if err != nil {
				return fmt.Errorf("modelops: features of a prediction: %w", err)
			}
			s.features = x[:]
		case s.failure != nil && s.schema == daily.SchemaHash():
			if s.features, err = f.dailyFeatures(ctx, s.failure); err != nil {
				return err
			}
		}
	}
	return nil
}

// dailyFeatures are those of the day on which the prediction rests, nil when they are no
// longer kept.
func (f *Feedback) dailyFeatures(ctx context.Context, p *ent.FailurePrediction) (document.Features, error) {
	row, err := f.ent.AssetFeatures.Query().Where(assetfeatures.AssetID(p.AssetID), assetfeatures.FeatureSchemaHash(daily.SchemaHash()),
		assetfeatures.Day(daily.LastDay(p.PredictedAt))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	x := daily.Named(row.Features)
	return x[:], nil
}
