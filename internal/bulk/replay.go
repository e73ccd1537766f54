package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Stretch is what of a tenant's history to read: event times in [From, To). Sensors
// and Sites narrow it when they are not nil.
type Stretch struct {
	Tenant         id.UUID
	From, To       time.Time
	Sensors, Sites []id.UUID
}

// HistoryPart is a part of a stretch; what a sensor sent is in one part.
type HistoryPart struct {
	Name string
	Rows uint64 // that are looked at to find what belongs to the stretch
	// Read gives the messages from the time on, in the order of event time.
	Read func(ctx context.Context, from time.Time) iter.Seq2[*telemetry.Raw, error]
}

// History keeps every message that was admitted.
type History interface {
	// Parts lists the parts of a stretch, always in the same order.
	Parts(ctx context.Context, s Stretch) ([]HistoryPart, error)
}

// Readmitted is what became of a message that was brought in again: the log has it at
// a place, or it is rejected for a reason.
type Readmitted struct {
	Partition int
	Seq       uint64
	Reason    string // "" when the log has it
}

// Gate lets messages in that were admitted before.
type Gate interface {
	// Retention is how old a reading of the tenant may be; false for a tenant that it
	// does not know.
	Retention(tenant id.UUID) (time.Duration, bool)
	// Readmit appends the messages that may enter to the log of history. With an
	// error, of which any may be in it, all must be given again; while the log is full
	// that is its answer.
	Readmit(ctx context.Context, tenant id.UUID, sites []id.UUID, messages []*telemetry.Raw) ([]Readmitted, error)
}

// ReplayRequest is what to bring in again. Nil and zero fields do not narrow.
type ReplayRequest struct {
	From, To    time.Time // event times, the end exclusive
	Site, Asset *id.UUID
	Sensors     []id.UUID
}

// maxReplaySensors bounds a list of them.
const maxReplaySensors = 1000

type replayArgs struct {
	jobs.Behalf
	Job id.UUID `json:"job_id"`
}

// Kind implements river.JobArgs.
func (replayArgs) Kind() string { return "replay" }

// StartReplay adds the job of a replay.
func (s *Service) StartReplay(ctx context.Context, q ReplayRequest) (*Replay, error) {
	behalf, err := jobs.Of(ctx, tenancy.PlantRead, tenancy.TelemetryRead, tenancy.TelemetryWrite)
	if err != nil {
		return nil, err
	}
	if err := s.checkReplay(behalf.TenantID, &q); err != nil {
		return nil, err
	}
	job := id.New(id.ReplayJob)
	err = s.tx(ctx, func(tx pgx.Tx) error {
		sites, sensors, err := q.confine(ctx, tx, behalf)
		if err != nil {
			return err
		}
		if err := s.room(ctx, tx, "replay_jobs", "status IN ('queued', 'running')"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO replay_jobs (id, tenant_id, from_utc, to_utc, site_id, asset_id, sensors, sites, "by")
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, job, behalf.TenantID, q.From, q.To, q.Site, q.Asset, sensors, orNull(sites), person(ctx)); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		changes, err := audit.Diff(nil, audit.Values{"from": q.From, "to": q.To, "site": q.Site, "asset": q.Asset, "sensors": q.Sensors})
		if err != nil {
			return err
		}
		return errors.Join(audit.Record(ctx, tx, audit.Entry{Action: "replay", Entity: "ReplayJob", ID: job, Changes: changes}),
			s.Queue.Add(ctx, tx, replayArgs{behalf, job}, time.Time{}),
			s.Queue.Add(ctx, tx, sweepArgs{behalf, job}, time.Now().Add(s.Limits.Keep)))
	})
	if err != nil {
		return nil, err
	}
	return s.Replay(ctx, job)
}

// checkReplay refuses what cannot be brought in: readings older than the retention
// would be deleted again at once, and belong into side results only.
func (s *Service) checkReplay(tenant id.UUID, q *ReplayRequest) error {
	if s.History == nil || s.Gate == nil {
		return fault.New(fault.Unavailable, "error.replay.off")
	}
	retention, known := s.Gate.Retention(tenant)
	switch {
	case !known:
		return fault.New(fault.Unavailable, "error.replay.off")
	case !q.To.After(q.From):
		return fault.Invalid("input.to", "error.replay.range")
	case time.Since(q.From) > retention:
		return fault.Invalid("input.from", "error.replay.retention").With("Days", int(retention.Hours()/24))
	case len(q.Sensors) > maxReplaySensors:
		return fault.Invalid("input.sensorIds", "error.replay.sensors").With("Max", maxReplaySensors)
	}
	return nil
}

