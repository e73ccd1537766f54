package resolver

import (
	"context"
	"maps"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"foresight/internal/fault"
	"foresight/internal/tenancy"
)

// public marks operations that need no credential.
const public tenancy.Permission = ""

// anyone marks operations that need a credential and judge by themselves.
const anyone tenancy.Permission = "*"

// operations maps every query, mutation and subscription to its permission. What
// is not here cannot be asked; a test compares it with the schema.
var operations = map[string]tenancy.Permission{
	"Query.node":             anyone,
	"Query.nodes":            anyone,
	"Query.me":               public,
	"Query.tenant":           tenancy.PlantRead,
	"Query.users":            tenancy.UsersRead,
	"Query.apiKeys":          tenancy.CredentialsRead,
	"Query.oauthClients":     tenancy.CredentialsRead,
	"Query.sessions":         anyone, // one's own; others' need more
	"Query.sites":            tenancy.PlantRead,
	"Query.gateways":         tenancy.PlantRead,
	"Query.assets":           tenancy.PlantRead,
	"Query.asset":            tenancy.PlantRead,
	"Query.sensors":          tenancy.PlantRead,
	"Query.parameters":       tenancy.PlantRead,
	"Query.assetTree":        tenancy.PlantRead,
	"Query.dashboard":        tenancy.PlantRead,
	"Query.latestReadings":   tenancy.TelemetryRead,
	"Query.telemetry":        tenancy.TelemetryRead,
	"Query.series":           tenancy.TelemetryRead,
	"Query.rejectedReadings": tenancy.TelemetryRead,
	"Query.ingestionStats":   tenancy.TelemetryRead,
	"Query.faultTypes":       tenancy.PredictionsRead,
	"Query.predictions":      tenancy.PredictionsRead,
	"Query.models":           tenancy.ModelsRead,
	"Query.modelVersions":    tenancy.ModelsRead,
	"Query.deployments":      tenancy.ModelsRead,
	"Query.versionStats":     tenancy.ModelsRead, // and to read predictions
	"Query.compareVersions":  tenancy.ModelsRead,
	"Query.feedback":         tenancy.PredictionsRead,
	"Query.feedbackStats":    tenancy.PredictionsRead,
	"Query.alarmRules":       tenancy.RulesRead,
	"Query.alarmEvents":      tenancy.AlarmsRead,
	"Query.auditLog":         tenancy.AuditRead,
	"Query.webhooks":         tenancy.WebhooksRead,
	"Query.rateLimit":        anyone,
	"Query.systemStatus":     anyone,
	"Query.jobs":             tenancy.PlantRead,
	"Query.backtest":         tenancy.RulesRead,
	"Query.backtests":        tenancy.RulesRead,
	"Query.backtestAlarms":   tenancy.AlarmsRead, // and to read the backtest

	"Query.backtestPredictions": tenancy.PredictionsRead, // the same

	"Query.explainPrediction": tenancy.PredictionsRead,
	"Mutation.predictFault":   tenancy.PredictionsRead, // keeps nothing

	"Query.memberships": tenancy.UsersRead,
	"Query.invites":     tenancy.UsersRead,
	"Query.roles":       tenancy.RolesRead,
	"Query.permissions": tenancy.RolesRead,
	"Query.tenants":     tenancy.TenantWrite, // and only for operators of the installation

	"Mutation.register":             public,
	"Mutation.acceptInvite":         public,
	"Mutation.requestPasswordReset": public,
	"Mutation.resetPassword":        public,
	"Mutation.changePassword":       anyone,
	"Mutation.updateMySettings":     anyone,
	"Mutation.setFaultActions":      anyone,
	"Mutation.createUser":           tenancy.UsersWrite,
	"Mutation.updateUser":           tenancy.UsersWrite,
	"Mutation.deactivateUser":       tenancy.UsersWrite,
	"Mutation.inviteUser":           tenancy.UsersWrite,
	"Mutation.withdrawInvite":       tenancy.UsersWrite,
	"Mutation.addMembership":        tenancy.UsersWrite,
	"Mutation.updateMembership":     tenancy.UsersWrite,
	"Mutation.removeMembership":     tenancy.UsersWrite,
	"Mutation.createRole":           tenancy.RolesWrite,
	"Mutation.updateRole":           tenancy.RolesWrite,
	"Mutation.deleteRole":           tenancy.RolesWrite,
	"Mutation.assignRole":           tenancy.RolesWrite,
	"Mutation.unassignRole":         tenancy.RolesWrite,
	"Mutation.updateTenant":         tenancy.TenantWrite,
	"Mutation.createTenant":         tenancy.TenantWrite, // and only for operators of the installation
	"Mutation.deactivateTenant":     tenancy.TenantWrite, // the same

	"Mutation.login":                    public,
	"Mutation.refreshToken":             public,
	"Mutation.logout":                   public,
	"Mutation.switchTenant":             anyone, // with the refresh token
	"Mutation.revokeSession":            anyone, // one's own; others' need more
	"Mutation.revokeAllSessions":        anyone,
	"Mutation.createApiKey":             tenancy.CredentialsWrite,
	"Mutation.revokeApiKey":             tenancy.CredentialsWrite,
	"Mutation.createOAuthClient":        tenancy.CredentialsWrite,
	"Mutation.rotateOAuthClientSecret":  tenancy.CredentialsWrite,
	"Mutation.deactivateOAuthClient":    tenancy.CredentialsWrite,
	"Mutation.ingestReadings":           tenancy.TelemetryWrite,
	"Mutation.uploadAssetImage":         tenancy.PlantWrite,
	"Mutation.deleteAssetImage":         tenancy.PlantWrite,
	"Mutation.createAsset":              tenancy.PlantWrite,
	"Mutation.updateAsset":              tenancy.PlantWrite,
	"Mutation.deleteAsset":              tenancy.PlantWrite,
	"Mutation.issueGatewayCredentials":  tenancy.PlantWrite,
	"Mutation.revokeGatewayCredentials": tenancy.PlantWrite,
	"Mutation.createSite":               tenancy.PlantWrite,
	"Mutation.updateSite":               tenancy.PlantWrite,
	"Mutation.deleteSite":               tenancy.PlantWrite,
	"Mutation.createGateway":            tenancy.PlantWrite,
	"Mutation.updateGateway":            tenancy.PlantWrite,
	"Mutation.deleteGateway":            tenancy.PlantWrite,
	"Mutation.createSensor":             tenancy.PlantWrite,
	"Mutation.updateSensor":             tenancy.PlantWrite,
	"Mutation.deleteSensor":             tenancy.PlantWrite,
	"Mutation.createParameter":          tenancy.PlantWrite,
	"Mutation.updateParameter":          tenancy.PlantWrite,
	"Mutation.deleteParameter":          tenancy.PlantWrite,
	"Mutation.createAlarmRule":          tenancy.RulesWrite,
	"Mutation.updateAlarmRule":          tenancy.RulesWrite,
	"Mutation.deleteAlarmRule":          tenancy.RulesWrite,
	"Mutation.restoreAlarmRule":         tenancy.RulesWrite,
	"Mutation.acknowledgeAlarm":         tenancy.AlarmsAct,
	"Mutation.clearAlarm":               tenancy.AlarmsAct,
	"Mutation.resolveAlarm":             tenancy.AlarmsAct,
	"Mutation.createWebhook":            tenancy.WebhooksWrite,
	"Mutation.updateWebhook":            tenancy.WebhooksWrite,
	"Mutation.deleteWebhook":            tenancy.WebhooksWrite,
	"Mutation.testWebhook":              tenancy.WebhooksWrite,
	"Mutation.importAssets":             tenancy.PlantWrite,
	"Mutation.export":                   anyone, // with the permission of what is exported
	"Mutation.replay":                   tenancy.TelemetryWrite,
	"Mutation.startBacktest":            tenancy.RulesWrite, // and to read what it judges, and by what
	"Mutation.cancelBacktest":           tenancy.RulesWrite,

	"Mutation.createModel":        tenancy.ModelsWrite,
	"Mutation.uploadModelVersion": tenancy.ModelsWrite,
	"Mutation.archiveVersion":     tenancy.ModelsWrite,
	"Mutation.deleteVersion":      tenancy.ModelsWrite,
	"Mutation.createFaultType":    tenancy.ModelsWrite,
	"Mutation.submitFeedback":     tenancy.PredictionsWrite,

	"Subscription.gatewayStatus": tenancy.PlantRead,
	"Subscription.telemetry":     tenancy.TelemetryRead,
	"Subscription.predictions":   tenancy.PredictionsRead,
	"Subscription.alarms":        tenancy.AlarmsRead,

	"Query.driftReports":         tenancy.ModelsRead,
	"Query.retrainingProposals":  tenancy.ModelsRead,
	"Mutation.checkDrift":        tenancy.ModelsWrite,
	"Mutation.acceptRetraining":  tenancy.ModelsWrite, // and what training needs
	"Mutation.dismissRetraining": tenancy.ModelsWrite,
	"Mutation.setDriftPolicy":    tenancy.ModelsWrite,

	"Query.failurePrediction":         tenancy.PredictionsRead,
	"Query.failurePredictions":        tenancy.PredictionsRead,
	"Query.dailyFeatures":             tenancy.PredictionsRead,
	"Mutation.predictFailure":         tenancy.PredictionsRead, // keeps nothing
	"Subscription.failurePredictions": tenancy.PredictionsRead,
	"Subscription.assetHealth":        tenancy.PredictionsRead,

	"Query.assetModelBindings":      tenancy.ModelsRead,
	"Query.deploymentRequests":      tenancy.ModelsRead,
	"Query.deploymentDecisions":     tenancy.ModelsRead,
	"Query.deploymentPolicy":        tenancy.ModelsRead,
	"Query.deploymentComparison":    tenancy.ModelsRead, // and to read predictions
	"Mutation.deployVersion":        tenancy.ModelsDeploy,
	"Mutation.setDeploymentPercent": tenancy.ModelsDeploy,
	"Mutation.endDeployment":        tenancy.ModelsDeploy,
	"Mutation.rollback":             tenancy.ModelsDeploy,
	"Mutation.bindAsset":            tenancy.ModelsDeploy,
	"Mutation.unbindAsset":          tenancy.ModelsDeploy,
	"Mutation.requestDeployment":    tenancy.ModelsWrite,
	"Mutation.approveDeployment":    tenancy.ModelsDeploy,
	"Mutation.rejectDeployment":     tenancy.ModelsDeploy,
	"Mutation.setDeploymentPolicy":  tenancy.ModelsDeploy,
	"Subscription.deployments":      tenancy.ModelsRead,

	"Subscription.importProgress": tenancy.PlantRead,
	"Subscription.exportProgress": tenancy.PlantRead, // and what is exported
	"Subscription.replayProgress": tenancy.PlantRead,

	"Subscription.backtestProgress": tenancy.RulesRead,

	"Query.trainingRun":             tenancy.ModelsRead,
	"Query.trainingRuns":            tenancy.ModelsRead,
	"Mutation.startTraining":        tenancy.ModelsWrite, // and to read what it learns from, in the whole tenant
	"Mutation.cancelTraining":       tenancy.ModelsWrite,
	"Mutation.setTrainingSchedule":  tenancy.ModelsWrite,
	"Subscription.trainingProgress": tenancy.ModelsRead,
}

