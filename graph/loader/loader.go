// Package loader batches the look-ups that the fields of one response make, so
// that a list of n items costs one statement per kind of thing and not n. Loaders
// live for one response; each event of a subscription gets fresh ones.
package loader

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vikstrous/dataloadgen"

	"foresight/ent"
	"foresight/ent/mixin"
	"foresight/internal/access"
	"foresight/internal/alarms"
	"foresight/internal/audit/trail"
	"foresight/internal/auth"
	"foresight/internal/backtest"
	"foresight/internal/bulk"
	"foresight/internal/deploy"
	"foresight/internal/drift"
	"foresight/internal/explanation"
	"foresight/internal/health"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/modelops"
	"foresight/internal/plant"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
	"foresight/internal/training"
	"foresight/internal/webhook"
)

// collect is how long a batch is collected: gqlgen resolves the items of a list
// concurrently, so that the others come within it. On a busy machine some come later
// and make another batch: more statements, but no other answer.
const collect = 500 * time.Microsecond

// recent bounds how far back the latest prediction of an asset is looked for.
const recent = 7 * 24 * time.Hour

// Sources is where the loaders read.
type Sources struct {
	Access *access.Service
	Plant  *plant.Service
	Models *modelops.Service
	// Registry makes versions, Lives tells what they do where they serve, Feedback what
	// people say of it.
	Registry *modelops.Versions
	Lives    *modelops.Lives
	Feedback *modelops.Feedback
	Alarms   *alarms.Service
	Rules    *alarms.RuleService
	// Credentials are those of machines.
	Credentials *auth.Credentials
	Store       telemetry.Store
	// Trail is the audit log, Webhooks the addresses that are told of events.
	Trail    *trail.Service
	Webhooks *webhook.Service
	// Bulk are imports, exports and replays.
	Bulk *bulk.Service
	// Explanations say why models answered as they did.
	Explanations *explanation.Service
	// Health are daily features, failure predictions and the health of machines.
	Health *health.Service
	// Drift compares what models meet with what they were trained on.
	Drift *drift.Service
	// Backtests judge the past.
	Backtests *backtest.Service
	// Training makes versions.
	Training *training.Service
	// Deployments say which version serves whom.
	Deployments *deploy.Service
	// Collect is how long a batch is collected; 500 µs when zero.
	Collect time.Duration
}

// Loaders are the batches of one response.
type Loaders struct {
	Site              *One[*ent.Site]
	SiteEver          *One[*ent.Site] // deleted ones, too: history still names them
	AssetEver         *One[*ent.Asset]
	SensorEver        *One[*ent.Sensor]
	VersionEver       *One[*ent.MLModelVersion]
	Gateway           *One[*ent.Gateway]
	Asset             *One[*ent.Asset]
	Sensor            *One[*ent.Sensor]
	Parameter         *One[*ent.Parameter]
	User              *One[*ent.User]
	APIKey            *One[*ent.APIKey]
	OAuthClient       *One[*ent.OAuthClient]
	FaultType         *One[*ent.FaultType]
	Model             *One[*ent.MLModel]
	Version           *One[*ent.MLModelVersion]
	Deployment        *One[*ent.MLModelDeployment]
	Binding           *One[*ent.AssetModelVersion]
	DeploymentRequest *One[*deploy.Request]
	Feedback          *One[*ent.Feedback]
	Rule              *One[*ent.AlarmRule]
	Event             *One[*alarms.Event]
	AuditEntry        *One[*ent.AuditLog]
	Webhook           *One[*ent.Webhook]
	Prediction        *One[*telemetry.FaultPrediction]
	Explanation       *One[explanation.OfAlarm]        // of an alarm
	Latest            *One[*telemetry.FaultPrediction] // of an asset
	SensorState       *One[plant.SensorState]
	GatewayState      *One[plant.GatewayState]
	AssetSeen         *One[time.Time]
	Health            *One[*plant.Health] // the newest of an asset
	ImportJob         *One[*bulk.Import]
	ExportJob         *One[*bulk.Export]
	ReplayJob         *One[*bulk.Replay]
	ScoringJob        *One[*bulk.Scoring]
	DriftCheck        *One[*drift.Checked]
	DriftReport       *One[*ent.DriftReport]
	Proposal          *One[*drift.Proposal]
	Automatic         *One[bool] // of a model: whether drift has it trained anew
	Backtest          *One[*backtest.Backtest]
	TrainingRun       *One[*training.Run]
	Weekly            *One[*training.Weekly] // of a model
	// Forecast is the newest failure prediction of an asset.
	Forecast          *One[*ent.FailurePrediction]
	FailurePrediction *One[*ent.FailurePrediction]
	AssetLoad         *One[plant.AlarmLoad]
	SiteLoad          *One[plant.AlarmLoad]
	AssetCount        *One[int]
	Sensors           *One[[]*ent.Sensor] // of an asset
	Versions          *One[[]*ent.MLModelVersion]
	Transitions       *One[[]alarms.Transition]

	AccessRole      *One[*ent.Role]
	Membership      *One[*ent.Membership]
	Invite          *One[*ent.Invite]
	RolePermissions *One[[]string]        // of a role
	Assignments     *One[[]*ent.UserRole] // of a member
}

