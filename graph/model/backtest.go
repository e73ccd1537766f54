package model

import (
	"foresight/ent"
	"foresight/internal/backtest"
	"foresight/internal/bulk"
	"foresight/internal/id"
	"foresight/internal/rules"
)

// The connections of backtests and their results, and what their subscription gives.
type (
	BacktestConnection           = Connection[*backtest.Backtest]
	BacktestEdge                 = Edge[*backtest.Backtest]
	BacktestAlarmConnection      = Connection[*ent.BacktestAlarm]
	BacktestAlarmEdge            = Edge[*ent.BacktestAlarm]
	BacktestPredictionConnection = Connection[*ent.BacktestPrediction]
	BacktestPredictionEdge       = Edge[*ent.BacktestPrediction]
	BacktestProgress             = bulk.Watched[*backtest.Backtest]
)

// BacktestRule is a rule of a backtest with what it came to.
type BacktestRule struct {
	Number           int
	StoredID         *id.UUID // of the rule; nil for a draft
	Version          *int
	Name, Parameter  string
	Operator         rules.Operator
	Threshold        float64
	Severity         rules.Severity
	Raised, Reopened uint64
	Real             *BacktestComparison
}
