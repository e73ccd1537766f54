package bulk

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Sort is a sort of jobs that another service works, for the list of all jobs.
type Sort struct {
	// Table of the jobs, with the columns tenant_id, id and created_at. It is written into
	// statements as it is.
	Table string
	// Sees reports whether the actor sees the sort's jobs, all of them.
	Sees func(context.Context) bool
	// Load loads those of the ids that are of the sort and the actor's tenant.
	Load func(ctx context.Context, ids []id.UUID) (map[id.UUID]Job, error)
}

// List makes the sort a part of Jobs. It is called before the service is used.
func (s *Service) List(o Sort) { s.others = append(s.others, o) }

// Uploaded returns an upload of the actor's tenant that was not used yet; another site's
// does not exist.
func (s *Service) Uploaded(ctx context.Context, which id.UUID) (name string, content []byte, err error) {
	a := tenancy.Must(ctx)
	err = s.App.QueryRow(ctx, `SELECT name, content FROM uploads WHERE tenant_id = $1 AND id = $2 AND purpose = 'import' AND `+within("site_limit", "$3"),
		a.TenantID, which, list(a.SiteIDs)).Scan(&name, &content)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil, fault.Missing("Upload").At("input.uploadId")
	}
	if err != nil {
		return "", nil, fmt.Errorf("bulk: %w", err)
	}
	return name, content, nil
}
