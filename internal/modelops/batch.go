package modelops

import (
	"context"

	"foresight/ent"
	"foresight/ent/faulttype"
	"foresight/ent/mlmodel"
	"foresight/ent/mlmodeldeployment"
	"foresight/ent/mlmodelversion"
	"foresight/internal/id"
	"foresight/internal/keyset"
)

// FaultTypesByID loads fault types in one statement; ids that are not there are absent.
func (s *Service) FaultTypesByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.FaultType, error) {
	rows, err := s.ent.FaultType.Query().Where(faulttype.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.FaultType) id.UUID { return e.ID })
}

// ModelsByID loads models in one statement.
func (s *Service) ModelsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.MLModel, error) {
	rows, err := s.ent.MLModel.Query().Where(mlmodel.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.MLModel) id.UUID { return e.ID })
}

// VersionsByID loads versions in one statement.
func (s *Service) VersionsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.MLModelVersion, error) {
	rows, err := s.ent.MLModelVersion.Query().Where(mlmodelversion.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.MLModelVersion) id.UUID { return e.ID })
}

// DeploymentsByID loads deployments in one statement.
func (s *Service) DeploymentsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*ent.MLModelDeployment, error) {
	rows, err := s.ent.MLModelDeployment.Query().Where(mlmodeldeployment.IDIn(ids...)).All(ctx)
	return keyset.ByID(rows, err, func(e *ent.MLModelDeployment) id.UUID { return e.ID })
}

// VersionsOf loads the versions of models, the newest first.
func (s *Service) VersionsOf(ctx context.Context, models []id.UUID) (map[id.UUID][]*ent.MLModelVersion, error) {
	rows, err := s.ent.MLModelVersion.Query().Where(mlmodelversion.ModelIDIn(models...)).
		Order(ent.Desc(mlmodelversion.FieldCreatedAt, mlmodelversion.FieldID)).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[id.UUID][]*ent.MLModelVersion, len(models))
	for _, r := range rows {
		out[r.ModelID] = append(out[r.ModelID], r)
	}
	return out, nil
}
