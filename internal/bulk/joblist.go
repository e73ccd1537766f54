package bulk

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/keyset"
	"foresight/internal/page"
	"foresight/internal/tenancy"
)

// Jobs lists imports, replays, scorings, and exports of what the actor may read, the
// newest first.
func (s *Service) Jobs(ctx context.Context, args page.Args) (page.Page[Job], error) {
	var none page.Page[Job]
	if err := tenancy.Require(ctx, tenancy.PlantRead); err != nil {
		return none, err
	}
	w, err := args.Resolve("jobs", 2)
	if err != nil {
		return none, err
	}
	a := tenancy.Must(ctx)
	before, beforeID, err := bound(w)
	if err != nil {
		return none, err
	}
	op, dir := "<", "DESC"
	if w.Backward {
		op, dir = ">", "ASC"
	}
	all := `FROM (SELECT tenant_id, id, created_at FROM import_jobs j WHERE tenant_id = $1 AND ` + within("site_limit", "$2") + `
		UNION ALL SELECT tenant_id, id, created_at FROM export_jobs j WHERE tenant_id = $1
			AND (jsonb_array_length($3::jsonb -> j.kind) = 0 OR j.filter -> 'sites' <@ ($3::jsonb -> j.kind))
		UNION ALL SELECT tenant_id, id, created_at FROM scoring_jobs WHERE tenant_id = $1 AND cardinality($2::uuid[]) = 0
		UNION ALL SELECT tenant_id, id, created_at FROM replay_jobs j WHERE tenant_id = $1 AND ` + within("sites", "$2")
	for _, o := range s.others {
		if o.Sees(ctx) {
			all += ` UNION ALL SELECT tenant_id, id, created_at FROM ` + o.Table + ` WHERE tenant_id = $1`
		}
	}
	all += `) j`
	mine := []any{a.TenantID, list(a.SiteIDs), readable(a)}
	total := 0
	if w.Total {
		if err := s.App.QueryRow(ctx, "SELECT count(*) "+all, mine...).Scan(&total); err != nil {
			return none, fmt.Errorf("bulk: %w", err)
		}
	}
	rows, err := s.App.Query(ctx, `SELECT id `+all+` WHERE $4::timestamptz IS NULL OR (created_at, id) `+op+` ($4, $5::uuid)
		ORDER BY created_at `+dir+`, id `+dir+` LIMIT $6`, append(mine, before, beforeID, w.Limit())...)
	if err != nil {
		return none, fmt.Errorf("bulk: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return none, fmt.Errorf("bulk: %w", err)
	}
	found, err := s.jobs(ctx, ids)
	if err != nil {
		return none, err
	}
	return page.Of(w, found, total, func(j Job) page.Key { return keyset.Key(j.Base().CreatedAt, j.Base().ID) }), nil
}

// jobs loads jobs of all sorts in the order of the ids.
func (s *Service) jobs(ctx context.Context, ids []id.UUID) ([]Job, error) {
	in, err := s.imports(ctx, s.App, ids)
	if err != nil {
		return nil, err
	}
	out, err := s.exports(ctx, s.App, ids)
	if err != nil {
		return nil, err
	}
	again, err := s.replays(ctx, s.App, ids)
	if err != nil {
		return nil, err
	}
	daily, err := s.scorings(ctx, s.App, ids)
	if err != nil {
		return nil, err
	}
	others := map[id.UUID]Job{}
	for _, o := range s.others {
		if !o.Sees(ctx) {
			continue
		}
		found, err := o.Load(ctx, ids)
		if err != nil {
			return nil, err
		}
		maps.Copy(others, found)
	}
	all := make([]Job, 0, len(ids))
	for _, u := range ids {
		if i := in[u]; i != nil {
			all = append(all, i)
		} else if e := out[u]; e != nil {
			all = append(all, e)
		} else if x := again[u]; x != nil {
			all = append(all, x)
		} else if d := daily[u]; d != nil {
			all = append(all, d)
		} else if o := others[u]; o != nil {
			all = append(all, o)
		}
	}
	return all, nil
}

// bound reads the cursor of a window, nil for its beginning.
func bound(w page.Window) (at *time.Time, which *id.UUID, err error) {
	if w.Bound == nil {
		return nil, nil, nil
	}
	t, terr := time.Parse(time.RFC3339Nano, w.Bound[0])
	u, uerr := id.Parse(w.Bound[1])
	if terr != nil || uerr != nil {
		return nil, nil, fault.New(fault.BadInput, "error.page.cursor")
	}
	return &t, &u, nil
}