// One loads values by id.
type One[T any] struct {
	l *dataloadgen.Loader[id.UUID, T]
}

// Load returns the value of the id, and false when there is none.
func (o *One[T]) Load(ctx context.Context, of id.UUID) (T, bool, error) {
	v, err := o.l.Load(ctx, of)
	if errors.Is(err, dataloadgen.ErrNotFound) {
		return v, false, nil
	}
	return v, err == nil, err
}

func one[T any](wait time.Duration, fetch func(context.Context, []id.UUID) (map[id.UUID]T, error)) *One[T] {
	return &One[T]{dataloadgen.NewMappedLoader(fetch, dataloadgen.WithWait(wait), dataloadgen.WithBatchCapacity(1000))}
}

// byID turns a look-up that answers in no order into one by id.
func byID[T any](find func(context.Context, []id.UUID) ([]T, error), key func(T) id.UUID) func(context.Context, []id.UUID) (map[id.UUID]T, error) {
	return func(ctx context.Context, ids []id.UUID) (map[id.UUID]T, error) {
		rows, err := find(ctx, ids)
		return keyset.ByID(rows, err, key)
	}
}

// ever finds deleted rows, too.
func ever[T any](find func(context.Context, []id.UUID) (map[id.UUID]T, error)) func(context.Context, []id.UUID) (map[id.UUID]T, error) {
	return func(ctx context.Context, ids []id.UUID) (map[id.UUID]T, error) {
		return find(mixin.WithDeleted(ctx), ids)
	}
}

