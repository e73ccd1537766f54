package enum

// HealthStatus is the state of a machine by its health score.
type HealthStatus string

// The states; the limits are the tenant's.
const (
	HealthHealthy  HealthStatus = "healthy"
	HealthWarning  HealthStatus = "warning"
	HealthCritical HealthStatus = "critical"
)

// Values lists the states.
func (HealthStatus) Values() []string { return list(HealthHealthy, HealthWarning, HealthCritical) }

// RiskLevel is how probable a failure is, weighed by the asset's criticality.
type RiskLevel string

// The levels, rising; the limits are the tenant's.
const (
	RiskLow      RiskLevel = "low"
	RiskMedium   RiskLevel = "medium"
	RiskHigh     RiskLevel = "high"
	RiskCritical RiskLevel = "critical"
)

// Values lists the levels, rising.
func (RiskLevel) Values() []string { return list(RiskLow, RiskMedium, RiskHigh, RiskCritical) }

// BindingStage is the part that a model version plays for one asset.
type BindingStage string

// The stages.
const (
	BindingProduction BindingStage = "production" // its predictions count
	BindingCanary     BindingStage = "canary"     // they count for a share of the readings
	BindingShadow     BindingStage = "shadow"     // they are recorded only
)

// Values lists the stages.
func (BindingStage) Values() []string { return list(BindingProduction, BindingCanary, BindingShadow) }

// FeedbackType is what a person says of a prediction.
type FeedbackType string

// The types of feedback.
const (
	FeedbackCorrection    FeedbackType = "correction"     // another known fault
	FeedbackNewFault      FeedbackType = "new_fault"      // a fault that the model does not know
	FeedbackFalsePositive FeedbackType = "false_positive" // no fault at all
	FeedbackCorrect       FeedbackType = "correct"
)

// Values lists the types.
func (FeedbackType) Values() []string {
	return list(FeedbackCorrection, FeedbackNewFault, FeedbackFalsePositive, FeedbackCorrect)
}

// DriftVerdict says what a drift report amounts to.
type DriftVerdict string

// The verdicts, rising.
const (
	DriftStable   DriftVerdict = "stable"
	DriftModerate DriftVerdict = "moderate" // worth watching
	DriftSevere   DriftVerdict = "severe"   // the model should be trained anew
	DriftUnknown  DriftVerdict = "unknown"  // too little was seen
)

// Values lists the verdicts, rising.
func (DriftVerdict) Values() []string {
	return list(DriftStable, DriftModerate, DriftSevere, DriftUnknown)
}
