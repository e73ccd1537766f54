package enum

// ActorKind says what sort of credential did something that is kept on record.
// The values are those of tenancy.ActorKind, and API keys.
type ActorKind string

// The kinds of actors.
const (
	ActorUser   ActorKind = "user"
	ActorClient ActorKind = "client" // OAuth client credentials of a partner
	ActorKey    ActorKind = "key"    // an API key
	ActorDevice ActorKind = "device" // a gateway's MQTT credential
	ActorSystem ActorKind = "system" // the product itself
)

// Values lists the kinds.
func (ActorKind) Values() []string {
	return list(ActorUser, ActorClient, ActorKey, ActorDevice, ActorSystem)
}

// ChannelKind is a way of telling people something.
type ChannelKind string

// The kinds of channels.
const (
	ChannelEmail   ChannelKind = "email"
	ChannelSMS     ChannelKind = "sms"
	ChannelWebhook ChannelKind = "webhook"
	ChannelSlack   ChannelKind = "slack"
)

// Values lists the kinds.
func (ChannelKind) Values() []string {
	return list(ChannelEmail, ChannelSMS, ChannelWebhook, ChannelSlack)
}

// Theme is the look of the application.
type Theme string

// The themes.
const (
	ThemeSystem Theme = "system" // what the device prefers
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// Values lists the themes.
func (Theme) Values() []string { return list(ThemeSystem, ThemeLight, ThemeDark) }

// Units is the system of units in which values are shown; stored are always the
// parameters' own.
type Units string

// The systems of units.
const (
	UnitsMetric   Units = "metric"
	UnitsImperial Units = "imperial"
)

// Values lists the systems.
func (Units) Values() []string { return list(UnitsMetric, UnitsImperial) }

// JobStatus is where a piece of work stands that takes longer than a request.
type JobStatus string

// The states.
const (
	JobQueued    JobStatus = "queued"
	JobRunning   JobStatus = "running"
	JobSucceeded JobStatus = "succeeded"
	JobFailed    JobStatus = "failed"
	JobCancelled JobStatus = "cancelled" // a person ended it
)

// Values lists the states.
func (JobStatus) Values() []string {
	return list(JobQueued, JobRunning, JobSucceeded, JobFailed, JobCancelled)
}

// ExportFormat is the file format of an export.
type ExportFormat string

// The formats.
const (
	ExportCSV    ExportFormat = "csv"
	ExportNDJSON ExportFormat = "ndjson"
	ExportXLSX   ExportFormat = "xlsx"
	ExportPDF    ExportFormat = "pdf"
)

// Values lists the formats.
func (ExportFormat) Values() []string { return list(ExportCSV, ExportNDJSON, ExportXLSX, ExportPDF) }
