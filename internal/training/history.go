package training

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// failure is a failure that maintenance confirmed.
type failure struct {
	asset id.UUID
	at    time.Time // the latest time at which it can have begun to show for all
	code  string    // the fault that was found; empty: not said
}

// failures reads what maintenance confirmed: completed corrective work orders that say
// so, and imported records. A machine had failed when the order was made, or work began,
// and at the latest when the standstill began that a record tells of.
const failures = `SELECT asset_id, at, coalesce(failure_code, '') FROM (
		SELECT asset_id, least(started_at, created_at) AS at, failure_code FROM maintenance_work_orders
		WHERE tenant_id = $1 AND type = 'corrective' AND status = 'completed' AND failure_confirmed AND NOT is_deleted
		UNION ALL
		SELECT asset_id, performed_at - make_interval(secs => downtime_hours * 3600), failure_code FROM maintenance_records
		WHERE tenant_id = $1 AND was_failure AND work_order_id IS NULL
	) x WHERE at >= $2 ORDER BY asset_id, at LIMIT $3`

// repairs reads when work was done on machines, which ends what was before.
const repairs = `SELECT asset_id, at FROM (
		SELECT asset_id, completed_at AS at FROM maintenance_work_orders
		WHERE tenant_id = $1 AND status = 'completed' AND type <> 'inspection' AND NOT is_deleted AND completed_at IS NOT NULL
		UNION ALL
		SELECT asset_id, performed_at FROM maintenance_records WHERE tenant_id = $1 AND kind <> 'inspection'
	) x ORDER BY asset_id, at LIMIT $2`

// known is what maintenance tells of the machines of a tenant.
type known struct {
	failures map[id.UUID][]failure   // of a machine, the oldest first
	repairs  map[id.UUID][]time.Time // the same
}

func (t *task) maintenance(ctx context.Context) (*known, error) {
	tenant := tenancy.Must(ctx).TenantID
	since := time.Time{}
	if t.Request.Since != nil {
		since = *t.Request.Since
	}
	k := &known{map[id.UUID][]failure{}, map[id.UUID][]time.Time{}}
	rows, err := t.App.Query(ctx, failures, tenant, since, t.Limits.MaxRows)
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	var f failure
	if _, err := pgx.ForEachRow(rows, []any{&f.asset, &f.at, &f.code}, func() error {
		k.failures[f.asset] = append(k.failures[f.asset], f)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	if rows, err = t.App.Query(ctx, repairs, tenant, t.Limits.MaxRows); err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	var asset id.UUID
	var at time.Time
	if _, err := pgx.ForEachRow(rows, []any{&asset, &at}, func() error {
		k.repairs[asset] = append(k.repairs[asset], at)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	return k, nil
}

// lastRepair is the newest repair of the machine before a time, zero when there is none.
func (k *known) lastRepair(asset id.UUID, before time.Time) time.Time {
	all := k.repairs[asset]
	i, _ := slices.BinarySearchFunc(all, before, time.Time.Compare)
	if i == 0 {
		return time.Time{}
	}
	return all[i-1]
}

// next is the machine's first failure behind a time.
func (k *known) next(asset id.UUID, after time.Time) (failure, bool) {
	all := k.failures[asset]
	i, found := slices.BinarySearchFunc(all, after, func(f failure, at time.Time) int { return f.at.Compare(at) })
	for found && i < len(all) && !all[i].at.After(after) {
		i++
	}
	if i == len(all) {
		return failure{}, false
	}
	return all[i], true
}

// gatherHistory makes the tenant's own history a training set, with the original and,
// for a fault classifier, with what people said.
func (t *task) gatherHistory(ctx context.Context) error {
	k, err := t.maintenance(ctx)
	if err != nil {
		return err
	}
	if t.kind == artifact.FailurePredictor {
		return t.gatherDays(ctx, k)
	}
	labelled, err := t.windows(ctx, k)
	if err != nil {
		return err
	}
	classes := slices.Clone(t.bundle.Manifest.Classes)
	more, err := t.examples(ctx, t.bundle.Booster, labelled, &classes)
	if err != nil {
		return err
	}
	original, err := t.extended(ctx, t.bundle.Booster, more)
	if err != nil {
		return err
	}
	said, err := t.feedback(ctx)
	if err != nil {
		return err
	}
	return t.mix(t.bundle.Booster, original, said)
}

// labelled is an example whose class is a name.
type labelled struct {
	training.Example
	asset id.UUID
	class string
}

// examples makes a data set of labelled examples, nil for none. Where no original is
// there, they alone must suffice to train and to judge.
func (t *task) examples(_ context.Context, b *artifact.Booster, all []labelled, classes *[]string) (*training.Dataset, error) {
	if len(all) == 0 {
		if t.Request.Original {
			return nil, nil
		}
		return nil, training.ErrTooFew
	}
	slices.SortStableFunc(all, func(a, b labelled) int { return cmp.Or(a.At.Compare(b.At), slices.Compare(a.asset[:], b.asset[:])) })
	machines := map[uint32]bool{}
	out := make([]training.Example, len(all))
	for i := range all {
		e := all[i].Example
		e.Group = training.Machine(all[i].asset[:])
		machines[e.Group] = true
		if e.Label = slices.Index(*classes, all[i].class); e.Label < 0 {
			e.Label = len(*classes)
			*classes = append(*classes, all[i].class)
		}
		out[i] = e
	}
	names, hash := featuresOf(t.kind)
	path, err := t.scratch("history"+b.Name, func(f *os.File) error {
		_, err := training.WriteExamples(f, training.Header{Features: names, FeatureSchemaHash: hash, Classes: *classes}, out, t.Request.HeldOut, !t.Request.Original)
		return err
	})
	if err != nil {
		return nil, err
	}
	t.log.say("history: %d examples of %d machines", len(out), len(machines))
	return training.Load(path)
}
