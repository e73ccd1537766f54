package deploy

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// NoticeKind is what people are written to about.
type NoticeKind string

// The kinds of notices.
const (
	Asked           NoticeKind = "asked"            // somebody asks for a deployment, which waits for an answer
	Promoted        NoticeKind = "promoted"         // the rules gave a canary a larger share, or production
	RolledBack      NoticeKind = "rolled_back"      // the rules took a version back
	AdvisedPromote  NoticeKind = "advised_promote"  // the rules would, and wait for people
	AdvisedRollback NoticeKind = "advised_rollback" // the same
)

// Notice is what people who may deploy should know, or decide.
type Notice struct {
	Kind    NoticeKind
	Label   string    // of the version, `fault_classifier:1.0.3`
	Percent int       // of the tenant's machines, that is asked for or that it has got; 0 of one that was taken back
	Behind  []id.UUID // who asked, and needs no letter: user ids
}

// Letters writes to the people who may deploy models.
type Letters interface {
	// Deployment queues letters within the transaction of what they tell of.
	Deployment(ctx context.Context, tx pgx.Tx, n Notice) error
}

func (s *Service) write(ctx context.Context, tx pgx.Tx, n Notice) error {
	if s.Letters == nil {
		return nil
	}
	return s.Letters.Deployment(ctx, tx, n)
}

// writeOf writes of a decision of the rules. What people did themselves, and that nothing
// is to be done, needs no letter.
func (c *change) writeOf(ctx context.Context, o *open, d *Decision) error {
	if d.Verdict == Hold || person(ctx) != nil || c.Letters == nil {
		return nil
	}
	n := Notice{Percent: d.PercentAfter}
	switch {
	case d.Acted && d.Verdict == Promote:
		n.Kind = Promoted
	case d.Acted:
		n.Kind = RolledBack
	case d.Verdict == Promote:
		n.Kind = AdvisedPromote
	default:
		n.Kind = AdvisedRollback
	}
	if err := c.tx.QueryRow(ctx, `SELECT full_version_label FROM ml_model_versions WHERE tenant_id = $1 AND id = $2`,
		tenancy.Must(ctx).TenantID, o.Version).Scan(&n.Label); err != nil {
		return fmt.Errorf("deploy: version: %w", err)
	}
	return c.write(ctx, c.tx, n)
}
