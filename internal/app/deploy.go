package app

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/inference"
	"foresight/internal/access"
	"foresight/internal/deploy"
	"foresight/internal/jobs"
	"foresight/internal/mail"
	"foresight/internal/modelops"
	"foresight/internal/tenancy"
)

// openDeployments opens what decides which version serves whom.
func (a *App) openDeployments(queue *jobs.Queue) {
	a.deploys = deploy.New(deploy.Options{App: a.db.app, Ent: a.db.ent, Queue: queue, Store: a.took.Wrap(a.store()), Gate: loading{a.models.registry},
		Events: a.bus.hub, Letters: deployLetters{a}, Log: a.log})
}

// deployLetters are written by the post of the process, which is opened later.
type deployLetters struct{ a *App }

// lettersOf are what notices of deployments are written as.
var lettersOf = map[deploy.NoticeKind]mail.Kind{
	deploy.Asked: mail.DeployAsked, deploy.Promoted: mail.DeployPromoted, deploy.RolledBack: mail.DeployRolledBack,
	deploy.AdvisedPromote: mail.DeployAdvisedPromote, deploy.AdvisedRollback: mail.DeployAdvisedRollback,
}

// Deployment implements deploy.Letters.
func (l deployLetters) Deployment(ctx context.Context, tx pgx.Tx, n deploy.Notice) error {
	return l.a.letters.OfModel(ctx, tx, access.ModelNews{Kind: lettersOf[n.Kind], Needs: tenancy.ModelsDeploy, Version: n.Label, Percent: n.Percent, But: n.Behind})
}

// workDeployments adds the evaluations of deployments to the jobs that the runner works.
func (a *App) workDeployments(ctx context.Context) error {
	return a.start(ctx, deploy.NewSchedule(a.deploys, a.db.worker, deploy.ScheduleOptions{}))
}

// loading loads versions as they are loaded to serve.
type loading struct{ registry *inference.Registry }

// Activate implements deploy.Gate.
func (l loading) Activate(ctx context.Context, t enum.ModelType, v deploy.Artifact) error {
	kind, ok := modelops.Kinds[t]
	if !ok {
		return fmt.Errorf("app: models of type %s do not serve", t)
	}
	_, err := l.registry.Model(ctx, kind, inference.Version{ID: v.Version, Tenant: tenancy.Must(ctx).TenantID, Label: v.Label, Artifact: v.Hash})
	return err
}