// types maps object types that may be reached through edges to what reading them
// needs, so that a credential for alarms does not read the plant through them.
var types = map[string]tenancy.Permission{
	"AssetTree": tenancy.PlantRead, "AssetTreeSite": tenancy.PlantRead, "AssetTreeNode": tenancy.PlantRead,
	"Site": tenancy.PlantRead, "Gateway": tenancy.PlantRead, "Asset": tenancy.PlantRead, "Sensor": tenancy.PlantRead,
	"ImportJob": tenancy.PlantRead, "ImportCounts": tenancy.PlantRead, "ImportMistake": tenancy.PlantRead, "ImportProgress": tenancy.PlantRead,
	"ExportJob": tenancy.PlantRead, "ExportProgress": tenancy.PlantRead, // beside what is exported
	"ReplayJob": tenancy.PlantRead, "ReplayRejection": tenancy.PlantRead, "ReplayProgress": tenancy.PlantRead,
	"Backtest": tenancy.RulesRead, "BacktestRule": tenancy.RulesRead, "BacktestProgress": tenancy.RulesRead,
	"BacktestAlarm": tenancy.AlarmsRead, "BacktestComparison": tenancy.AlarmsRead,
	"BacktestPrediction": tenancy.PredictionsRead, "BacktestAgreement": tenancy.PredictionsRead,
	"TrainingRun": tenancy.ModelsRead, "TrainingProgress": tenancy.ModelsRead, "TrainingSchedule": tenancy.ModelsRead,
	"IngestionStats": tenancy.TelemetryRead, "IngestionMinute": tenancy.TelemetryRead, "RejectionCount": tenancy.TelemetryRead,
	"FailurePrediction": tenancy.PredictionsRead, "FailureEstimate": tenancy.PredictionsRead, "DailyFeatures": tenancy.PredictionsRead,
	"ScoringJob":  tenancy.PlantRead,
	"DriftReport": tenancy.ModelsRead, "DriftCheck": tenancy.ModelsRead, "RetrainingProposal": tenancy.ModelsRead,
	"SeriesSet": tenancy.TelemetryRead, "Series": tenancy.TelemetryRead,
	"Reading": tenancy.TelemetryRead, "FaultPrediction": tenancy.PredictionsRead, "FaultType": tenancy.PredictionsRead, "Explanation": tenancy.PredictionsRead, "FaultEstimate": tenancy.PredictionsRead,
	"Model": tenancy.ModelsRead, "ModelVersion": tenancy.ModelsRead, "Deployment": tenancy.ModelsRead,
	"AssetModelBinding": tenancy.ModelsRead, "DeploymentRequest": tenancy.ModelsRead, "DeploymentPolicy": tenancy.ModelsRead, "DeploymentDecision": tenancy.ModelsRead,
	"DeploymentReason": tenancy.ModelsRead, "DeploymentMeasures": tenancy.ModelsRead,
	"DeploymentComparison": tenancy.PredictionsRead, "ComparedVersion": tenancy.PredictionsRead, "ComparedLabel": tenancy.PredictionsRead,
	"ShadowAgreement": tenancy.PredictionsRead, "ShadowDisagreement": tenancy.PredictionsRead, "VersionComparison": tenancy.ModelsRead, "ModelCard": tenancy.ModelsRead, "ModelBooster": tenancy.ModelsRead, "MetricComparison": tenancy.ModelsRead,
	"TrainedBooster": tenancy.ModelsRead, "TrainedClass": tenancy.ModelsRead, "TrainedBin": tenancy.ModelsRead, "TrainingMetrics": tenancy.ModelsRead, "TrainingParameters": tenancy.ModelsRead, "TrainingRows": tenancy.ModelsRead, "LabelSetCoverage": tenancy.ModelsRead, "FeatureImportance": tenancy.ModelsRead, "FeatureDrift": tenancy.ModelsRead, "LabelShare": tenancy.ModelsRead,
	"VersionCount": tenancy.PredictionsRead, "Feedback": tenancy.PredictionsRead, "FeedbackStats": tenancy.PredictionsRead,
	"ApiKey": tenancy.CredentialsRead, "OAuthClient": tenancy.CredentialsRead,
	"AlarmRule": tenancy.RulesRead, "AlarmEvent": tenancy.AlarmsRead,
	"AuditEntry": tenancy.AuditRead, "Webhook": tenancy.WebhooksRead,
	"Membership": tenancy.UsersRead, "Invite": tenancy.UsersRead,
	"AccessRole": tenancy.RolesRead, "Permission": tenancy.RolesRead, "RoleAssignment": tenancy.RolesRead,
	"Dashboard": tenancy.AlarmsRead, // beside the plant, which the operation needs
}

