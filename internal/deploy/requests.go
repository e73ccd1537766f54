package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"foresight/ent/enum"
	"foresight/internal/audit"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/page"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// RequestStatus is what became of a request.
type RequestStatus string

// The states of a request.
const (
	Pending  RequestStatus = "pending"
	Approved RequestStatus = "approved"
	Rejected RequestStatus = "rejected"
)

// Request is a deployment that somebody asks for.
type Request struct {
	ID, Model, Version id.UUID
	Stage              enum.BindingStage
	Percent            int
	Note               string // why it is asked for
	Status             RequestStatus
	RequestedBy        *id.UUID // the member; nil when a machine asked
	RequestedAt        time.Time
	DecidedBy          *id.UUID
	DecidedAt          *time.Time // nil while it is pending
	Answer             string
	Deployment         *id.UUID // what the approval made

	behind []id.UUID // the people who asked, themselves or by a credential of theirs
}

var requests = list[Request]{
	name: "deployment requests", table: "deployment_requests", at: "requested_at",
	columns: `id, model_id, model_version_id, stage, traffic_percent, note, status, requested_by, requested_at, decided_by, decided_at, answer, deployment_id, behind`,
	scan: func(row pgx.CollectableRow) (*Request, error) {
		var r Request
		err := row.Scan(&r.ID, &r.Model, &r.Version, &r.Stage, &r.Percent, &r.Note, &r.Status, &r.RequestedBy, &r.RequestedAt,
			&r.DecidedBy, &r.DecidedAt, &r.Answer, &r.Deployment, &r.behind)
		return &r, err
	},
	key: func(r *Request) (time.Time, id.UUID) { return r.RequestedAt, r.ID },
}

// maxNote bounds notes and answers, in characters.
const maxNote = 2000

func checkNote(field, note string) error {
	if utf8.RuneCountInString(note) > maxNote {
		return fault.Invalid(field, "error.tooLong").With("Max", maxNote)
	}
	return nil
}

// Request asks for a deployment, which somebody else may approve. Of each version and
// stage one request is pending at a time. The errors are those of Deploy.
func (s *Service) Request(ctx context.Context, p Plan, note string) (*Request, error) {
	if err := may(ctx, tenancy.ModelsWrite); err != nil {
		return nil, err
	}
	if err := checkNote("input.note", note); err != nil {
		return nil, err
	}
	v, _, err := s.prepare(ctx, &p)
	if err != nil {
		return nil, err
	}
	made := id.New(id.DeploymentRequest)
	err = s.tx(ctx, func(tx pgx.Tx) error {
		who, err := behind(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO deployment_requests (id, tenant_id, model_id, model_version_id, stage, traffic_percent, note, behind, requested_by, requested_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			made, tenancy.Must(ctx).TenantID, v.Model, v.ID, string(p.Stage), p.Percent, note, who, person(ctx), s.now()); err != nil {
			return err
		}
		if err := s.write(ctx, tx, Notice{Kind: Asked, Label: v.Label, Percent: p.Percent, Behind: who}); err != nil {
			return err
		}
		changes, err := audit.Diff(nil, audit.Values{"model_version_id": v.ID, "stage": p.Stage, "traffic_percent": p.Percent, "note": note})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "request", Entity: "DeploymentRequest", ID: made, Changes: changes})
	})
	if _, taken := postgres.Unique(err); taken {
		return nil, fault.New(fault.Conflict, "error.deploy.requested").With("Label", v.Label).At("input.modelVersionId")
	}
	if err != nil {
		return nil, fmt.Errorf("deploy: request: %w", err)
	}
	return s.request(ctx, s.App, made, "")
}