// New returns empty batches.
func New(s Sources) *Loaders {
	wait := s.Collect
	if wait <= 0 {
		wait = collect
	}
	return &Loaders{
		Site: one(wait, s.Plant.SitesByID), Gateway: one(wait, s.Plant.GatewaysByID), Asset: one(wait, s.Plant.AssetsByID),
		SiteEver: one(wait, ever(s.Plant.SitesByID)), AssetEver: one(wait, ever(s.Plant.AssetsByID)), SensorEver: one(wait, ever(s.Plant.SensorsByID)),
		Sensor: one(wait, s.Plant.SensorsByID), Parameter: one(wait, s.Plant.ParametersByID), User: one(wait, s.Plant.UsersByID),
		APIKey: one(wait, s.Credentials.APIKeysByID), OAuthClient: one(wait, s.Credentials.ClientsByID),
		FaultType: one(wait, s.Models.FaultTypesByID), Model: one(wait, s.Models.ModelsByID),
		Version: one(wait, s.Models.VersionsByID), VersionEver: one(wait, ever(s.Models.VersionsByID)), Deployment: one(wait, s.Models.DeploymentsByID), Feedback: one(wait, s.Feedback.ByID),
		Binding: one(wait, s.Deployments.BindingsByID), DeploymentRequest: one(wait, s.Deployments.RequestsByID),
		Rule:       one(wait, byID(s.Rules.ByID, func(e *ent.AlarmRule) id.UUID { return e.ID })),
		Event:      one(wait, byID(s.Alarms.EventsByID, func(e *alarms.Event) id.UUID { return e.ID })),
		AuditEntry: one(wait, s.Trail.ByID), Webhook: one(wait, s.Webhooks.ByID),
		Prediction: one(wait, func(ctx context.Context, ids []id.UUID) (map[id.UUID]*telemetry.FaultPrediction, error) {
			return visible(ctx)(s.Store.PredictionsByID(ctx, tenancy.Must(ctx).TenantID, ids))
		}),
		Latest: one(wait, func(ctx context.Context, assets []id.UUID) (map[id.UUID]*telemetry.FaultPrediction, error) {
			return visible(ctx)(s.Store.LatestPredictions(ctx, tenancy.Must(ctx).TenantID, assets, time.Now().Add(-recent)))
		}),
		Explanation: one(wait, s.Explanations.OfAlarms),
		SensorState: one(wait, s.Plant.SensorStates), GatewayState: one(wait, s.Plant.GatewayStates), AssetSeen: one(wait, s.Plant.LastSeenOfAssets),
		Health: one(wait, s.Plant.HealthOfAssets), AssetLoad: one(wait, s.Plant.AlarmLoadOfAssets), SiteLoad: one(wait, s.Plant.AlarmLoadOfSites), AssetCount: one(wait, s.Plant.AssetCounts),
		Sensors: one(wait, s.Plant.SensorsOf), Versions: one(wait, s.Models.VersionsOf), Transitions: one(wait, s.Alarms.Transitions),
		ImportJob: one(wait, s.Bulk.ImportsByID), ExportJob: one(wait, s.Bulk.ExportsByID), ReplayJob: one(wait, s.Bulk.ReplaysByID), Backtest: one(wait, s.Backtests.ByID),
		TrainingRun: one(wait, s.Training.ByID), Weekly: one(wait, s.Training.WeekliesOf),
		DriftCheck: one(wait, s.Drift.ChecksByID), DriftReport: one(wait, s.Drift.ReportsByID), Proposal: one(wait, s.Drift.ProposalsByID), Automatic: one(wait, s.Drift.Automatic),
		ScoringJob: one(wait, s.Bulk.ScoringsByID), Forecast: one(wait, s.Health.NewestOf), FailurePrediction: one(wait, s.Health.PredictionsByID),
		AccessRole: one(wait, s.Access.RolesByID), Membership: one(wait, s.Access.MembershipsByID), Invite: one(wait, s.Access.InvitesByID),
		RolePermissions: one(wait, s.Access.PermissionsOf), Assignments: one(wait, s.Access.AssignmentsOf),
	}
}

// visible keeps the predictions that lie on the actor's sites: the store knows none.
func visible(ctx context.Context) func(map[id.UUID]telemetry.FaultPrediction, error) (map[id.UUID]*telemetry.FaultPrediction, error) {
	sites := tenancy.Must(ctx).SiteIDs
	return func(found map[id.UUID]telemetry.FaultPrediction, err error) (map[id.UUID]*telemetry.FaultPrediction, error) {
		out := make(map[id.UUID]*telemetry.FaultPrediction, len(found))
		for k, p := range found {
			if len(sites) == 0 || slices.Contains(sites, p.Site) {
				out[k] = &p
			}
		}
		return out, err
	}
}

type key struct{}

// From returns the loaders of the response. It panics when there are none: the
// extension is missing.
func From(ctx context.Context) *Loaders { return ctx.Value(key{}).(*Loaders) }

// With puts fresh loaders into the context.
func With(ctx context.Context, s Sources) context.Context {
	return context.WithValue(ctx, key{}, New(s))
}

// Extension gives every response its loaders.
func Extension(s Sources) graphql.ResponseMiddleware {
	return func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		return next(With(ctx, s))
	}
}