// fields maps fields that need more than the object they are of. History names
// people to everybody; the rest of a person is for those who read people, and for
// that person (self).
var fields = map[string]tenancy.Permission{
	"AssetTreeSite.activeAlarmCount": tenancy.AlarmsRead, "AssetTreeSite.worstSeverity": tenancy.AlarmsRead,
	"AssetTreeNode.activeAlarmCount": tenancy.AlarmsRead, "AssetTreeNode.worstSeverity": tenancy.AlarmsRead,
	"Asset.activeAlarmCount": tenancy.AlarmsRead, "Asset.worstSeverity": tenancy.AlarmsRead, "Site.activeAlarmCount": tenancy.AlarmsRead,
	"AlarmEvent.explanation": tenancy.PredictionsRead, "AlarmEvent.explanationStatus": tenancy.PredictionsRead,
	"User.username": tenancy.UsersRead, "User.email": tenancy.UsersRead, "User.role": tenancy.UsersRead,
	"User.locale": tenancy.UsersRead, "User.lastLoginAt": tenancy.UsersRead, "User.isActive": tenancy.UsersRead,
	"User.status": tenancy.UsersRead, "User.createdAt": tenancy.UsersRead, "User.version": tenancy.UsersRead,
}

// Tables returns copies of the three tables, for tests that hold the running product
// to them. The empty permission needs no credential, "*" any.
func Tables() (ofOperations, ofTypes, ofFields map[string]tenancy.Permission) {
	return maps.Clone(operations), maps.Clone(types), maps.Clone(fields)
}

