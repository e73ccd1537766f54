package enum

// BacktestSource is where the readings of a backtest come from.
type BacktestSource string

// The sources.
const (
	BacktestStore   BacktestSource = "store"   // the telemetry store, within its retention
	BacktestLanding BacktestSource = "landing" // the landing zone, which keeps more
)

// Values lists the sources.
func (BacktestSource) Values() []string { return list(BacktestStore, BacktestLanding) }
