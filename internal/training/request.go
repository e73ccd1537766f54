package training

import (
	"context"
	"fmt"
	"time"

	"foresight/ent"
	"foresight/ent/document"
	"foresight/ent/enum"
	"foresight/ent/mlmodel"
	"foresight/ent/mlmodeldeployment"
	"foresight/ent/mlmodelversion"
	"foresight/inference/artifact"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
)

// Request asks for a run. Zero fields take the defaults in brackets.
type Request struct {
	Model  id.UUID
	Source enum.TrainingSource
	Base   *id.UUID // the version to go on from [the one in production]
	// Alone leaves the base's own training set out; of simulated data it always is.
	Alone          bool
	FeedbackWeight float32    // of a row of feedback beside 1 of any other, 0.1-100 [3]
	HeldOut        float64    // share of the machines that do not train, 0.1-0.5 [0.2]
	Since          *time.Time // only history from then on [all that is kept]
	Upload         *id.UUID   // the file, of the source upload
	Fleet          document.TrainingFleet
	Recipe         Recipe
	Drift          *id.UUID // the drift report that it comes of, for the record

	scheduled bool
}

// needs are the permissions under which a run acts.
var needs = []tenancy.Permission{tenancy.ModelsWrite, tenancy.ModelsRead, tenancy.PlantRead, tenancy.TelemetryRead, tenancy.PredictionsRead}

// kindOf is what serves a type of model; "" for one that cannot be trained.
func kindOf(t enum.ModelType) string {
	switch t {
	case enum.ModelFaultClassification:
		return artifact.FaultClassifier
	case enum.ModelFailurePrediction:
		return artifact.FailurePredictor
	}
	return ""
}

// plan is a request that was looked through.
type plan struct {
	Request
	behalf jobs.Behalf
	kind   string
	base   *ent.MLModelVersion
	keep   document.TrainingRequest
	file   []byte // what was uploaded
}

// plan looks a request through as its actor. What is wrong is a fault.Error or a
// fault.List with the fields of the graph's input.
func (s *Service) plan(ctx context.Context, q Request) (*plan, error) {
	behalf, err := jobs.Of(ctx, needs...)
	if err != nil {
		return nil, err
	}
	if len(behalf.SiteIDs) > 0 { // a model learns from all sites
		return nil, fault.Denied(string(tenancy.ModelsWrite))
	}
	p := &plan{Request: q, behalf: behalf}
	model, err := s.ORM.MLModel.Query().Where(mlmodel.ID(q.Model)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("Model").At("input.modelId")
	}
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	if p.kind = kindOf(model.Type); p.kind == "" {
		return nil, fault.Invalid("input.modelId", "error.training.kind")
	}
	if err := p.Recipe.check(); err != nil {
		return nil, err
	}
	if p.base, err = s.base(ctx, q.Model, q.Base); err != nil {
		return nil, err
	}
	bundle, err := s.bundle(ctx, p.base)
	if err != nil {
		return nil, err
	}
	p.Recipe.over(&bundle.Manifest.Training)
	p.Recipe.Threads = s.Limits.Threads
	p.keep = document.TrainingRequest{Base: p.base.ID, Original: !q.Alone, FeedbackWeight: q.FeedbackWeight, HeldOut: q.HeldOut, Since: q.Since, Scheduled: q.scheduled, Drift: q.Drift}
	if p.keep.FeedbackWeight == 0 {
		p.keep.FeedbackWeight = 3
	}
	if p.keep.HeldOut == 0 {
		p.keep.HeldOut = 0.2
	}
	if w := p.keep.FeedbackWeight; !(w >= 0.1 && w <= 100) {
		return nil, fault.Invalid("input.feedbackWeight", "error.training.range").With("Low", 0.1).With("High", 100)
	}
	if h := p.keep.HeldOut; !(h >= 0.1 && h <= 0.5) {
		return nil, fault.Invalid("input.heldOut", "error.training.range").With("Low", 0.1).With("High", 0.5)
	}
	if err := s.Versions.Room(ctx); err != nil { // before hours of training for it
		return nil, err
	}
	if err := s.source(ctx, p, bundle); err != nil {
		return nil, err
	}
	return p, s.trainable(ctx)
}

// source looks at what is asked of the source.
func (s *Service) source(ctx context.Context, p *plan, base *artifact.Bundle) error {
	switch p.Source {
	case enum.TrainingFeedback:
		if p.Alone {
			return fault.Invalid("input.withOriginal", "error.training.feedbackAlone")
		}
		have, err := s.wrong(ctx, p.Model, time.Time{})
		if err != nil {
			return err
		}
		if have < s.Limits.MinFeedback {
			return fault.Invalid("input.source", "error.training.feedback").With("Have", have).With("Need", s.Limits.MinFeedback)
		}
	case enum.TrainingHistory:
	case enum.TrainingUpload:
		if p.Upload == nil {
			return fault.Invalid("input.uploadId", "error.required")
		}
		if p.kind != artifact.FaultClassifier { // it has two data sets
			return fault.Invalid("input.source", "error.training.source")
		}
		name, content, err := s.Jobs.Uploaded(ctx, *p.Upload)
		if err != nil {
			return err
		}
		// What is wrong with it is told now, and not by a run that fails.
		if _, err := s.readUpload(name, content, base, p.keep.HeldOut, p.Alone); err != nil {
			return err
		}
		p.file = content
	case enum.TrainingSimulator:
		p.keep.Original = false
		p.keep.Fleet = &p.Fleet
		return checkFleet(p.kind, p.keep.Fleet)
	default:
		return fault.Invalid("input.source", "error.training.source")
	}
	return nil
}

// trainable says whether some process can train.
func (s *Service) trainable(ctx context.Context) error {
	if s.Trains() {
		return nil
	}
	if s.Elsewhere != nil {
		there, err := s.Elsewhere(ctx)
		if err != nil {
			return err
		}
		if there {
			return nil
		}
	}
	return ErrNoTrainer
}

// base is the version that a run goes on from: the one that is named, else the one in
// production.
func (s *Service) base(ctx context.Context, model id.UUID, named *id.UUID) (*ent.MLModelVersion, error) {
	if named != nil {
		v, err := s.ORM.MLModelVersion.Query().Where(mlmodelversion.ID(*named), mlmodelversion.ModelID(model)).Only(ctx)
		if ent.IsNotFound(err) {
			return nil, fault.Missing("ModelVersion").At("input.baseVersionId")
		}
		if err != nil {
			return nil, fmt.Errorf("training: %w", err)
		}
		return v, nil
	}
	d, err := s.ORM.MLModelDeployment.Query().Where(mlmodeldeployment.ModelID(model), mlmodeldeployment.IsProduction(true),
		mlmodeldeployment.DeploymentEndIsNil()).WithModelVersion().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Invalid("input.baseVersionId", "error.training.base")
	}
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	return d.Edges.ModelVersion, nil
}

// bundle opens the artifact of a version.
func (s *Service) bundle(ctx context.Context, v *ent.MLModelVersion) (*artifact.Bundle, error) {
	raw, err := s.Artifacts.Artifact(ctx, v.ArtifactPath)
	if err != nil {
		return nil, fmt.Errorf("training: artifact of %s: %w", v.FullVersionLabel, err)
	}
	b, err := artifact.Open(raw)
	if err != nil {
		return nil, fmt.Errorf("training: artifact of %s: %w", v.FullVersionLabel, err)
	}
	return b, nil
}