// self is the field that leads to the person who asks.
const self = "Viewer.user"

// Permissions is the gate in front of execution: it walks the operation and
// refuses it when the actor lacks a permission for one of its fields. Services
// check again.
type Permissions struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
	graphql.OperationInterceptor
} = Permissions{}

// ExtensionName implements graphql.HandlerExtension.
func (Permissions) ExtensionName() string { return "Permissions" }

// Validate implements graphql.HandlerExtension.
func (Permissions) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (Permissions) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	g := gate{ctx: ctx, seen: map[visit]bool{}, needed: tenancy.Set{}}
	err := g.check(oc.Operation.SelectionSet, false)
	if err == nil {
		err = g.narrow(oc)
	}
	if err != nil {
		return gqlerror.WrapIfUnwrapped(err)
	}
	return nil
}

type gate struct {
	ctx    context.Context
	seen   map[visit]bool
	needed tenancy.Set // for all of the operation
}

// visit is a fragment where it is spread: on the person who asks, or elsewhere.
type visit struct {
	fragment *ast.FragmentDefinition
	self     bool
}

func (g gate) check(set ast.SelectionSet, onSelf bool) error {
	for _, s := range set {
		var err error
		switch s := s.(type) {
		case *ast.Field:
			if err = g.field(s, onSelf); err == nil {
				err = g.check(s.SelectionSet, coordinate(s) == self)
			}
		case *ast.InlineFragment:
			err = g.check(s.SelectionSet, onSelf)
		case *ast.FragmentSpread:
			if v := (visit{s.Definition, onSelf}); s.Definition != nil && !g.seen[v] {
				g.seen[v] = true
				err = g.check(s.Definition.SelectionSet, onSelf)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (g gate) field(f *ast.Field, onSelf bool) error {
	if f.ObjectDefinition == nil || f.Definition == nil || strings.HasPrefix(f.Name, "__") {
		return nil
	}
	switch f.ObjectDefinition.Name {
	case "Query", "Mutation", "Subscription":
		p, ok := operations[coordinate(f)]
		if !ok {
			return fault.Denied(coordinate(f))
		}
		if err := g.need(p); err != nil {
			return err
		}
	}
	if p, ok := fields[coordinate(f)]; ok && !onSelf {
		return g.need(p)
	}
	if p, ok := types[f.Definition.Type.Name()]; ok {
		return g.need(p)
	}
	return nil
}

// coordinate is `Type.field`.
func coordinate(f *ast.Field) string {
	if f.ObjectDefinition == nil {
		return ""
	}
	return f.ObjectDefinition.Name + "." + f.Name
}

func (g gate) need(p tenancy.Permission) error {
	switch {
	case p == public:
		return nil
	case p == anyone && tenancy.From(g.ctx) != nil:
		return nil
	}
	if a := tenancy.From(g.ctx); a != nil {
		if _, ok := a.SitesFor(p); ok {
			g.needed[p] = struct{}{}
			return nil
		}
	}
	return tenancy.Require(g.ctx, p)
}
