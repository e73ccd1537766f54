package document

import (
	"time"

	"github.com/google/uuid"

	"foresight/internal/rules"
)

// BacktestScope is what a backtest was narrowed to; what is absent does not narrow.
type BacktestScope struct {
	Site    *uuid.UUID  `json:"site,omitempty"`
	Asset   *uuid.UUID  `json:"asset,omitempty"`
	Sensors []uuid.UUID `json:"sensors,omitempty"`
}

// BacktestRule is a rule as a backtest judges by it.
type BacktestRule struct {
	// Rule has an id of its own when it is a draft.
	Rule  rules.Rule `json:"rule"`
	Draft bool       `json:"draft,omitempty"`
	// Compared is the stored rule with whose alarms those of this one are compared: itself,
	// or the one that a draft would replace; nil for a draft that is new.
	Compared *uuid.UUID `json:"compared,omitempty"`
}

// BacktestPlace is how far a backtest has come.
type BacktestPlace struct {
	// Part is the last part of the history that is done; "" when none is.
	Part string `json:"part,omitempty"`
	// Parts are done, of Total.
	Parts int `json:"parts,omitempty"`
	Total int `json:"total,omitempty"`
}

// BacktestOutcome is what a backtest has counted up to its place.
type BacktestOutcome struct {
	Readings    uint64 `json:"readings,omitempty"`    // judged, of the period
	Predictions uint64 `json:"predictions,omitempty"` // made, of the period
	// Stored is how many of the predictions have a stored one of the same reading, Agreed
	// how many of these name the same fault.
	Stored uint64 `json:"stored,omitempty"`
	Agreed uint64 `json:"agreed,omitempty"`
	// Feedback is how many predictions people spoke about, Right and StoredRight for how
	// many of these the prediction made now, and the one then, is what they say.
	Feedback    uint64 `json:"feedback,omitempty"`
	Right       uint64 `json:"right,omitempty"`
	StoredRight uint64 `json:"stored_right,omitempty"`
	// Kept are alarms that are in the result. Beyond a limit they are counted only.
	Kept  uint64                `json:"kept,omitempty"`
	Rules []BacktestRuleOutcome `json:"rules,omitempty"` // by the place of the rule
}

// BacktestRuleOutcome is what a rule would have done.
type BacktestRuleOutcome struct {
	Raised   uint64 `json:"raised,omitempty"`   // alarms
	Reopened uint64 `json:"reopened,omitempty"` // times that one whose condition was gone came back
	// Real compares with the alarms of BacktestRule.Compared; nil before the end, and
	// without such.
	Real *BacktestComparison `json:"real,omitempty"`
}

// BacktestComparison holds alarms of a backtest against those that were raised.
type BacktestComparison struct {
	At     time.Time `json:"at"`     // when they were compared
	Raised uint64    `json:"raised"` // real alarms that began in the period
	Caught uint64    `json:"caught"` // of these stood while one of the backtest did, on the same sensor
	// Additional are openings of the backtest while no real alarm stood.
	Additional uint64 `json:"additional"`
	// Confirmed real alarms have a work order that found a failure.
	Confirmed       uint64 `json:"confirmed"`
	ConfirmedCaught uint64 `json:"confirmed_caught"`
}
