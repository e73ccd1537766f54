package resolver

import (
	"context"

	"golang.org/x/sync/errgroup"

	"foresight/ent"
	"foresight/graph/loader"
	"foresight/graph/model"
	"foresight/internal/alarms"
	"foresight/internal/backtest"
	"foresight/internal/bulk"
	"foresight/internal/deploy"
	"foresight/internal/drift"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/training"
)

// nodeKind is how an entity is found by its id, and who may.
type nodeKind struct {
	permission tenancy.Permission
	load       func(ctx context.Context, r *Resolver, of id.UUID) (model.Node, error)
}

var nodeKinds = map[id.Kind]nodeKind{
	id.Tenant: {tenancy.PlantRead, func(ctx context.Context, r *Resolver, of id.UUID) (model.Node, error) {
		if tenancy.Must(ctx).TenantID != of {
			return nil, nil
		}
		return r.Plant.Tenant(ctx)
	}},
	id.User:               {tenancy.UsersRead, by(func(l *loader.Loaders) loadFunc[*ent.User] { return l.User.Load })},
	id.APIKey:             {tenancy.CredentialsRead, by(func(l *loader.Loaders) loadFunc[*ent.APIKey] { return l.APIKey.Load })},
	id.OAuthClient:        {tenancy.CredentialsRead, by(func(l *loader.Loaders) loadFunc[*ent.OAuthClient] { return l.OAuthClient.Load })},
	id.Membership:         {tenancy.UsersRead, by(func(l *loader.Loaders) loadFunc[*ent.Membership] { return l.Membership.Load })},
	id.Invite:             {tenancy.UsersRead, by(func(l *loader.Loaders) loadFunc[*ent.Invite] { return l.Invite.Load })},
	id.Role:               {tenancy.RolesRead, by(func(l *loader.Loaders) loadFunc[*ent.Role] { return l.AccessRole.Load })},
	id.Site:               {tenancy.PlantRead, by(func(l *loader.Loaders) loadFunc[*ent.Site] { return l.Site.Load })},
	id.Gateway:            {tenancy.PlantRead, by(func(l *loader.Loaders) loadFunc[*ent.Gateway] { return l.Gateway.Load })},
	id.Asset:              {tenancy.PlantRead, by(func(l *loader.Loaders) loadFunc[*ent.Asset] { return l.Asset.Load })},
	id.Sensor:             {tenancy.PlantRead, by(func(l *loader.Loaders) loadFunc[*ent.Sensor] { return l.Sensor.Load })},
	id.Parameter:          {tenancy.PlantRead, by(func(l *loader.Loaders) loadFunc[*ent.Parameter] { return l.Parameter.Load })},
	id.FaultType:          {tenancy.PredictionsRead, by(func(l *loader.Loaders) loadFunc[*ent.FaultType] { return l.FaultType.Load })},
	id.MLModel:            {tenancy.ModelsRead, by(func(l *loader.Loaders) loadFunc[*ent.MLModel] { return l.Model.Load })},
	id.MLModelVersion:     {tenancy.ModelsRead, by(func(l *loader.Loaders) loadFunc[*ent.MLModelVersion] { return l.Version.Load })},
	id.MLModelDeployment:  {tenancy.ModelsRead, by(func(l *loader.Loaders) loadFunc[*ent.MLModelDeployment] { return l.Deployment.Load })},
	id.Feedback:           {tenancy.PredictionsRead, by(func(l *loader.Loaders) loadFunc[*ent.Feedback] { return l.Feedback.Load })},
	id.AssetModelVersion:  {tenancy.ModelsRead, by(func(l *loader.Loaders) loadFunc[*ent.AssetModelVersion] { return l.Binding.Load })},
	id.DeploymentRequest:  {tenancy.ModelsRead, by(func(l *loader.Loaders) loadFunc[*deploy.Request] { return l.DeploymentRequest.Load })},
	id.AlarmRule:          {tenancy.RulesRead, by(func(l *loader.Loaders) loadFunc[*ent.AlarmRule] { return l.Rule.Load })},
	id.AlarmEvent:         {tenancy.AlarmsRead, by(func(l *loader.Loaders) loadFunc[*alarms.Event] { return l.Event.Load })},
	id.AuditLog:           {tenancy.AuditRead, by(func(l *loader.Loaders) loadFunc[*ent.AuditLog] { return l.AuditEntry.Load })},
	id.Webhook:            {tenancy.WebhooksRead, by(func(l *loader.Loaders) loadFunc[*ent.Webhook] { return l.Webhook.Load })},
	id.ImportJob:          {tenancy.PlantRead, by(func(l *loader.Loaders) loadFunc[*bulk.Import] { return l.ImportJob.Load })},
	id.ReplayJob:          {tenancy.PlantRead, by(func(l *loader.Loaders) loadFunc[*bulk.Replay] { return l.ReplayJob.Load })},
	id.DriftCheck:         {tenancy.ModelsRead, by(func(l *loader.Loaders) loadFunc[*drift.Checked] { return l.DriftCheck.Load })},
	id.DriftReport:        {tenancy.ModelsRead, by(func(l *loader.Loaders) loadFunc[*ent.DriftReport] { return l.DriftReport.Load })},
	id.RetrainingProposal: {tenancy.ModelsRead, by(func(l *loader.Loaders) loadFunc[*drift.Proposal] { return l.Proposal.Load })},
	id.ScoringJob:         {tenancy.PlantRead, by(func(l *loader.Loaders) loadFunc[*bulk.Scoring] { return l.ScoringJob.Load })},
	id.FailurePrediction:  {tenancy.PredictionsRead, by(func(l *loader.Loaders) loadFunc[*ent.FailurePrediction] { return l.FailurePrediction.Load })},
	id.ExportJob:          {tenancy.PlantRead, by(func(l *loader.Loaders) loadFunc[*bulk.Export] { return l.ExportJob.Load })},
	id.Backtest:           {tenancy.RulesRead, by(func(l *loader.Loaders) loadFunc[*backtest.Backtest] { return l.Backtest.Load })},
	id.TrainingRun:        {tenancy.ModelsRead, by(func(l *loader.Loaders) loadFunc[*training.Run] { return l.TrainingRun.Load })},
	id.Prediction:         {tenancy.PredictionsRead, by(func(l *loader.Loaders) loadFunc[*telemetry.FaultPrediction] { return l.Prediction.Load })},
}