func (s *Service) request(ctx context.Context, q querier, which id.UUID, lock string) (*Request, error) {
	rows, err := q.Query(ctx, `SELECT `+requests.columns+` FROM deployment_requests WHERE tenant_id = $1 AND id = $2`+lock, tenancy.Must(ctx).TenantID, which)
	if err != nil {
		return nil, fmt.Errorf("deploy: request: %w", err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, requests.scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.Missing("DeploymentRequest")
	}
	if err != nil {
		return nil, fmt.Errorf("deploy: request: %w", err)
	}
	return r, nil
}

// Approve carries a request out. It takes a person, and another one than asked (or made
// the key or client that asked) unless the model's policy lets people approve what they
// asked for.
func (s *Service) Approve(ctx context.Context, which id.UUID, answer string) (*Request, error) {
	r, err := s.pending(ctx, which, answer)
	if err != nil {
		return nil, err
	}
	by := person(ctx)
	if by == nil {
		return nil, fault.New(fault.Forbidden, "error.deploy.person")
	}
	if slices.Contains(r.behind, *by) {
		p, err := s.policy(ctx, s.App, r.Model)
		if err != nil {
			return nil, err
		}
		if p == nil || !p.SelfApproval {
			return nil, fault.New(fault.Forbidden, "error.deploy.ownRequest")
		}
	}
	p := Plan{Version: r.Version, Stage: r.Stage, Percent: r.Percent}
	v, rests, err := s.prepare(ctx, &p)
	if err != nil {
		return nil, blameRequest(err)
	}
	if _, err := s.deploy(ctx, v, p, rests, func(c *change, made id.UUID) error {
		return s.decideRequest(ctx, c.tx, which, Approved, answer, &made)
	}); err != nil {
		return nil, blameRequest(err)
	}
	return s.request(ctx, s.App, which, "")
}

// blameRequest has the request stand for the fields of the plan that it holds.
func blameRequest(err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Field != "" {
		return f.At("input.id")
	}
	return err
}

// Reject refuses a request for good.
func (s *Service) Reject(ctx context.Context, which id.UUID, answer string) (*Request, error) {
	if _, err := s.pending(ctx, which, answer); err != nil {
		return nil, err
	}
	if err := s.tx(ctx, func(tx pgx.Tx) error { return s.decideRequest(ctx, tx, which, Rejected, answer, nil) }); err != nil {
		return nil, err
	}
	return s.request(ctx, s.App, which, "")
}

// pending returns a request that the actor may decide.
func (s *Service) pending(ctx context.Context, which id.UUID, answer string) (*Request, error) {
	if err := may(ctx, tenancy.ModelsDeploy); err != nil {
		return nil, err
	}
	if err := checkNote("input.answer", answer); err != nil {
		return nil, err
	}
	r, err := s.request(ctx, s.App, which, "")
	if err != nil {
		return nil, err
	}
	if r.Status != Pending {
		return nil, errDecided
	}
	return r, nil
}

var errDecided = fault.New(fault.Conflict, "error.deploy.decided").At("input.id")

// decideRequest writes the decision, unless somebody else was faster.
func (s *Service) decideRequest(ctx context.Context, tx execer, which id.UUID, status RequestStatus, answer string, made *id.UUID) error {
	tag, err := tx.Exec(ctx, `UPDATE deployment_requests SET status = $3, decided_by = $4, decided_at = greatest($5, requested_at), answer = $6, deployment_id = $7
		WHERE tenant_id = $1 AND id = $2 AND status = 'pending'`,
		tenancy.Must(ctx).TenantID, which, string(status), person(ctx), s.now(), answer, made)
	if err != nil {
		return fmt.Errorf("deploy: decide: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errDecided
	}
	action := "approve"
	if status == Rejected {
		action = "reject"
	}
	changes, err := audit.Diff(audit.Values{"status": Pending}, audit.Values{"status": status, "answer": answer})
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: action, Entity: "DeploymentRequest", ID: which, Changes: changes})
}

// RequestFilter chooses requests; nil fields do not narrow.
type RequestFilter struct {
	Model  *id.UUID
	Status *RequestStatus
}

// Requests lists what was asked for, the newest first.
func (s *Service) Requests(ctx context.Context, f RequestFilter, a page.Args) (page.Page[*Request], error) {
	if err := tenancy.Require(ctx, tenancy.ModelsRead); err != nil {
		return page.Page[*Request]{}, err
	}
	return requests.page(ctx, s.App, a, `tenant_id = $1 AND ($2::uuid IS NULL OR model_id = $2) AND ($3::text IS NULL OR status = $3)`,
		[]any{tenancy.Must(ctx).TenantID, f.Model, (*string)(f.Status)})
}

// RequestsByID loads requests in one statement.
func (s *Service) RequestsByID(ctx context.Context, ids []id.UUID) (map[id.UUID]*Request, error) {
	return requests.byID(ctx, s.App, tenancy.Must(ctx).TenantID, ids)
}
