package resolver

import (
	"context"
	"strings"

	"foresight/graph/gqlerr"
	"foresight/graph/model"
	"foresight/internal/fault"
	"foresight/internal/vitals"
)

// Vitals are the states of what the product depends on. *vitals.Monitor has them.
type Vitals interface {
	States() []vitals.State
}

// meanings are the keys of what it means that a part is down.
var meanings = map[string]string{
	"postgresql":      "error.system.postgresql",
	"log":             "error.system.log",
	"telemetry_store": "error.system.telemetryStore",
	"model":           "error.system.model",
	"landing_zone":    "error.system.landingZone",
}

func (r *Resolver) systemStatus(ctx context.Context) *model.SystemStatus {
	out := &model.SystemStatus{State: model.SystemStateUp, Parts: []*model.SystemPart{}}
	if r.Vitals == nil {
		return out
	}
	for _, s := range r.Vitals.States() {
		p := &model.SystemPart{Name: s.Name, State: model.SystemStateUp, Since: s.Since, Affects: []model.SystemFunction{}}
		if !s.Up {
			reason := string(s.Reason)
			message := gqlerr.LocalizerFrom(ctx).Error(fault.New(fault.Unavailable, meanings[s.Name]))
			p.State, p.Reason, p.Message = model.SystemStateDown, &reason, &message
			for _, f := range s.Affects {
				p.Affects = append(p.Affects, model.SystemFunction(strings.ToUpper(string(f))))
			}
			if s.Needed {
				out.State = model.SystemStateDown
			} else if out.State == model.SystemStateUp {
				out.State = model.SystemStateDegraded
			}
		}
		out.Parts = append(out.Parts, p)
	}
	return out
}
