// Package settings holds the JSON documents in which choices are stored.
package settings

// WorkOrderMode says what a critical alarm or a high risk does about work orders.
type WorkOrderMode string

// The modes.
const (
	WorkOrdersOn       WorkOrderMode = "on"       // opened by the product
	WorkOrdersProposed WorkOrderMode = "proposed" // opened when a person agrees
	WorkOrdersOff      WorkOrderMode = "off"
)

// Tenant is the document of a tenant's own limits and choices. A zero
// field means the default that DefaultTenant gives.
type Tenant struct {
	// RawRetentionDays is how long raw readings are kept, 1-30.
	RawRetentionDays int `json:"raw_retention_days"`
	// PredictionRetentionDays is how long predictions are kept, 1-90.
	PredictionRetentionDays int `json:"prediction_retention_days"`
	// HealthyFrom and WarningFrom are the least health scores (0-100) of the two better states.
	HealthyFrom float64 `json:"healthy_from"`
	WarningFrom float64 `json:"warning_from"`
	// RiskMediumFrom, RiskHighFrom and RiskCriticalFrom are the least 30-day
	// failure probabilities (0-1) of the levels above low.
	RiskMediumFrom   float64 `json:"risk_medium_from"`
	RiskHighFrom     float64 `json:"risk_high_from"`
	RiskCriticalFrom float64 `json:"risk_critical_from"`
	// MessagesPerSecond and MessageBurst bound what the tenant's devices may send.
	MessagesPerSecond float64 `json:"messages_per_second"`
	MessageBurst      int     `json:"message_burst"`
	// GraphPointsPerSecond and GraphPointBurst bound what the tenant may ask of the
	// graph, in points of cost; 0 means what the plan says.
	GraphPointsPerSecond float64 `json:"graph_points_per_second,omitempty"`
	GraphPointBurst      int     `json:"graph_point_burst,omitempty"`
	// AutomaticWorkOrders: see WorkOrderMode.
	AutomaticWorkOrders WorkOrderMode `json:"automatic_work_orders"`
}

// DefaultTenant returns what a new tenant begins with.
func DefaultTenant() Tenant {
	return Tenant{
		RawRetentionDays: 30, PredictionRetentionDays: 90,
		HealthyFrom: 80, WarningFrom: 50,
		RiskMediumFrom: 0.2, RiskHighFrom: 0.5, RiskCriticalFrom: 0.8,
		MessagesPerSecond: 5000, MessageBurst: 20000,
		AutomaticWorkOrders: WorkOrdersProposed,
	}
}

// Effective returns the settings with the defaults in place of zero fields.
func (t Tenant) Effective() Tenant {
	d := DefaultTenant()
	fill(&t.RawRetentionDays, d.RawRetentionDays)
	fill(&t.PredictionRetentionDays, d.PredictionRetentionDays)
	fill(&t.HealthyFrom, d.HealthyFrom)
	fill(&t.WarningFrom, d.WarningFrom)
	fill(&t.RiskMediumFrom, d.RiskMediumFrom)
	fill(&t.RiskHighFrom, d.RiskHighFrom)
	fill(&t.RiskCriticalFrom, d.RiskCriticalFrom)
	fill(&t.MessagesPerSecond, d.MessagesPerSecond)
	fill(&t.MessageBurst, d.MessageBurst)
	fill(&t.AutomaticWorkOrders, d.AutomaticWorkOrders)
	return t
}

func fill[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// QuietHours is the part of each day, in the person's time zone, in which only
// critical alarms are told. From after To spans midnight.
type QuietHours struct {
	From     string `json:"from"` // "22:00"
	To       string `json:"to"`   // "06:00"
	TimeZone string `json:"time_zone"`
}
