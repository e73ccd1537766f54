package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Policy is by what the canaries of a model, and versions that have just gone into
// production, are judged.
type Policy struct {
	Model        id.UUID
	AutoPromote  bool // carry promotions out, and not only propose them
	AutoRollback bool // the same of roll-backs
	SelfApproval bool // who asked for a deployment may approve it
	// Of a candidate since its share last changed, before it is promoted.
	MinHours       int
	MinPredictions int64
	// MaxAlarmRatio is how many times as many alarms as production, for as many
	// predictions, a candidate may raise.
	MaxAlarmRatio float64
	// MinPrecision is the share of faults it named that people found right, 0-1, among
	// those that people judged, of which there must be MinFeedback.
	MinPrecision float64
	MinFeedback  int
	MaxDrift     enum.DriftVerdict // of its newest drift report
	// WatchHours is how long a version is watched that has gone into production.
	WatchHours int
	// Steps are the shares, in percent, that a canary goes through, rising; 100, the last,
	// is production.
	Steps     []int
	Version   int // 1 for a new one; every change raises it
	UpdatedAt time.Time
	UpdatedBy *id.UUID
}

// The bounds of a policy.
const (
	maxHours       = 2160 // 90 days
	maxPredictions = 1_000_000_000
	maxFeedback    = 1_000_000
	maxRatio       = 1000
	maxSteps       = 20
)

// check names the fields of the graph's input.
func (p *Policy) check() error {
	var wrong fault.List
	within := func(field string, v, least, most float64) {
		if !(v >= least && v <= most) {
			wrong = append(wrong, fault.Invalid(field, "error.range").With("Min", least).With("Max", most))
		}
	}
	within("input.minHours", float64(p.MinHours), 0, maxHours)
	within("input.minPredictions", float64(p.MinPredictions), 1, maxPredictions)
	within("input.maxAlarmRatio", p.MaxAlarmRatio, 0.01, maxRatio)
	within("input.minPrecision", p.MinPrecision, 0, 1)
	within("input.minFeedback", float64(p.MinFeedback), 0, maxFeedback)
	within("input.watchHours", float64(p.WatchHours), 0, maxHours)
	switch p.MaxDrift {
	case enum.DriftStable, enum.DriftModerate, enum.DriftSevere:
	default:
		wrong = append(wrong, fault.Invalid("input.maxDrift", "error.deploy.drift"))
	}
	rising := len(p.Steps) > 0 && len(p.Steps) <= maxSteps && p.Steps[0] >= 1 && p.Steps[len(p.Steps)-1] == 100
	for i := 1; i < len(p.Steps); i++ {
		rising = rising && p.Steps[i] > p.Steps[i-1]
	}
	if !rising {
		wrong = append(wrong, fault.Invalid("input.steps", "error.deploy.steps").With("Max", maxSteps))
	}
	return wrong.Err()
}

// next is the share that follows on one, 100 for production.
func (p *Policy) next(percent int) int {
	for _, s := range p.Steps {
		if s > percent {
			return s
		}
	}
	return 100
}

const policyColumns = `model_id, auto_promote, auto_rollback, self_approval, min_hours, min_predictions, max_alarm_ratio, min_precision, min_feedback,
	max_drift, watch_hours, steps, version, updated_at, updated_by`

// policy reads that of a model, nil when it has none.
func (s *Service) policy(ctx context.Context, q querier, model id.UUID) (*Policy, error) {
	rows, err := q.Query(ctx, `SELECT `+policyColumns+` FROM deployment_policies WHERE tenant_id = $1 AND model_id = $2`, tenancy.Must(ctx).TenantID, model)
	if err != nil {
		return nil, fmt.Errorf("deploy: policy: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[Policy])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("deploy: policy: %w", err)
	}
	return p, nil
}

// Policy returns that of a model, nil when it has none.
func (s *Service) Policy(ctx context.Context, model id.UUID) (*Policy, error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return nil, err
	}
	return s.policy(ctx, s.App, model)
}

// SetPolicy gives a model its policy. expected is the version that the caller knows, nil
// where there is none; another one is fault.Stale.
func (s *Service) SetPolicy(ctx context.Context, p Policy, expected *int) (*Policy, error) {
	if err := may(ctx, tenancy.ModelsDeploy); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	tenant := tenancy.Must(ctx).TenantID
	err := s.tx(ctx, func(tx pgx.Tx) error {
		if err := s.model(ctx, tx, p.Model, " FOR NO KEY UPDATE"); err != nil {
			return err
		}
		old, err := s.policy(ctx, tx, p.Model)
		if err != nil {
			return err
		}
		if (old == nil) != (expected == nil) || old != nil && old.Version != *expected {
			return fault.Stale("DeploymentPolicy")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO deployment_policies (tenant_id, `+policyColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14, $15)
			ON CONFLICT (tenant_id, model_id) DO UPDATE SET auto_promote = excluded.auto_promote, auto_rollback = excluded.auto_rollback,
				self_approval = excluded.self_approval, min_hours = excluded.min_hours, min_predictions = excluded.min_predictions,
				max_alarm_ratio = excluded.max_alarm_ratio, min_precision = excluded.min_precision, min_feedback = excluded.min_feedback,
				max_drift = excluded.max_drift, watch_hours = excluded.watch_hours, steps = excluded.steps,
				version = deployment_policies.version + 1, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
			tenant, p.Model, p.AutoPromote, p.AutoRollback, p.SelfApproval, p.MinHours, p.MinPredictions, p.MaxAlarmRatio, p.MinPrecision, p.MinFeedback,
			string(p.MaxDrift), p.WatchHours, p.Steps, s.now(), person(ctx)); err != nil {
			return err
		}
		var was audit.Values
		action := audit.Create
		if old != nil {
			was, action = old.values(), audit.Update
		}
		changes, err := audit.Diff(was, p.values())
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: action, Entity: "DeploymentPolicy", ID: p.Model, Changes: changes})
	})
	if err != nil {
		return nil, err
	}
	return s.policy(ctx, s.App, p.Model)
}

func (p *Policy) values() audit.Values {
	return audit.Values{"auto_promote": p.AutoPromote, "auto_rollback": p.AutoRollback, "self_approval": p.SelfApproval, "min_hours": p.MinHours,
		"min_predictions": p.MinPredictions, "max_alarm_ratio": p.MaxAlarmRatio, "min_precision": p.MinPrecision, "min_feedback": p.MinFeedback,
		"max_drift": p.MaxDrift, "watch_hours": p.WatchHours, "steps": p.Steps}
}
