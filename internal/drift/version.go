package drift

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/inference"
	"foresight/inference/artifact"
	"foresight/internal/id"
	"foresight/internal/telemetry"
)

// coverageLevel is the nominal coverage of the label sets that are looked at, 0-1.
const coverageLevel = 0.9

// version is a model version with what was seen of it.
type version struct {
	ID, Model id.UUID
	Label     string // `fault_classifier:1.1.0`
	Artifact  string
	Type      enum.ModelType
	Threshold float64
	Serves    bool // somebody is served by it

	manifest *artifact.Manifest
	model    *inference.Model // of classifiers with label sets; else nil
	top      []telemetry.LabelProbability
	seen     observed
}

// observed is what was drawn of a version's predictions.
type observed struct {
	machines map[id.UUID]int
	machine  []int // of each row
	label    []int // of each row, index into the classes
	outside  []bool
	bins     []uint8 // row-major, of the reference's features; empty without a reference
	missing  []int   // by feature
	sets     []int   // sizes of label sets
}

// readVersion reads a version of the tenant, nil when it has none such, or no more.
func (s *Service) readVersion(ctx context.Context, tenant, which id.UUID) (*version, error) {
	rows, err := s.App.Query(ctx, `SELECT v.id, v.model_id, v.full_version_label, v.artifact_path, m.type, coalesce(v.decision_threshold, 0.3),
			EXISTS (SELECT FROM ml_model_deployments d WHERE d.tenant_id = $1 AND d.model_version_id = v.id AND d.deployment_end IS NULL AND d.stage IN ('production', 'canary'))
			OR EXISTS (SELECT FROM asset_model_versions b WHERE b.tenant_id = $1 AND b.model_version_id = v.id AND b.is_active AND b.stage IN ('production', 'canary'))
		FROM ml_model_versions v JOIN ml_models m ON m.tenant_id = v.tenant_id AND m.id = v.model_id
		WHERE v.tenant_id = $1 AND v.id = $2 AND NOT v.is_deleted`, tenant, which)
	if err != nil {
		return nil, fmt.Errorf("drift: version: %w", err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, func(r pgx.CollectableRow) (*version, error) {
		var v version
		return &v, r.Scan(&v.ID, &v.Model, &v.Label, &v.Artifact, &v.Type, &v.Threshold, &v.Serves)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("drift: version: %w", err)
	}
	return v, s.open(ctx, v)
}

// open opens the version's artifact.
func (s *Service) open(ctx context.Context, v *version) error {
	b, err := s.Bundles.Bundle(ctx, v.Artifact)
	if err != nil {
		return fmt.Errorf("drift: artifact of %s: %w", v.Label, err)
	}
	// Of a failure predictor the booster that looks ahead furthest, of which risk is told.
	one := slices.MaxFunc(b.Boosters, func(a, b *artifact.Booster) int { return a.Horizon - b.Horizon })
	v.manifest = &one.Manifest
	v.seen = observed{machines: map[id.UUID]int{}, missing: make([]int, v.manifest.Features)}
	if v.Type == enum.ModelFaultClassification && v.manifest.Conformal != nil {
		if v.model, err = inference.Activate(b); err != nil {
			return fmt.Errorf("drift: %s: %w", v.Label, err)
		}
		v.top = make([]telemetry.LabelProbability, len(v.manifest.Classes))
	}
	return nil
}

// add takes a prediction with the features that the model saw. One of a label that the
// version does not know is left out, and so is one of features of another length.
func (v *version) add(asset id.UUID, label string, outside bool, x []float32) error {
	k := slices.Index(v.manifest.Classes, label)
	if k < 0 || len(x) != v.manifest.Features {
		return nil
	}
	o := &v.seen
	m, known := o.machines[asset]
	if !known {
		m = len(o.machines)
		o.machines[asset] = m
	}
	o.machine, o.label, o.outside = append(o.machine, m), append(o.label, k), append(o.outside, outside)
	for f, value := range x {
		if math.IsNaN(float64(value)) {
			o.missing[f]++
		}
	}
	if r := v.manifest.Reference; r != nil {
		for f, value := range x {
			o.bins = append(o.bins, uint8(r.Bin(f, value)))
		}
	}
	return nil
}

// rows is the number of predictions taken.
func (o *observed) rows() int { return len(o.machine) }
