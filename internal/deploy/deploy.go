package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/mlmodeldeployment"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Plan is what is to be deployed.
type Plan struct {
	Version id.UUID
	Stage   enum.BindingStage
	Percent int // of the tenant's machines, 1-100, of canaries and shadows; 0: all
	// Instead is the production deployment that the plan takes for the open one; nil: the
	// one that is open when the plan is looked at.
	Instead *id.UUID
}

// check refuses what no version can be asked for.
func (p *Plan) check() error {
	if p.Percent == 0 {
		p.Percent = 100
	}
	switch {
	case p.Percent < 1 || p.Percent > 100:
		return fault.Invalid("input.percent", "error.range").With("Min", 1).With("Max", 100)
	case p.Stage == enum.BindingProduction && p.Percent != 100:
		return fault.Invalid("input.percent", "error.deploy.share")
	}
	return nil
}

// Deploy lets a version serve the tenant. It takes the place of what is open in its stage,
// and of the version's own deployments in others. In production the version before goes
// to the archive, from which Rollback brings it back.
//
// fault.NotFound: the tenant has no such version. fault.BadInput: it cannot be loaded.
// fault.Conflict: it is archived, or deployed so already, or another change came first.
func (s *Service) Deploy(ctx context.Context, p Plan) (*ent.MLModelDeployment, error) {
	if err := may(ctx, tenancy.ModelsDeploy); err != nil {
		return nil, err
	}
	v, rests, err := s.prepare(ctx, &p)
	if err != nil {
		return nil, err
	}
	return s.deploy(ctx, v, p, rests, nil)
}

// prepare looks whether the plan can be carried out, and on what it then rests.
func (s *Service) prepare(ctx context.Context, p *Plan) (v version, rests state, err error) {
	if err := p.check(); err != nil {
		return v, nil, err
	}
	if v, err = s.version(ctx, s.App, p.Version, ""); err != nil {
		return v, nil, err
	}
	if v.Stage == enum.StageArchived {
		return v, nil, archived(v)
	}
	if rests, err = s.state(ctx, s.App, v.Model); err != nil {
		return v, nil, err
	}
	if p.Instead != nil {
		if now := rests.of(enum.BindingProduction); now == nil || now.ID != *p.Instead {
			return v, nil, fault.New(fault.Conflict, "error.deploy.changed").At("input.expectedDeploymentId")
		}
	}
	for _, o := range rests {
		if o.Version == v.ID && (o.Stage == p.Stage && o.Percent == p.Percent || o.Stage == enum.BindingProduction) {
			return v, nil, fault.New(fault.Conflict, "error.deploy.already").With("Label", v.Label).At("input.modelVersionId")
		}
	}
	return v, rests, s.activate(ctx, v)
}

func archived(v version) error {
	return fault.New(fault.Conflict, "error.deploy.archived").With("Label", v.Label).At("input.modelVersionId")
}

// deploy carries a prepared plan out, with what else belongs into its transaction.
func (s *Service) deploy(ctx context.Context, v version, p Plan, rests state, also func(*change, id.UUID) error) (*ent.MLModelDeployment, error) {
	var made id.UUID
	err := s.change(ctx, v.Model, rests, func(c *change) (err error) {
		if made, err = c.replace(ctx, v.ID, opening{version: v.ID, stage: p.Stage, percent: p.Percent}); err != nil || also == nil {
			return err
		}
		return also(c, made)
	})
	if err != nil {
		return nil, err
	}
	return s.Deployment(ctx, made)
}

// replace opens the deployment in place of what is open in its stage, and of the version's
// own.
func (c *change) replace(ctx context.Context, which id.UUID, o opening) (id.UUID, error) {
	// Since it was looked at somebody may have put it into the archive, or deleted it.
	v, err := c.version(ctx, c.tx, which, " FOR NO KEY UPDATE OF v")
	if err != nil {
		return id.Nil, err
	}
	if v.Stage == enum.StageArchived && o.rolledBack == nil {
		return id.Nil, archived(v)
	}
	for i := range c.state {
		was := &c.state[i]
		if was.Stage != o.stage && was.Version != which {
			continue
		}
		otherwise := fallsBack(was.Stage)
		if o.rolledBack != nil {
			otherwise = enum.StageArchived
		}
		if err := c.close(ctx, was, otherwise); err != nil {
			return id.Nil, err
		}
	}
	return c.open(ctx, o)
}

// End ends a canary or shadow; its version is in staging again. Production ends by
// Deploy and Rollback alone, so that there is always one.
func (s *Service) End(ctx context.Context, deployment id.UUID) (*ent.MLModelDeployment, error) {
	if err := may(ctx, tenancy.ModelsDeploy); err != nil {
		return nil, err
	}
	return s.edit(ctx, deployment, func(c *change, o *open) error {
		if o.Stage == enum.BindingProduction {
			return fault.New(fault.Conflict, "error.deploy.production").At("input.id")
		}
		return c.close(ctx, o, enum.StageStaging)
	})
}

