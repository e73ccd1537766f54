package bulk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/jobs"
	"foresight/internal/tenancy"
)

// Upload is a file that waits for its import.
type Upload struct {
	ID        id.UUID
	Name      string
	Size      int64 // bytes
	ExpiresAt time.Time
}

// maxFileName is the most characters of a file's name.
const maxFileName = 255

// purpose is what a file was sent for; it serves nothing else.
type purpose struct {
	name       string // as the column has it
	permission tenancy.Permission
	most       int64  // bytes
	unnamed    string // name of a file that has none
}

// Upload keeps a file until it is imported or expires. It is not looked into yet.
func (s *Service) Upload(ctx context.Context, name string, content io.Reader) (Upload, error) {
	return s.take(ctx, purpose{"import", tenancy.PlantWrite, s.Limits.MaxUpload, "import.csv"}, name, content)
}

// take keeps a file until it is used or expires.
func (s *Service) take(ctx context.Context, of purpose, name string, content io.Reader) (Upload, error) {
	var none Upload
	behalf, err := jobs.Of(ctx, of.permission)
	if err != nil {
		return none, err
	}
	if name = fileName(name); name == "" {
		name = of.unnamed
	}
	b, err := io.ReadAll(io.LimitReader(content, of.most+1))
	switch {
	case err != nil:
		return none, fault.New(fault.BadInput, "error.import.interrupted").Because(err)
	case int64(len(b)) > of.most:
		return none, fault.New(fault.BadInput, "error.import.tooLarge").With("Max", of.most>>20)
	case len(b) == 0:
		return none, fault.New(fault.BadInput, "error.import.empty")
	}
	u := Upload{ID: id.New(id.Upload), Name: name, Size: int64(len(b)), ExpiresAt: time.Now().Add(s.Limits.Keep).UTC()}
	err = s.tx(ctx, func(tx pgx.Tx) error {
		if err := s.room(ctx, tx, "uploads", "true"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO uploads (id, tenant_id, name, content, site_limit, "by", purpose) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			u.ID, behalf.TenantID, u.Name, b, orNull(behalf.SiteIDs), person(ctx), of.name); err != nil {
			return fmt.Errorf("bulk: %w", err)
		}
		return s.Queue.Add(ctx, tx, sweepArgs{behalf, u.ID}, u.ExpiresAt)
	})
	if err != nil {
		return none, err
	}
	return u, nil
}

// room refuses one more of what a tenant has enough of. Requests of a tenant wait for
// each other here, so that no two take the last place.
func (s *Service) room(ctx context.Context, tx pgx.Tx, table, which string) error {
	tenant := tenancy.Must(ctx).TenantID
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('bulk of ' || $1::text, 0))`, tenant.String()); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	var n int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+table+" WHERE tenant_id = $1 AND "+which, tenant).Scan(&n); err != nil {
		return fmt.Errorf("bulk: %w", err)
	}
	if n >= s.Limits.MaxPending {
		return fault.New(fault.Conflict, "error.job.tooMany").With("Max", s.Limits.MaxPending)
	}
	return nil
}

// uploadName finds an upload of the actor's tenant that is to be imported; another site's
// does not exist.
func uploadName(ctx context.Context, tx pgx.Tx, which id.UUID) (name string, err error) {
	a := tenancy.Must(ctx)
	err = tx.QueryRow(ctx, `SELECT name FROM uploads WHERE tenant_id = $1 AND id = $2 AND purpose = 'import' AND `+within("site_limit", "$3"),
		a.TenantID, which, list(a.SiteIDs)).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fault.Missing("Upload").At("input.uploadId")
	}
	return name, err
}

// within is the condition that an actor with the sites of the parameter sees what was
// made under a site limit: the actor is not limited, or no more than that was.
func within(column, sites string) string {
	return "(cardinality(" + sites + "::uuid[]) = 0 OR " + column + " <@ " + sites + ")"
}

// fileName is the last part of a path, printable, and no longer than is kept; "" when
// nothing is left.
func fileName(s string) string {
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxFileName {
		s = string(r[:maxFileName])
	}
	return s
}

// person is the acting person's id, nil when no person acts.
func person(ctx context.Context) *id.UUID {
	if u, ok := tenancy.Must(ctx).UserID(); ok {
		return &u
	}
	return nil
}

// list is never nil: an empty array, and no null.
func list(ids []id.UUID) []id.UUID {
	if ids == nil {
		return []id.UUID{}
	}
	return ids
}

// orNull is nil for an empty list.
func orNull(ids []id.UUID) []id.UUID {
	if len(ids) == 0 {
		return nil
	}
	return ids
}
