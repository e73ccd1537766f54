package resolver

import (
	"context"

	"foresight/graph/gqlerr"
)

// words are the texts about faults in the language of the request. The localiser
// that the door put into the context has them.
type words interface {
	FaultLabel(code string) string
	FaultDescription(code string) string
	FaultAction(code string) string
	Reason(code string) string
	FeatureLabel(name string) string
	RiskLabel(level string) string
}

func wordsOf(ctx context.Context) words {
	if w, ok := gqlerr.LocalizerFrom(ctx).(words); ok {
		return w
	}
	return codes{}
}

// codes stands in where no language is known.
type codes struct{}

func (codes) FaultLabel(code string) string       { return code }
func (codes) FaultDescription(code string) string { return "" }
func (codes) FaultAction(code string) string      { return "" }
func (codes) Reason(code string) string           { return code }
func (codes) FeatureLabel(name string) string     { return name }
func (codes) RiskLabel(level string) string       { return level }
