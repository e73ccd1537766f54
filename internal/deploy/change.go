package deploy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// open is a deployment that has not ended.
type open struct {
	ID      id.UUID
	Version id.UUID
	Stage   enum.BindingStage
	Percent int
	Since   time.Time
}

// state is what is open for a model.
type state []open

// of returns the open deployment of the stage, nil for none.
func (st state) of(stage enum.BindingStage) *open {
	for i := range st {
		if st[i].Stage == stage {
			return &st[i]
		}
	}
	return nil
}

// state reads what is open for the model, in the order of the ids.
func (s *Service) state(ctx context.Context, q querier, model id.UUID) (state, error) {
	rows, err := q.Query(ctx, `SELECT id, model_version_id, stage, traffic_percent, deployment_start FROM ml_model_deployments
		WHERE tenant_id = $1 AND model_id = $2 AND deployment_end IS NULL ORDER BY id`, tenancy.Must(ctx).TenantID, model)
	if err != nil {
		return nil, fmt.Errorf("deploy: open deployments: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[open])
	if err != nil {
		return nil, fmt.Errorf("deploy: open deployments: %w", err)
	}
	return found, nil
}

// change is one transaction on the deployments of a model.
type change struct {
	*Service
	tx    pgx.Tx
	model id.UUID
	state state     // when it began
	at    time.Time // when it happens
	told  []told    // of what it did
}

// change runs f in a transaction that rests on the state: when somebody has changed that
// since it was read, f does not run, and the error is fault.Conflict. Changes of one
// model wait for each other. What f did is told to those who watch after the commit.
func (s *Service) change(ctx context.Context, model id.UUID, rests state, f func(*change) error) error {
	c := &change{Service: s, model: model, state: rests, at: s.now()}
	err := s.tx(ctx, func(tx pgx.Tx) error {
		c.tx, c.told = tx, nil
		if err := s.model(ctx, tx, model, " FOR NO KEY UPDATE"); err != nil {
			return err
		}
		now, err := s.state(ctx, tx, model)
		if err != nil {
			return err
		}
		if !slices.EqualFunc(now, rests, open.equal) {
			return fault.New(fault.Conflict, "error.deploy.changed")
		}
		return f(c)
	})
	if err == nil {
		s.tell(ctx, c.told)
	}
	return err
}

func (o open) equal(p open) bool {
	return o.ID == p.ID && o.Version == p.Version && o.Percent == p.Percent
}

// opening is what is opened.
type opening struct {
	version    id.UUID
	stage      enum.BindingStage
	percent    int
	rolledBack *id.UUID // the version that it takes back
}

// open opens a deployment and returns its id.
func (c *change) open(ctx context.Context, o opening) (id.UUID, error) {
	made := id.New(id.MLModelDeployment)
	_, err := c.tx.Exec(ctx, `INSERT INTO ml_model_deployments (id, tenant_id, model_id, model_version_id, is_production, stage, traffic_percent,
			deployment_start, rollback_from_version_id, deployed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		made, tenancy.Must(ctx).TenantID, c.model, o.version, o.stage == enum.BindingProduction, string(o.stage), o.percent, c.at, o.rolledBack, person(ctx))
	if err != nil {
		return made, fmt.Errorf("deploy: open: %w", err)
	}
	values := audit.Values{"model_id": c.model, "model_version_id": o.version, "stage": o.stage, "traffic_percent": o.percent}
	action := "deploy"
	if o.rolledBack != nil {
		values["rollback_from_version_id"], action = *o.rolledBack, "roll_back"
	}
	changes, err := audit.Diff(nil, values)
	if err != nil {
		return made, err
	}
	if err := audit.Record(ctx, c.tx, audit.Entry{Action: action, Entity: "MLModelDeployment", ID: made, Changes: changes}); err != nil {
		return made, err
	}
	c.told = append(c.told, told{made, Opened})
	return made, c.restage(ctx, c.tx, o.version, enum.StageStaging)
}

// close ends a deployment. Its version falls back to the stage, unless it serves elsewhere.
func (c *change) close(ctx context.Context, o *open, otherwise enum.ModelStage) error {
	if _, err := c.tx.Exec(ctx, `UPDATE ml_model_deployments SET deployment_end = greatest($3, deployment_start)
		WHERE tenant_id = $1 AND id = $2 AND deployment_end IS NULL`, tenancy.Must(ctx).TenantID, o.ID, c.at); err != nil {
		return fmt.Errorf("deploy: end: %w", err)
	}
	changes, err := audit.Diff(nil, audit.Values{"deployment_end": c.at})
	if err != nil {
		return err
	}
	if err := audit.Record(ctx, c.tx, audit.Entry{Action: "end", Entity: "MLModelDeployment", ID: o.ID, Changes: changes}); err != nil {
		return err
	}
	c.told = append(c.told, told{o.ID, Ended})
	return c.restage(ctx, c.tx, o.Version, otherwise)
}

// percent gives a canary or shadow another share of the machines: those that it has stay
// with it as far as the share goes.
func (c *change) percent(ctx context.Context, o *open, percent int) error {
	if _, err := c.tx.Exec(ctx, `UPDATE ml_model_deployments SET traffic_percent = $3 WHERE tenant_id = $1 AND id = $2`,
		tenancy.Must(ctx).TenantID, o.ID, percent); err != nil {
		return fmt.Errorf("deploy: percent: %w", err)
	}
	changes, err := audit.Diff(audit.Values{"traffic_percent": o.Percent}, audit.Values{"traffic_percent": percent})
	if err != nil {
		return err
	}
	c.told = append(c.told, told{o.ID, Changed})
	return audit.Record(ctx, c.tx, audit.Entry{Action: audit.Update, Entity: "MLModelDeployment", ID: o.ID, Changes: changes})
}

// fallsBack is where a version goes whose deployment ends without harm.
func fallsBack(stage enum.BindingStage) enum.ModelStage {
	if stage == enum.BindingProduction {
		return enum.StageArchived
	}
	return enum.StageStaging
}