type loadFunc[T any] = func(context.Context, id.UUID) (T, bool, error)

// by loads through a batch of the response.
func by[T any](choose func(*loader.Loaders) loadFunc[T]) func(context.Context, *Resolver, id.UUID) (model.Node, error) {
	return func(ctx context.Context, _ *Resolver, of id.UUID) (model.Node, error) {
		v, found, err := choose(loader.From(ctx))(ctx, of)
		if err != nil || !found {
			return nil, err
		}
		return v, nil
	}
}

// node finds an entity by the kind coded in its id. What the actor may not read
// does not exist.
func (r *Resolver) node(ctx context.Context, of id.UUID) (model.Node, error) {
	if tenancy.From(ctx) == nil {
		return nil, fault.New(fault.Unauthenticated, "error.unauthenticated")
	}
	k, ok := id.KindOf(of)
	if !ok {
		return nil, nil
	}
	n, ok := nodeKinds[k]
	if !ok || !tenancy.From(ctx).Can(n.permission) {
		return nil, nil
	}
	return n.load(ctx, r, of)
}

func (r *Resolver) nodes(ctx context.Context, ids []id.UUID) ([]model.Node, error) {
	if len(ids) > page.Max {
		return nil, fault.Invalid("ids", "error.page.size").With("Max", page.Max)
	}
	out := make([]model.Node, len(ids))
	g, ctx := errgroup.WithContext(ctx) // concurrent, so that the loaders batch
	for i, u := range ids {
		g.Go(func() (err error) {
			out[i], err = r.node(ctx, u)
			return err
		})
	}
	return out, g.Wait()
}
