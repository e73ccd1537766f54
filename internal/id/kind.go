package id

// Kind is the 12-bit code of an entity type inside an id. Codes are stored in
// every row and in partners' systems: never renumber, only append.
type Kind uint16

// The kinds of entities.
const (
	Tenant Kind = iota + 1
	User
	Membership
	RefreshToken
	OAuthClient
	Site
	Gateway
	Asset
	Sensor
	Parameter
	FaultType
	MLModel
	MLModelVersion
	MLModelDeployment
	AlarmRule
	AlarmEvent
	AlarmTransition
	Prediction
	RawReading
	RejectedReading
	AlarmShelf
	UserIdentity
	PasswordReset
	UserSettings
	FaultAction
	Role
	Permission
	RolePermission
	UserRole
	Invite
	APIKey
	AuditLog
	IdempotencyKey
	Webhook
	ExportJob
	AssetHealth
	AssetFeatures
	FailurePrediction
	AssetModelVersion
	TrainingRun
	Feedback
	DriftReport
	NotificationChannel
	AlarmRuleChannel
	NotificationLog
	MaintenanceWorkOrder
	MaintenanceRecord
	Connector
	ImportRun
	KnowledgeDocument
	KnowledgeChunk
	Conversation
	Message
	Upload
	ImportJob
	ReplayJob
	Backtest
	BacktestAlarm
	BacktestPrediction
	ScoringJob
	DeploymentRequest
	DeploymentDecision
	DriftCheck
	RetrainingProposal
	last
)

var names = map[Kind]string{
	Tenant: "Tenant", User: "User", Membership: "Membership", RefreshToken: "RefreshToken",
	OAuthClient: "OAuthClient", Site: "Site", Gateway: "Gateway", Asset: "Asset", Sensor: "Sensor",
	Parameter: "Parameter", FaultType: "FaultType", MLModel: "MLModel", MLModelVersion: "MLModelVersion",
	MLModelDeployment: "MLModelDeployment", AlarmRule: "AlarmRule", AlarmEvent: "AlarmEvent",
	AlarmTransition: "AlarmTransition", Prediction: "Prediction", RawReading: "RawReading",
	RejectedReading: "RejectedReading", AlarmShelf: "AlarmShelf",
	UserIdentity: "UserIdentity", PasswordReset: "PasswordReset", UserSettings: "UserSettings",
	FaultAction: "FaultAction", Role: "Role", Permission: "Permission", RolePermission: "RolePermission",
	UserRole: "UserRole", Invite: "Invite", APIKey: "APIKey", AuditLog: "AuditLog",
	IdempotencyKey: "IdempotencyKey", Webhook: "Webhook", ExportJob: "ExportJob",
	AssetHealth: "AssetHealth", AssetFeatures: "AssetFeatures", FailurePrediction: "FailurePrediction",
	AssetModelVersion: "AssetModelVersion", TrainingRun: "TrainingRun", Feedback: "Feedback",
	DriftReport: "DriftReport", NotificationChannel: "NotificationChannel",
	AlarmRuleChannel: "AlarmRuleChannel", NotificationLog: "NotificationLog",
	MaintenanceWorkOrder: "MaintenanceWorkOrder", MaintenanceRecord: "MaintenanceRecord",
	Connector: "Connector", ImportRun: "ImportRun", KnowledgeDocument: "KnowledgeDocument",
	KnowledgeChunk: "KnowledgeChunk", Conversation: "Conversation", Message: "Message",
	Upload: "Upload", ImportJob: "ImportJob", ReplayJob: "ReplayJob",
	Backtest: "Backtest", BacktestAlarm: "BacktestAlarm", BacktestPrediction: "BacktestPrediction",
	ScoringJob:        "ScoringJob",
	DeploymentRequest: "DeploymentRequest", DeploymentDecision: "DeploymentDecision",
	DriftCheck: "DriftCheck", RetrainingProposal: "RetrainingProposal",
}

// String returns the name of the entity as the graph writes it.
func (k Kind) String() string { return names[k] }

func (k Kind) known() bool { return k > 0 && k < last }
