// Package modelops is the life of models: what can go wrong (fault types), models
// with their versions, and which version serves. All methods act for the actor of
// the context, check its permission and see only its tenant.
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
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// Service answers for models. It is safe for concurrent use.
type Service struct {
	ent *ent.Client
	own ownFaults
}

// New returns a service on the ORM.
func New(client *ent.Client) *Service { return &Service{ent: client} }

// FaultTypes lists what can go wrong by code, built-in and the tenant's own.
func (s *Service) FaultTypes(ctx context.Context, a page.Args) (page.Page[*ent.FaultType], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.PredictionsRead, a, keyset.ByText(faulttype.FieldCode))
	if err != nil {
		return page.Page[*ent.FaultType]{}, err
	}
	q := s.ent.FaultType.Query()
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.FaultType) page.Key { return keyset.Key(e.Code, e.ID) })
}

// Models lists the models by name.
func (s *Service) Models(ctx context.Context, a page.Args) (page.Page[*ent.MLModel], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.ModelsRead, a, keyset.ByText(mlmodel.FieldName))
	if err != nil {
		return page.Page[*ent.MLModel]{}, err
	}
	q := s.ent.MLModel.Query()
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.MLModel) page.Key { return keyset.Key(e.Name, e.ID) })
}

// Versions lists the versions, the newest first; a nil model does not limit.
func (s *Service) Versions(ctx context.Context, a page.Args, of *id.UUID) (page.Page[*ent.MLModelVersion], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.ModelsRead, a, keyset.Newest(mlmodelversion.FieldCreatedAt))
	if err != nil {
		return page.Page[*ent.MLModelVersion]{}, err
	}
	q := s.ent.MLModelVersion.Query()
	if of != nil {
		q.Where(mlmodelversion.ModelID(*of))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.MLModelVersion) page.Key { return keyset.Key(e.CreatedAt, e.ID) })
}

// Deployments lists the deployments, the newest first; a nil model does not limit.
func (s *Service) Deployments(ctx context.Context, a page.Args, of *id.UUID) (page.Page[*ent.MLModelDeployment], error) {
	w, apply, err := keyset.Begin(ctx, tenancy.ModelsRead, a, keyset.Newest(mlmodeldeployment.FieldDeploymentStart))
	if err != nil {
		return page.Page[*ent.MLModelDeployment]{}, err
	}
	q := s.ent.MLModelDeployment.Query()
	if of != nil {
		q.Where(mlmodeldeployment.ModelID(*of))
	}
	return keyset.Fetch(ctx, w, q.Clone(), q.Where(apply), func(e *ent.MLModelDeployment) page.Key {
		return keyset.Key(e.DeploymentStart, e.ID)
	})
}
