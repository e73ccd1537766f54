package enum

// TrainingSource is where the examples of a training come from.
type TrainingSource string

// The sources.
const (
	TrainingFeedback  TrainingSource = "feedback"  // what people said of predictions
	TrainingHistory   TrainingSource = "history"   // that, and failures that maintenance confirmed
	TrainingUpload    TrainingSource = "upload"    // a file
	TrainingSimulator TrainingSource = "simulator" // simulated machines
)

// Values lists the sources.
func (TrainingSource) Values() []string {
	return list(TrainingFeedback, TrainingHistory, TrainingUpload, TrainingSimulator)
}
