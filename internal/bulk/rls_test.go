package bulk_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"foresight/ent/enum"
	"foresight/internal/bulk"
	"foresight/internal/id"
	"foresight/internal/tenancy"
)

// Plain SQL in the role of requests: what confines here is row security alone.
func TestRowSecurityAloneConfinesJobsAndUploads(t *testing.T) {
	w := newWorld(t, bulk.Limits{})
	acme, globex := w.as(tenancy.Engineer), w.globex.As(t.Context(), tenancy.Admin)
	w.importFile(acme, "kind,code,name\nsite,r1,R\n", bulk.ImportRequest{DryRun: true})
	w.export(acme, bulk.ExportRequest{Kind: bulk.ExportSites, Format: enum.ExportCSV})
	for _, table := range []string{"uploads", "import_jobs", "job_progress", "export_jobs"} {
		for who, c := range map[string]struct {
			ctx  context.Context
			sees bool
		}{"acme": {acme, true}, "globex": {globex, false}, "nobody": {t.Context(), false}} {
			var n int
			w.ok(w.app.QueryRow(c.ctx, "SELECT count(*) FROM "+table).Scan(&n))
			if (n > 0) != c.sees {
				t.Errorf("%s sees %d of %s", who, n, table)
			}
		}
		tag, err := w.app.Exec(globex, "DELETE FROM "+table)
		w.ok(err)
		if tag.RowsAffected() != 0 {
			t.Errorf("globex deletes %d of %s", tag.RowsAffected(), table)
		}
	}
	_, err := w.app.Exec(globex, `INSERT INTO uploads (id, tenant_id, name, content) VALUES ($1, $2, 'x', 'x')`, id.New(id.Upload), w.acme.TenantID)
	if pe := (*pgconn.PgError)(nil); !errors.As(err, &pe) || pe.Code != "42501" {
		t.Errorf("globex adds to acme's uploads: %v", err)
	}
}
