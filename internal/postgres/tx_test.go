package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/site"
	"foresight/internal/postgres"
)

var errWanted = errors.New("wanted")

func TestInTxSharesOneTransaction(t *testing.T) {
	w := newWorld(t)
	client, db := open(t, w.AppDSN)
	ctx := w.a.ctx(t)
	for name, c := range map[string]struct {
		end  error
		want int
	}{
		"commit":   {nil, 2},
		"rollback": {errWanted, 0},
	} {
		t.Run(name, func(t *testing.T) {
			err := postgres.InTx(ctx, db, func(ctx context.Context, c2 *ent.Client, tx pgx.Tx) error {
				s, err := c2.Site.Create().SetSiteCode("orm-" + name).SetName("by the ORM").Save(ctx)
				if err != nil {
					return err
				}
				// The other form sees it, and the other way round.
				if _, err := tx.Exec(ctx, "INSERT INTO sites (id, tenant_id, site_code, name, location) SELECT gen_random_uuid(), tenant_id, $2, name, '' FROM sites WHERE id = $1", s.ID, "sql-"+name); err != nil {
					return err
				}
				if n, err := c2.Site.Query().Where(site.SiteCodeIn("orm-"+name, "sql-"+name)).Count(ctx); err != nil || n != 2 {
					t.Errorf("%d rows inside, %v", n, err)
				}
				// Updates of one row begin a transaction of the ORM's own.
				if _, err := c2.Site.UpdateOne(s).SetName("renamed").Save(ctx); err != nil {
					return err
				}
				// A row that is not found is no end of the transaction.
				if err := c2.Site.UpdateOneID(w.b.ids["sites"]).SetName("x").Exec(ctx); !ent.IsNotFound(err) {
					t.Errorf("another tenant's row: %v", err)
				}
				if _, err := c2.Tx(ctx); !errors.Is(err, ent.ErrTxStarted) {
					t.Errorf("a transaction within: %v", err)
				}
				if n, err := client.Site.Query().Where(site.SiteCode("orm-" + name)).Count(ctx); err != nil || n != 0 {
					t.Errorf("%d rows seen outside before the commit, %v", n, err)
				}
				return c.end
			})
			if !errors.Is(err, c.end) {
				t.Fatal(err)
			}
			n, err := client.Site.Query().Where(site.SiteCodeIn("orm-"+name, "sql-"+name)).Count(ctx)
			if err != nil || n != c.want {
				t.Errorf("%d rows afterwards, want %d (%v)", n, c.want, err)
			}
		})
	}
}

func TestInTxRollsBackWhateverHappens(t *testing.T) {
	w := newWorld(t)
	client, db := open(t, w.AppDSN)
	create := func(ctx context.Context, c *ent.Client) {
		if _, err := c.Site.Create().SetSiteCode("lost").SetName("lost").Save(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Run("panic", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = postgres.InTx(w.a.ctx(t), db, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
			create(ctx, c)
			panic("bug")
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(w.a.ctx(t))
		err := postgres.InTx(ctx, db, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
			create(ctx, c)
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
	t.Run("broken statement", func(t *testing.T) {
		err := postgres.InTx(w.a.ctx(t), db, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
			create(ctx, c)
			_, _ = tx.Exec(ctx, "SELECT 1/0")
			return nil
		})
		if err == nil {
			t.Error("a commit of a failed transaction is reported as done")
		}
	})
	if n, err := client.Site.Query().Where(site.SiteCode("lost")).Count(w.a.ctx(t)); err != nil || n != 0 {
		t.Errorf("%d rows left, %v", n, err)
	}
	// The connections are fit for use.
	for range 10 {
		if _, err := seen(w.a.ctx(t), db); err != nil {
			t.Fatal(err)
		}
	}
}

func TestViolations(t *testing.T) {
	w := newWorld(t)
	client, _ := open(t, w.AppDSN)
	ctx := w.a.ctx(t)
	_, err := client.Site.Create().SetSiteCode("a_site_code").SetName("again").Save(ctx)
	if c, ok := postgres.Unique(err); !ok || c != "site_tenant_id_site_code" {
		t.Errorf("%q, %v", c, err)
	}
	_, err = client.Gateway.Create().SetGatewayCode("g2").SetSiteID(w.b.ids["sites"]).Save(ctx)
	if c, ok := postgres.ForeignKey(err); !ok || c != "gateways_sites_site" {
		t.Errorf("%q, %v", c, err)
	}
	if _, ok := postgres.Check(errWanted); ok {
		t.Error("not every error is a violation")
	}
}