// SetPercent gives a canary or shadow another share of the tenant's machines, 1-100.
func (s *Service) SetPercent(ctx context.Context, deployment id.UUID, percent int) (*ent.MLModelDeployment, error) {
	if err := may(ctx, tenancy.ModelsDeploy); err != nil {
		return nil, err
	}
	if percent < 1 || percent > 100 {
		return nil, fault.Invalid("input.percent", "error.range").With("Min", 1).With("Max", 100)
	}
	return s.edit(ctx, deployment, func(c *change, o *open) error {
		if o.Stage == enum.BindingProduction {
			return fault.Invalid("input.percent", "error.deploy.share")
		}
		if o.Percent == percent {
			return nil
		}
		if err := c.percent(ctx, o, percent); err != nil {
			return err
		}
		return c.byHand(ctx, o, percent)
	})
}

// edit changes an open deployment; one that has ended is fault.Conflict.
func (s *Service) edit(ctx context.Context, which id.UUID, f func(*change, *open) error) (*ent.MLModelDeployment, error) {
	d, err := s.Deployment(ctx, which)
	if err != nil {
		return nil, err
	}
	rests, err := s.state(ctx, s.App, d.ModelID)
	if err != nil {
		return nil, err
	}
	if err := s.change(ctx, d.ModelID, rests, func(c *change) error {
		for i := range c.state {
			if c.state[i].ID == which {
				return f(c, &c.state[i])
			}
		}
		return fault.New(fault.Conflict, "error.deploy.ended").At("input.id")
	}); err != nil {
		return nil, err
	}
	return s.Deployment(ctx, which)
}

// Deployment returns one of the tenant's.
func (s *Service) Deployment(ctx context.Context, which id.UUID) (*ent.MLModelDeployment, error) {
	d, err := s.Ent.MLModelDeployment.Query().Where(mlmodeldeployment.ID(which)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("Deployment")
	}
	if err != nil {
		return nil, fmt.Errorf("deploy: deployment: %w", err)
	}
	return d, nil
}

// Open returns what serves the tenant now: of the model, or of all for none, the newest
// first.
func (s *Service) Open(ctx context.Context, model *id.UUID) ([]*ent.MLModelDeployment, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	q := s.Ent.MLModelDeployment.Query().Where(mlmodeldeployment.DeploymentEndIsNil())
	if model != nil {
		q.Where(mlmodeldeployment.ModelID(*model))
	}
	return q.Order(ent.Desc(mlmodeldeployment.FieldDeploymentStart, mlmodeldeployment.FieldID)).All(ctx)
}

// before is the version that was in production before the deployment, but for those that
// were taken back since.
const before = `SELECT d.model_version_id FROM ml_model_deployments d
	JOIN ml_model_versions v ON v.tenant_id = d.tenant_id AND v.id = d.model_version_id AND NOT v.is_deleted
	WHERE d.tenant_id = $1 AND d.model_id = $2 AND d.is_production AND d.deployment_end IS NOT NULL AND d.model_version_id <> $3
		AND NOT EXISTS (SELECT FROM ml_model_deployments r WHERE r.tenant_id = d.tenant_id AND r.model_id = d.model_id
			AND r.rollback_from_version_id = d.model_version_id AND r.deployment_start >= d.deployment_end)
	ORDER BY d.deployment_end DESC, d.deployment_start DESC, d.id DESC LIMIT 1`

// Rollback takes the production version of a model back: the one before it serves again,
// and what is taken back goes to the archive. A second time it goes back one further.
// fault.Conflict: there is none before, or another change came first.
func (s *Service) Rollback(ctx context.Context, model id.UUID) (*ent.MLModelDeployment, error) {
	if err := may(ctx, tenancy.ModelsDeploy); err != nil {
		return nil, err
	}
	if err := s.model(ctx, s.App, model, ""); err != nil {
		return nil, err
	}
	rests, err := s.state(ctx, s.App, model)
	if err != nil {
		return nil, err
	}
	return s.rollback(ctx, model, rests, nil)
}

func (s *Service) rollback(ctx context.Context, model id.UUID, rests state, also func(*change, id.UUID) error) (*ent.MLModelDeployment, error) {
	none := fault.New(fault.Conflict, "error.deploy.noPrevious").At("input.modelId")
	now := rests.of(enum.BindingProduction)
	if now == nil {
		return nil, none
	}
	var previous id.UUID
	err := s.App.QueryRow(ctx, before, tenancy.Must(ctx).TenantID, model, now.Version).Scan(&previous)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, none
	}
	if err != nil {
		return nil, fmt.Errorf("deploy: previous version: %w", err)
	}
	v, err := s.version(ctx, s.App, previous, "")
	if err != nil {
		return nil, err
	}
	if err := s.activate(ctx, v); err != nil {
		return nil, err
	}
	var made id.UUID
	if err := s.change(ctx, model, rests, func(c *change) (err error) {
		if made, err = c.replace(ctx, previous, opening{version: previous, stage: enum.BindingProduction, percent: 100, rolledBack: &now.Version}); err != nil || also == nil {
			return err
		}
		return also(c, made)
	}); err != nil {
		return nil, err
	}
	return s.Deployment(ctx, made)
}
