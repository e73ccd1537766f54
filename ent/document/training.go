package document

import (
	"time"

	"github.com/google/uuid"
)

// TrainingRequest is what was asked of a training run besides its hyper-parameters.
type TrainingRequest struct {
	// Base is the version whose data and recipe the run goes on from.
	Base uuid.UUID `json:"base_version_id"`
	// Original says that the base's own training set is part of the data.
	Original bool `json:"original"`
	// FeedbackWeight is the weight of a row of feedback beside 1 of any other.
	FeedbackWeight float32 `json:"feedback_weight"`
	// HeldOut is the share of the machines that do not train.
	HeldOut float64 `json:"held_out"`
	// Since bounds a history; nil: all that is kept.
	Since *time.Time `json:"since,omitempty"`
	// Upload is the key of the uploaded file.
	Upload string `json:"upload,omitempty"`
	// Fleet is what the simulator makes; nil: nothing.
	Fleet *TrainingFleet `json:"fleet,omitempty"`
	// Scheduled says that no person asked.
	Scheduled bool `json:"scheduled,omitempty"`
	// Drift is the drift report that the run came of; nil: of none.
	Drift *uuid.UUID `json:"drift_report_id,omitempty"`
}

// TrainingFleet says how much the simulator makes.
type TrainingFleet struct {
	// FaultMachines per fault and NormalMachines are of a fault classifier, with so many
	// Windows of each.
	FaultMachines  int `json:"fault_machines,omitempty"`
	NormalMachines int `json:"normal_machines,omitempty"`
	Windows        int `json:"windows,omitempty"`
	// Machines are those of a failure predictor, each watched for so many Days.
	Machines int `json:"machines,omitempty"`
	Days     int `json:"days,omitempty"`
}

// TrainingOutcome is what a run came to, one booster after the other.
type TrainingOutcome struct {
	Boosters   []TrainedBooster `json:"boosters,omitempty"`
	NewClasses []string         `json:"new_classes,omitempty"` // that the base did not have
	Seconds    float64          `json:"seconds,omitempty"`     // wall time of the trainer
	PeakMemory int64            `json:"peak_memory,omitempty"` // resident, bytes; 0: not measured
}

// TrainedBooster is one model of a version.
type TrainedBooster struct {
	Name    string   `json:"name,omitempty"`         // `7d`; empty for the only one
	Horizon int      `json:"horizon_days,omitempty"` // 0: looks at now
	Classes []string `json:"classes"`
	// Dataset is the hash of what it was trained on, Original that of it without feedback.
	Dataset  string         `json:"dataset_hash"`
	Original string         `json:"original_hash"`
	Rows     map[string]int `json:"rows"`   // by split
	Groups   map[string]int `json:"groups"` // machines, by split
	// XGBoost is the version of the library.
	XGBoost string `json:"xgboost"`
	Rounds  int    `json:"rounds"` // that were kept
	// Curve is the metric on the validation split after each round.
	Curve       []float64         `json:"curve,omitempty"`
	Confusion   [][]int           `json:"confusion"`
	PerClass    []TrainedClass    `json:"per_class"`
	Reliability []TrainedBin      `json:"reliability"`
	Importance  []Importance      `json:"importance"`
	Parameters  map[string]string `json:"parameters"` // as XGBoost was given them
}

// TrainedClass is how well one class is told, on the test split.
type TrainedClass struct {
	Class     string  `json:"class"`
	Rows      int     `json:"rows"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// TrainedBin is one bin of the calibration curve, on the test split.
type TrainedBin struct {
	Rows      int     `json:"rows"`
	Predicted float64 `json:"predicted"` // mean probability, 0-1
	Observed  float64 `json:"observed"`  // share, 0-1
}
