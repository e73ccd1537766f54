package bulk

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
)

type sweepArgs struct {
	jobs.Behalf
	Of id.UUID `json:"of"` // upload, import, export or replay
}

// Kind implements river.JobArgs.
func (sweepArgs) Kind() string { return "sweep_bulk" }

// sweepLater is when to look again after a file that is still in use.
const sweepLater = time.Hour

// sweep ends what has had its time: a file that nobody imported, a file that was to be
// downloaded, a job that never came to its end because the process died each time.
func (s *Service) sweep(ctx context.Context, args sweepArgs) error {
	lost := jobs.StoredFailure(fault.New(fault.Unavailable, "error.job.lost"))
	tenant := tenancy.Must(ctx).TenantID
	switch k, _ := id.KindOf(args.Of); k {
	case id.Upload:
		return s.tx(ctx, func(tx pgx.Tx) error {
			if err := dropUpload(ctx, tx, args.Of); err != nil {
				return err
			}
			var used bool
			if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM uploads WHERE tenant_id = $1 AND id = $2)`, tenant, args.Of).Scan(&used); err != nil {
				return fmt.Errorf("bulk: %w", err)
			}
			if !used {
				return nil
			}
			return s.Queue.Add(ctx, tx, args, time.Now().Add(sweepLater))
		})
	case id.ImportJob:
		return s.tx(ctx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `UPDATE import_jobs SET status = 'failed', error = $3, finished_at = now()
				WHERE tenant_id = $1 AND id = $2 AND status IN ('queued', 'running')`, tenant, args.Of, lost); err != nil {
				return fmt.Errorf("bulk: %w", err)
			}
			return useUp(ctx, tx, args.Of)
		})
	case id.ReplayJob:
		return s.sweepReplay(ctx, args, lost)
	case id.ExportJob:
		if err := s.Files.Delete(ctx, exportFile(args.Of)); err != nil {
			return err
		}
		_, err := s.App.Exec(ctx, `UPDATE export_jobs SET path = NULL, error = CASE WHEN status IN ('queued', 'running') THEN $3 ELSE error END,
				finished_at = coalesce(finished_at, now()), status = CASE WHEN status = 'succeeded' THEN status ELSE 'failed' END
			WHERE tenant_id = $1 AND id = $2`, tenant, args.Of, string(lost))
		return err
	}
	return nil
}
