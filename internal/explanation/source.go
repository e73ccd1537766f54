package explanation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/inference/artifact"
	"foresight/inference/champion"
	"foresight/inference/explain"
	"foresight/inference/features"
	"foresight/inference/recall"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// Store is where predictions and their readings are. A telemetry.Store is one.
type Store interface {
	recall.Readings
	Prediction(ctx context.Context, tenant, id id.UUID) (telemetry.FaultPrediction, error)
}

// Explainers finds what explains an artifact. An explain.Shelf is one.
type Explainers interface {
	Explainer(ctx context.Context, hash string) (*explain.Explainer, error)
}

// Sources is where explanations come from.
type Sources struct {
	Pool       *pgxpool.Pool // whose connections are in the tenant of the context
	Store      Store
	Explainers Explainers
}

// prediction explains a stored prediction of the tenant of the context: the class
// named, or the predicted one for "".
func (s *Sources) prediction(ctx context.Context, p *telemetry.FaultPrediction, code string, top int) (*Explanation, error) {
	e, err := s.version(ctx, p.Tenant, p.VersionID)
	if err != nil {
		return nil, err
	}
	if e.Manifest.Kind != artifact.FaultClassifier || e.Manifest.FeatureSchemaHash != features.SchemaHash() {
		return nil, ErrNotReproduced.Because(fmt.Errorf("%s of feature schema %.12s", e.Manifest.Kind, e.Manifest.FeatureSchemaHash))
	}
	x, err := recall.Features(ctx, s.Store, p)
	if errors.Is(err, recall.ErrForgotten) {
		return nil, ErrReadingsGone.Because(err)
	}
	if err != nil {
		return nil, err
	}
	if said := e.Manifest.Classes[e.Model().Best(x[:])]; said != p.Label {
		return nil, ErrNotReproduced.Because(fmt.Errorf("prediction %s says %s, now it is %s", p.ID, p.Label, said))
	}
	if code == "" {
		code = p.Label
	}
	return answer(e, p.VersionLabel, x, code, top)
}

// answer explains the class of a fault classifier for the features.
func answer(e *explain.Explainer, label string, x *features.Vector, code string, top int) (*Explanation, error) {
	class := slices.Index(e.Manifest.Classes, code)
	if class < 0 {
		return nil, fault.Invalid("code", "error.explain.codeUnknown")
	}
	a, err := e.Model().Explain(x[:], class, top)
	if err != nil {
		return nil, err
	}
	return &Explanation{Code: code, VersionLabel: label, Margin: a.Margin, Bias: a.Bias, Others: a.Others, Features: a.Named(features.Name)}, nil
}

// version finds what explains a version, also one that was deleted since: it is gone
// when its artifact is.
func (s *Sources) version(ctx context.Context, tenant, version id.UUID) (*explain.Explainer, error) {
	hash, shipped := builtIn(version)
	if !shipped {
		err := s.Pool.QueryRow(ctx, `SELECT artifact_path FROM ml_model_versions WHERE tenant_id = $1 AND id = $2`, tenant, version).Scan(&hash)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, ErrVersionGone
		}
		if err != nil {
			return nil, fmt.Errorf("explanation: version: %w", err)
		}
	}
	e, err := s.Explainers.Explainer(ctx, hash)
	switch {
	case err == nil:
		return e, nil
	case errors.Is(err, fs.ErrNotExist) || fault.Is(err, fault.NotFound):
		return nil, ErrVersionGone.Because(err)
	case errors.Is(err, artifact.ErrInvalid) || errors.Is(err, explain.ErrRefused):
		return nil, ErrNotReproduced.Because(err)
	}
	return nil, fmt.Errorf("explanation: version %s: %w", version, err)
}

// builtIn returns the artifact of a version that ships with the product.
func builtIn(version id.UUID) (hash string, ok bool) {
	for _, c := range champion.All() {
		if c.VersionID() == version {
			return c.Hash(), true
		}
	}
	return "", false
}
