package explanation

import (
	"foresight/ent/document"
	"foresight/internal/fault"
)

// The reasons why a prediction cannot be explained.
var (
	// ErrVersionGone: the version that made it, or its artifact, is no longer kept.
	ErrVersionGone = fault.New(fault.NotFound, "error.explain.versionGone")
	// ErrReadingsGone: readings of its window are no longer kept.
	ErrReadingsGone = fault.New(fault.NotFound, "error.explain.readingsGone")
	// ErrNotReproduced: what is stored now gives another answer, so that to explain it
	// would be to explain something else.
	ErrNotReproduced = fault.New(fault.NotFound, "error.explain.notReproduced")
)

// Explanation says what moved the raw margin of a class away from the mean of all
// training rows: Bias + the contributions of Features + Others = Margin. Margins are
// before softmax and calibration.
type Explanation struct {
	Code         string // of the fault that is explained
	VersionLabel string // of the model, `fault_classifier:1.0.0`
	Margin       float64
	Bias         float64
	Others       float64                 // what the features beyond the listed ones added
	Features     []document.Contribution // the strongest first
}

// State says where the explanation of an alarm stands.
type State string

// The states.
const (
	Pending     State = "pending"     // to be computed within seconds
	Ready       State = "ready"       // there
	Unavailable State = "unavailable" // it cannot be computed any more
)

// OfAlarm is the explanation of an alarm.
type OfAlarm struct {
	State
	*Explanation // when Ready
}

// The most features that one may ask for, and those that are kept with an alarm.
const (
	MaxTop   = 50
	alarmTop = 8
)
