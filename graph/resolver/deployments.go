package resolver

import (
	"context"
	"io"
	"math"
	"strconv"

	"github.com/google/uuid"

	"foresight/ent/enum"
	"foresight/graph/gqlerr"
	"foresight/graph/model"
	"foresight/graph/share"
	"foresight/internal/deploy"
	"foresight/internal/event"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

func deployPlan(version id.UUID, stage enum.BindingStage, percent *int) deploy.Plan {
	p := deploy.Plan{Version: version, Stage: stage}
	if percent != nil {
		if p.Percent = *percent; p.Percent == 0 { // else it would stand for all
			p.Percent = -1
		}
	}
	return p
}

func policyOf(in model.SetDeploymentPolicyInput) deploy.Policy {
	return deploy.Policy{Model: in.ModelID, AutoPromote: in.AutoPromote, AutoRollback: in.AutoRollback, SelfApproval: in.SelfApproval, MinHours: in.MinHours,
		MinPredictions: int64(min(in.MinPredictions, math.MaxInt64)), MaxAlarmRatio: in.MaxAlarmRatio, MinPrecision: in.MinPrecision, MinFeedback: in.MinFeedback, MaxDrift: in.MaxDrift,
		WatchHours: in.WatchHours, Steps: in.Steps}
}

// watchDeployments begins with what is open, then gives what happens to deployments.
func (r *Resolver) watchDeployments(ctx context.Context, of *uuid.UUID) (<-chan *model.DeploymentItem, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	if of != nil {
		if found, err := r.Models.ModelsByID(ctx, []id.UUID{*of}); err != nil {
			return nil, err
		} else if found[*of] == nil {
			return nil, fault.Missing("Model")
		}
	}
	gap := &model.DeploymentItem{Resync: true}
	return share.Serve(ctx, share.Stream[*model.DeploymentItem]{Gap: &gap,
		Listen: func(ctx context.Context) (share.Next[*model.DeploymentItem], error) {
			live, err := r.Hub.Subscribe(ctx, event.Filter{Tenant: tenancy.Must(ctx).TenantID, Kind: event.Deployment})
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context) (l share.Live[*model.DeploymentItem], err error) {
				for {
					select {
					case i, ok := <-live:
						if !ok {
							return l, io.EOF
						}
						if l.Value, err = r.deploymentItem(ctx, i, of); err != nil || l.Value != nil {
							l.Origin = origin(i.Event, i.Event.At)
							return l, err
						}
					case <-ctx.Done():
						return l, ctx.Err()
					}
				}
			}, nil
		},
		Begin: func(ctx context.Context) (b share.Beginning[*model.DeploymentItem], err error) {
			open, err := r.Sources.Deployments.Open(ctx, of)
			items := make([]*model.DeploymentItem, len(open))
			for i, d := range open {
				items[i] = &model.DeploymentItem{Deployment: d, Snapshot: true}
			}
			b.Items = share.All(items)
			return b, err
		},
	})
}

// deploymentItem shows news as the database has it; nil is news of another model.
func (r *Resolver) deploymentItem(ctx context.Context, i event.Item, of *uuid.UUID) (*model.DeploymentItem, error) {
	out := &model.DeploymentItem{Resync: i.Gap}
	n := i.Event.Deployment
	if n == nil {
		return out, nil
	}
	news, which := deploy.News(n.News), n.ID
	if news == deploy.Decided {
		found, err := r.Sources.Deployments.DecisionsByID(ctx, []id.UUID{which})
		if err != nil {
			return nil, err
		}
		if out.Decision = found[which]; out.Decision == nil {
			return nil, nil
		}
		which = out.Decision.Deployment
	}
	found, err := r.Models.DeploymentsByID(ctx, []id.UUID{which})
	if err != nil {
		return nil, err
	}
	d := found[which]
	if d == nil || of != nil && d.ModelID != *of {
		if i.Gap { // which tells all
			return &model.DeploymentItem{Resync: true}, nil
		}
		return nil, nil
	}
	out.Deployment, out.Change = d, &news
	return out, nil
}

func driftOf(v enum.DriftVerdict) *enum.DriftVerdict {
	if v == "" {
		return nil
	}
	return &v
}

// byRules reports whether the decision rests on measures.
func byRules(d *deploy.Decision) bool { return d.Measures != deploy.Measures{} }

func precisionOf(s *deploy.Side) *float64 {
	if p, ok := s.Precision(); ok {
		return &p
	}
	return nil
}

// deploymentReason tells a reason in the reader's language.
func deploymentReason(ctx context.Context, r *deploy.Reason) string {
	number := func(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }
	return gqlerr.LocalizerFrom(ctx).Error(fault.New(fault.BadInput, "deployment.reason."+string(r.Code)).With("Value", number(r.Value)).With("Limit", number(r.Limit)))
}