// confine verifies what the request names, and returns the sites and the sensors that
// it is narrowed to, nil for all.
func (q *ReplayRequest) confine(ctx context.Context, tx pgx.Tx, behalf jobs.Behalf) (sites, sensors []id.UUID, err error) {
	sites, err = narrowed(ctx, tx, behalf, q.Site, q.Asset, "input.")
	if err != nil || q.Asset == nil && len(q.Sensors) == 0 {
		return sites, nil, err
	}
	rows, err := tx.Query(ctx, `SELECT n.id FROM sensors n JOIN assets a ON a.tenant_id = n.tenant_id AND a.id = n.asset_id
		WHERE n.tenant_id = $1 AND NOT n.is_deleted AND (cardinality($2::uuid[]) = 0 OR a.site_id = ANY ($2)) AND ($3::uuid IS NULL OR a.id = $3)
		AND (cardinality($4::uuid[]) = 0 OR n.id = ANY ($4))`, behalf.TenantID, list(sites), q.Asset, list(q.Sensors))
	if err != nil {
		return nil, nil, fmt.Errorf("bulk: %w", err)
	}
	sensors, err = pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return nil, nil, fmt.Errorf("bulk: %w", err)
	}
	for _, u := range q.Sensors {
		if !slices.Contains(sensors, u) {
			return nil, nil, fault.Missing("Sensor").At("input.sensorIds")
		}
	}
	return sites, sensors, nil
}

// Replay is a replay as it stands.
type Replay struct {
	Common
	From, To    time.Time
	Site, Asset *id.UUID
	Sensors     []id.UUID // nil: all
	Sites       []id.UUID // nil: the whole tenant
	Appended    uint64    // messages that the log of history has
	Rejected    map[string]uint64
	place       replayPlace
}

// replayPlace is how far a replay has come. After a crash it begins with the messages
// of the time At, of which some may be counted twice.
type replayPlace struct {
	Part  string            `json:"part"`            // that is being read
	At    time.Time         `json:"at"`              // event time in it; all before is done
	Read  uint64            `json:"read"`            // messages
	Total uint64            `json:"total"`           // rows to look at
	Ended bool              `json:"ended,omitempty"` // all parts are read
	Last  map[string]uint64 `json:"last,omitempty"`  // last sequence by partition of the log of history
}

const replayColumns = `j.id, j.status, p.phase, coalesce(p.done, 0), p.total, j.error, j."by", j.created_at, j.finished_at,
	j.from_utc, j.to_utc, j.site_id, j.asset_id, j.sensors, j.sites, j.appended, j.rejected, j.place`

func (s *Service) replays(ctx context.Context, q querier, ids []id.UUID) (map[id.UUID]*Replay, error) {
	a := tenancy.Must(ctx)
	rows, err := q.Query(ctx, `SELECT `+replayColumns+` FROM replay_jobs j
		LEFT JOIN job_progress p ON p.tenant_id = j.tenant_id AND p.job_id = j.id
		WHERE j.tenant_id = $1 AND j.id = ANY ($2) AND `+within("j.sites", "$3"), a.TenantID, ids, list(a.SiteIDs))
	if err != nil {
		return nil, fmt.Errorf("bulk: %w", err)
	}
	out := map[id.UUID]*Replay{}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (*Replay, error) {
		var x Replay
		var failure, rejected, at []byte
		err := r.Scan(&x.ID, &x.Status, &x.Phase, &x.Done, &x.Total, &failure, &x.By, &x.CreatedAt, &x.FinishedAt,
			&x.From, &x.To, &x.Site, &x.Asset, &x.Sensors, &x.Sites, &x.Appended, &rejected, &at)
		if err == nil {
			err = errors.Join(json.Unmarshal(rejected, &x.Rejected), json.Unmarshal(at, &x.place))
		}
		x.Failure = jobs.ToldFailure(failure)
		x.settle()
		return &x, err
	})
	if err != nil {
		return nil, fmt.Errorf("bulk: %w", err)
	}
	for _, x := range found {
		out[x.ID] = x
	}
	return out, nil
}

// ReplaysByID loads replays in one statement; those that the actor does not see are absent.
func (s *Service) ReplaysByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Replay, error) {
	if err := tenancy.Require(ctx, tenancy.PlantRead); err != nil {
		return nil, err
	}
	return s.replays(ctx, s.App, ids)
}

// Replay returns a replay of the actor's tenant and sites.
func (s *Service) Replay(ctx context.Context, which id.UUID) (*Replay, error) {
	found, err := s.ReplaysByID(ctx, []id.UUID{which})
	return one(found, err, which, "ReplayJob")
}
